// SPDX-License-Identifier: Apache-2.0
#include "enrich/translations.h"

namespace sockeye {

void Translations::begin_batch(uint64_t now_ns) {
  now_ns_ = now_ns;
  ++batch_;
  queries_ = 0;
  std::erase_if(namespaces_, [&](const auto& item) { return now_ns - item.second.used_ns > kIdleNs; });
  if (now_ns - forget_ns_ < kTrustNs && untranslated_.size() < kDestinations) return;
  forget_ns_ = now_ns;
  untranslated_.clear();
}

std::optional<FlowEnd> Translations::of(uint32_t netns, uint32_t pid, const Flow& flow) {
  Namespace* known = find(netns, pid);
  if (!known || !known->in_use) return {};
  key_.assign(reinterpret_cast<const char*>(&netns), sizeof netns);
  key_.append(reinterpret_cast<const char*>(&pid), sizeof pid);
  key_.append(reinterpret_cast<const char*>(flow.destination.address), sizeof flow.destination.address);
  key_.append(reinterpret_cast<const char*>(&flow.destination.port), sizeof flow.destination.port);
  if (untranslated_.contains(key_) || queries_ >= kQueries) return {};
  ++queries_;
  const auto end = known->table->answers_from(flow);
  if (end && *end != flow.destination) return end;
  // Also what is not in the table: nothing follows it (notrack), or it is over.
  if (untranslated_.size() < kDestinations) untranslated_.insert(key_);
  return {};
}

// One that could not be opened is tried again each second: its process may have ended, rules may come.
Translations::Namespace* Translations::find(uint32_t netns, uint32_t pid) {
  const bool is_new = !namespaces_.contains(netns);
  if (is_new && namespaces_.size() >= kNamespaces) return nullptr;
  Namespace& known = namespaces_[netns];
  known.used_ns = now_ns_;
  if (!known.table && pid != 0 && (is_new || now_ns_ - known.tried_ns >= kTrustNs)) {
    known.tried_ns = now_ns_;
    known.table = open_(netns, pid);
  }
  if (known.table && known.looked_in_batch != batch_) {
    known.looked_in_batch = batch_;
    known.in_use = known.table->is_in_use();
  }
  return &known;
}

}  // namespace sockeye
