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
  for (const Event& event : batch.events()) {
    for (const Plan& plan : plans_) {
      if (plan.type == event.type) fill(plan, event, batch.bytes_of(event));
    }
  }
}

// Whoever opened the connection is here: of one that came in, the namespace may be another than that of the rule. What
// rules see is the socket's remote end; where that is not what the process asked for, the kernel side has told it, and
// it stays where no rule is.
void Translator::fill(const Plan& plan, const Event& event, std::byte* bytes) {
  const auto& body = *reinterpret_cast<const socket_event*>(event.bytes());
  if (body.socket.role != ROLE_CLIENT || body.socket.lport == 0) return;
  Flow flow;
  memcpy(flow.source.address, body.socket.laddr, sizeof flow.source.address);
  memcpy(flow.destination.address, body.socket.raddr, sizeof flow.destination.address);
  flow.source.port = body.socket.lport;
  flow.destination.port = body.socket.rport;
  const auto end = translations_.of(body.socket.netns, body.owner.pid, flow);
  if (!end) return;
  memcpy(bytes + plan.nat_daddr->offset, end->address, sizeof end->address);
  memcpy(bytes + plan.nat_dport->offset, &end->port, sizeof end->port);
}

}  // namespace sockeye
