// SPDX-License-Identifier: Apache-2.0
// Which functions and types a kernel has: its type information (BTF), read in one pass.
//
// libbpf reads the same file for itself when it loads the programs. Each of its looks for a name goes through all types
// of the kernel, 0.5 ms a name; that is why excerpt() gives it a kernel of only the types that it will ask for.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace sockeye {

inline constexpr char kKernelBtf[] = "/sys/kernel/btf/vmlinux";

class KernelTypes {
 public:
  // Fails with kNotPossible where the file cannot be read or is no BTF of this machine's byte order. The error's `what`
  // is the reason alone.
  static Result<KernelTypes> load(const std::string& path = kKernelBtf);
  // The same of bytes that were read already.
  static Result<KernelTypes> take(std::vector<std::byte> bytes);
  // The same of bytes that are somebody else's (Documentation/bpf/btf.rst), which must outlive this.
  static Result<KernelTypes> parse(std::span<const std::byte> bytes);

  std::span<const std::byte> bytes() const { return bytes_; }

  // The type id of a name; 0: there is none.
  uint32_t function(std::string_view name) const;
  uint32_t type_definition(std::string_view name) const;
  uint32_t structure(std::string_view name) const;
  // How many arguments a function takes; -1: there is no such function.
  int parameters(std::string_view function) const;
  // How many arguments a tracing program gets at this tracepoint; -1: there is no such tracepoint.
  int arguments(std::string_view tracepoint) const;
  // The type id of a member; 0: the structure has none of that name. Members of nameless ones in it are not looked at.
  uint32_t member_type(std::string_view structure, std::string_view member) const;
  // What an enumeration of 32 bits consists of, in its order; empty: there is none of that name.
  std::vector<std::pair<std::string_view, uint32_t>> enumerators(std::string_view enumeration) const;

  // BTF that holds the structs, unions, enums, typedefs and basic types of these names, and what they hold by value;
  // what they point to is void. Enough for relocations of member accesses (CO-RE): "any two pointers are compatible"
  // (libbpf, bpf_core_fields_are_compat()).
  std::vector<std::byte> excerpt(const std::vector<std::string_view>& names) const;

 private:
  friend class Excerpt;
  struct Contents;  // of a file, mapped or read

  Status index();
  const char* name_of(uint32_t id) const;
  // The ids of all types of that name, whatever their kinds.
  std::vector<uint32_t> named(std::string_view name) const;
  uint32_t find(std::string_view name, uint32_t kind) const;
  int prototype_size(uint32_t prototype) const;

  std::span<const std::byte> bytes_;          // all of it
  std::shared_ptr<const Contents> contents_;  // null: the bytes are somebody else's
  std::span<const std::byte> types_;
  std::string_view strings_;     // each ends in a NUL
  std::vector<uint32_t> begin_;  // by type id: where it begins in types_
  std::vector<uint32_t> slots_;  // hash table of type ids by name; 0: free
};

}  // namespace sockeye
