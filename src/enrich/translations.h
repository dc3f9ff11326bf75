// SPDX-License-Identifier: Apache-2.0
// Where connections go whose destination is translated on the way (DNAT): a published port of a container, a service
// of Kubernetes, a rule of nftables. The program that connects never learns of it, and so does its socket.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "enrich/flow_table.h"

namespace sockeye {

// A destination that was not translated for a process is asked for again after a second, one that was at every
// connection: rules may choose anew each time, and by user and cgroup. Not thread-safe.
class Translations {
 public:
  using Open = std::function<std::unique_ptr<FlowTable>(uint32_t netns, uint32_t pid)>;
  static constexpr size_t kNamespaces = 64;      // whose tables are open at a time
  static constexpr size_t kDestinations = 4096;  // remembered as not translated
  static constexpr size_t kQueries = 1024;       // in a batch, each a system call or three of about 10 us together
  static constexpr uint64_t kTrustNs = 1'000'000'000;
  static constexpr uint64_t kIdleNs = 2'000'000'000;  // a namespace is let go of when it has had no connection so long

  explicit Translations(Open open = open_flow_table) : open_(std::move(open)) {}

  // `now_ns`: CLOCK_BOOTTIME. Ends what was remembered for long enough; call it also where there is nothing to ask.
  void begin_batch(uint64_t now_ns);

  // Where the packets of `flow` go; none: where it was asked to go, or it is not known, or it was too much to be asked
  // for in this batch. `pid`: the process that opened it, in the namespace.
  std::optional<FlowEnd> of(uint32_t netns, uint32_t pid, const Flow& flow);

 private:
  struct Namespace {
    std::unique_ptr<FlowTable> table;  // null: there is none, or it could not be opened
    uint64_t looked_in_batch = 0;      // whether it is in use
    bool in_use = false;
    uint64_t tried_ns = 0;
    uint64_t used_ns = 0;
  };

  Namespace* find(uint32_t netns, uint32_t pid);

  Open open_;
  uint64_t now_ns_ = 0;
  uint64_t batch_ = 0;
  uint64_t forget_ns_ = 0;
  std::unordered_map<uint32_t, Namespace> namespaces_;
  std::unordered_set<std::string> untranslated_;  // namespace, process and destination
  std::string key_;                               // reused
  size_t queries_ = 0;                            // in this batch
};

}  // namespace sockeye
