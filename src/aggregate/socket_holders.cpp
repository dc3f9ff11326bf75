// SPDX-License-Identifier: Apache-2.0
#include "aggregate/socket_holders.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "bpf/snapshot.h"

namespace sockeye {

void SocketHolders::read(Object& object) {
  limitation_ = hidden_processes();
  const auto iterator = object.open_iterator("visit_holder");
  if (!iterator) {
    limitation_ = iterator.error().what;
    return;
  }
  std::vector<std::byte> bytes(Object::kIteratorBytes);
  ssize_t n;
  while ((n = Object::read_iterator(*iterator, bytes)) > 0) add(std::span(bytes).first(static_cast<size_t>(n)));
  if (n < 0) limitation_ = "the iterator of visit_holder stops early: " + errno_text(errno);
  sort();
}

// The files of a process come one after the other.
void SocketHolders::add(std::span<const std::byte> bytes) {
  for (; bytes.size() >= sizeof(held_socket); bytes = bytes.subspan(sizeof(held_socket))) {
    held_socket held;
    memcpy(&held, bytes.data(), sizeof held);
    const bool is_known =
        !owners_.empty() && owners_.back().tid == held.owner.tid && owners_.back().start_ns == held.owner.start_ns;
    if (!is_known) owners_.push_back(held.owner);
    held_.push_back({held.key, static_cast<uint32_t>(owners_.size() - 1), held.fd});
  }
}

bool SocketHolders::is_before(const Held& a, const Held& b) const {
  if (a.key != b.key) return a.key < b.key;
  if (owner_of(a).pid != owner_of(b).pid) return owner_of(a).pid < owner_of(b).pid;
  return a.fd != b.fd ? a.fd < b.fd : a.owner < b.owner;
}

// Threads of one process that have tables of files of their own, copies of each other, count once.
void SocketHolders::sort() {
  std::sort(held_.begin(), held_.end(), [this](const Held& a, const Held& b) { return is_before(a, b); });
  const auto is_same = [this](const Held& a, const Held& b) {
    return a.key == b.key && a.fd == b.fd && owner_of(a).pid == owner_of(b).pid;
  };
  held_.erase(std::unique(held_.begin(), held_.end(), is_same), held_.end());
}

std::span<const SocketHolders::Held> SocketHolders::of(uint64_t key) const {
  if (key == 0) return {};
  const auto by_key = [](const Held& a, const Held& b) { return a.key < b.key; };
  const auto [first, last] = std::equal_range(held_.begin(), held_.end(), Held{key, 0, 0}, by_key);
  return {first, last};
}

}  // namespace sockeye
