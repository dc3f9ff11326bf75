// SPDX-License-Identifier: Apache-2.0
#include "collectors/counts/counts.event.h"
#include "event/collector.h"
#include "event/section_fields.h"

namespace sockeye {
namespace {

#define MEMBER(member) SOCKEYE_MEMBER(counts_event, member)

const Field kFields[] = {
    {.name = "old_state", .type = FieldType::kEnum, MEMBER(old_state), .meaning = "state before", .values = kTcpStates},
    {.name = "new_state", .type = FieldType::kEnum, MEMBER(new_state), .meaning = "state after", .values = kTcpStates},
};

#undef MEMBER

}  // namespace

extern const Collector collector_counts;
const Collector collector_counts = {
    .event = {.name = "counts",
              .kind = COUNTS_KIND,
              .size = sizeof(counts_event),
              .own = kFields,
              .line = "{old_state} -> {new_state}"},
    .summary = "TCP sockets per state now, in all network namespaces, counted in the kernel",
    .needs_owner = false,
    .needs_entry = false,
    .has_stream = false,
    .known_map = "tcp_state_map",
};

}  // namespace sockeye
