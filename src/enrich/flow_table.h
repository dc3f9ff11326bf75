// SPDX-License-Identifier: Apache-2.0
// The kernel's table of connections that packet filters see (nf_conntrack), of one network namespace: where the packets
// of a connection really go.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

namespace sockeye {

struct FlowEnd {
  uint8_t address[16];  // network order, IPv4 as ::ffff:a.b.c.d
  uint16_t port;        // host order
  bool operator==(const FlowEnd&) const = default;
};

// A TCP connection as the one who opened it asked for it.
struct Flow {
  FlowEnd source;
  FlowEnd destination;
};

class FlowTable {
 public:
  virtual ~FlowTable() = default;
  // Whether there is anything in it: asked once a batch.
  virtual bool is_in_use() = 0;
  // Where answers to this connection come from; none: the table does not have it.
  virtual std::optional<FlowEnd> answers_from(const Flow& flow) = 0;
};

// Of the namespace with this inode number, which process `pid` was in. Null: it cannot be entered, or is gone, or the
// kernel has no such table there. While it is open the namespace does not go.
std::unique_ptr<FlowTable> open_flow_table(uint32_t netns, uint32_t pid);

}  // namespace sockeye
