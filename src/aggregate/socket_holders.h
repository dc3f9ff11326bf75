// SPDX-License-Identifier: Apache-2.0
// Who has each socket open: all descriptors of all processes of this pid namespace, kept to be joined to the sockets
// that are visited after it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bpf/held_socket.h"
#include "bpf/object.h"

namespace sockeye {

class SocketHolders {
 public:
  struct Held {
    uint64_t key;    // held_socket.key
    uint32_t owner;  // number of its owner
    uint32_t fd;
  };

  // Walks through the open files. What could not be looked at is in limitation().
  void read(Object& object);
  // Of the iterator's file, whole structs one after the other; then sort().
  void add(std::span<const std::byte> bytes);
  void sort();

  // Of a socket, by pid and descriptor, each once.
  std::span<const Held> of(uint64_t key) const;
  const ::owner& owner_of(const Held& held) const { return owners_[held.owner]; }

  const std::string& limitation() const { return limitation_; }

 private:
  bool is_before(const Held& a, const Held& b) const;

  std::vector<::owner> owners_;  // a process, or a thread with files of its own
  std::vector<Held> held_;
  std::string limitation_;
};

}  // namespace sockeye
