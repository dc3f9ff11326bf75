// SPDX-License-Identifier: Apache-2.0
// What network namespaces call their interfaces, for link-local addresses: the kernel side tells the index alone.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "event/context.h"
#include "event/wire.h"

namespace sockeye {

// All interfaces of the namespace with this inode number, by a visit to it; empty where it is gone or cannot be
// entered.
std::vector<InterfaceName> read_interfaces(uint32_t netns);

// A visit takes some milliseconds, as a namespace is found through a process or a file that holds it: all its names are
// kept, and read again when there is an index that is not among them, once a second at most, else after ten seconds, as
// interfaces may be given other names. Where no visit may be made now the name is not known. Not thread-safe.
class InterfaceNames {
 public:
  using Read = std::function<std::vector<InterfaceName>(uint32_t netns)>;
  using Now = std::function<uint64_t()>;  // nanoseconds
  static constexpr size_t kNamespaces = 256;
  static constexpr unsigned kVisitsPerBatch = 8;
  static constexpr uint64_t kMissingNs = 1'000'000'000, kStaleNs = 10'000'000'000;

  InterfaceNames();
  InterfaceNames(Read read, Now now) : read_(std::move(read)), now_(std::move(now)) {}

  // Ends the life of what of() has returned.
  void begin_batch();
  // null: there is no scope, or its name is not known.
  const InterfaceName* of(const socket_id& socket);

 private:
  struct Namespace {
    std::map<uint32_t, InterfaceName> names;  // by index; they stay where they are
    uint64_t read_ns = 0;
    bool is_read = false;
  };
  using Key = std::pair<uint32_t, uint64_t>;  // inode number, which recycles, and cookie, which some kernels give late

  void visit(uint32_t netns, Namespace& known);

  Read read_;
  Now now_;
  std::map<Key, Namespace> namespaces_;
  unsigned visits_ = 0;
};

}  // namespace sockeye
