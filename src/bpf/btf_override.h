// SPDX-License-Identifier: Apache-2.0
// Where libbpf takes the kernel's types from.
#pragma once

#include <cstddef>
#include <span>

namespace sockeye {

// While it lives, libbpf takes the types that programs attach to and call functions of from these bytes, which must
// outlive it, and looks for them nowhere. One at a time.
class BtfOverride {
 public:
  explicit BtfOverride(std::span<const std::byte> types);
  BtfOverride(const BtfOverride&) = delete;
  BtfOverride& operator=(const BtfOverride&) = delete;
  ~BtfOverride();

  // Whether libbpf has asked for them: one that was linked with -Bsymbolic never does.
  bool were_asked_for() const;
};

}  // namespace sockeye
