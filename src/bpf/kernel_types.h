// SPDX-License-Identifier: Apache-2.0
// Which functions, typedefs and structs a kernel has: its type information (BTF), read in one pass.
//
// libbpf reads the same file for itself when it loads the programs. Its own look for a name goes through all types each
// time, and a second copy of its index of them takes 10 MiB and 10 ms; this takes a list of 12 bytes a name.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sockeye {

class KernelTypes {
 public:
  // Fails with kNotPossible where the file cannot be read or is no BTF of this machine's byte order.
  static Result<KernelTypes> load(const std::string& path = "/sys/kernel/btf/vmlinux");
  // The same of bytes that were read already (Documentation/bpf/btf.rst), which must outlive this.
  static Result<KernelTypes> parse(std::span<const std::byte> bytes);

  // The type id of a name; 0: there is none.
  uint32_t function(std::string_view name) const;
  uint32_t type_definition(std::string_view name) const;
  uint32_t structure(std::string_view name) const;
  // How many arguments a function takes; -1: there is no such function.
  int parameters(std::string_view function) const;

 private:
  struct Named {
    uint32_t name;      // where it begins in strings_
    uint32_t id : 27;   // Documentation/bpf/btf.rst allows a million types
    uint32_t kind : 5;  // BTF_KIND_*
    uint32_t at;        // where it begins in types_
  };
  struct Contents;  // of a file, mapped or read

  uint32_t offset_of(std::string_view name) const;
  const Named* find(std::string_view name, uint32_t kind) const;
  Status index();
  uint32_t at_of(uint32_t id) const;

  std::shared_ptr<const Contents> contents_;  // null: the bytes are somebody else's
  std::span<const std::byte> types_;
  std::string_view strings_;  // each ends in a NUL
  std::vector<Named> named_;
};

}  // namespace sockeye
