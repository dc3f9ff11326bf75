// SPDX-License-Identifier: Apache-2.0
// Where libbpf takes the kernel's types from.
#pragma once

#include <cstddef>
#include <span>

namespace sockeye {

// While it lives, libbpf takes the types that programs attach to and call functions of from these bytes, which must
// outlive it, and looks for them nowhere. One at a time.
class LentTypes {
 public:
  explicit LentTypes(std::span<const std::byte> types);
  LentTypes(const LentTypes&) = delete;
  LentTypes& operator=(const LentTypes&) = delete;
  ~LentTypes();

  // Whether libbpf has asked for them: one that was linked with -Bsymbolic never does.
  bool were_asked_for() const;
};

}  // namespace sockeye
