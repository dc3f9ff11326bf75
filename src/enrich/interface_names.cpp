// SPDX-License-Identifier: Apache-2.0
#include "enrich/interface_names.h"

#include <net/if.h>

#include <chrono>
#include <memory>

#include "bpf/host.h"
#include "bpf/namespace_walk.h"

namespace sockeye {
namespace {

struct NamesDeleter {
  void operator()(struct if_nameindex* names) const { if_freenameindex(names); }
};

std::vector<InterfaceName> names_here(uint32_t netns) {
  std::vector<InterfaceName> found;
  const std::unique_ptr<struct if_nameindex, NamesDeleter> names(::if_nameindex());
  for (const struct if_nameindex* name = names.get(); name && name->if_index != 0; ++name)
    found.push_back({netns, name->if_index, name->if_name});
  return found;
}

uint64_t steady_ns() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::nanoseconds(since).count());
}

}  // namespace

std::vector<InterfaceName> read_interfaces(uint32_t netns) {
  if (network_namespace_inode() == netns) return names_here(netns);
  NamespaceWalk walk({.takes = [netns](uint32_t inode) { return inode == netns; }, .most = 1});
  return walk.enter_next() ? names_here(netns) : std::vector<InterfaceName>();
}

InterfaceNames::InterfaceNames() : InterfaceNames(read_interfaces, steady_ns) {}

void InterfaceNames::begin_batch() {
  visits_ = 0;
  if (namespaces_.size() >= kNamespaces) namespaces_.clear();
}

const InterfaceName* InterfaceNames::of(const socket_id& socket) {
  if (socket.scope_id == 0) return nullptr;
  const auto place = namespaces_.find({socket.netns, socket.netns_cookie});
  if (place == namespaces_.end() && namespaces_.size() >= kNamespaces) return nullptr;
  Namespace& known = place == namespaces_.end() ? namespaces_[{socket.netns, socket.netns_cookie}] : place->second;
  auto found = known.names.find(socket.scope_id);
  const uint64_t age_ns = now_() - known.read_ns;
  const bool is_due = !known.is_read || age_ns >= (found == known.names.end() ? kMissingNs : kStaleNs);
  if (is_due && visits_ < kVisitsPerBatch) {
    visit(socket.netns, known);
    found = known.names.find(socket.scope_id);
  }
  return found == known.names.end() ? nullptr : &found->second;
}

// One that is gone keeps the names that it had: its last events come after it.
void InterfaceNames::visit(uint32_t netns, Namespace& known) {
  ++visits_;
  known.is_read = true;
  known.read_ns = now_();
  for (InterfaceName& name : read_(netns)) known.names.insert_or_assign(name.index, std::move(name));
}

}  // namespace sockeye
