// SPDX-License-Identifier: Apache-2.0
#include "pipeline/translator.h"

#include <cstring>
#include <utility>

namespace sockeye {

Translator::Translator(std::span<const EventType* const> types, Translations translations, const Clock& clock)
    : translations_(std::move(translations)), clock_(clock) {
  for (const EventType* type : types) {
    const Plan plan = {
        .type = type, .nat_daddr = find_field(*type, "nat_daddr"), .nat_dport = find_field(*type, "nat_dport")};
    if (plan.nat_daddr && plan.nat_dport) plans_.push_back(plan);
  }
}

void Translator::fill(Batch& batch) {
  translations_.begin_batch(clock_.boot_ns());
  for (const Record& record : batch.records()) {
    for (const Plan& plan : plans_) {
      if (plan.type == record.type) fill(plan, record, batch.bytes_of(record));
    }
  }
}

// Whoever opened the connection is here: of one that came in, the namespace may be another than that of the rule. What
// rules see is the socket's remote end; where that is not what the process asked for, the kernel side has told it, and
// it stays where no rule is.
void Translator::fill(const Plan& plan, const Record& record, std::byte* bytes) {
  const auto& event = *reinterpret_cast<const socket_event*>(record.bytes());
  if (event.socket.role != ROLE_CLIENT || event.socket.lport == 0) return;
  Flow flow;
  memcpy(flow.source.address, event.socket.laddr, sizeof flow.source.address);
  memcpy(flow.destination.address, event.socket.raddr, sizeof flow.destination.address);
  flow.source.port = event.socket.lport;
  flow.destination.port = event.socket.rport;
  const auto end = translations_.of(event.socket.netns, event.owner.pid, flow);
  if (!end) return;
  memcpy(bytes + plan.nat_daddr->offset, end->address, sizeof end->address);
  memcpy(bytes + plan.nat_dport->offset, &end->port, sizeof end->port);
}

}  // namespace sockeye
