// SPDX-License-Identifier: Apache-2.0
#include "collectors/states/states.event.h"
#include "event/collector.h"
#include "event/section_fields.h"

namespace sockeye {
namespace {

using When = Presence::When;

constexpr EnumValue kOutcomes[] = {
    {OUTCOME_NONE, "none", "none"},
    {OUTCOME_TIME_WAIT, "time_wait", "a TIME_WAIT minisocket"},
    {OUTCOME_FIN_WAIT2_ORPHAN, "fin_wait2_orphan", "a FIN_WAIT2 minisocket"},
    {OUTCOME_GONE, "gone", "nothing"},
    {OUTCOME_TABLE_FULL, "table_full", "nothing, or the last minisocket that the TIME_WAIT table had room for"},
};

#define MEMBER(member) SOCKEYE_MEMBER(states_event, member)

const Field kFields[] = {
    {.name = "old_state", .type = FieldType::kEnum, MEMBER(old_state), .meaning = "state before", .values = kTcpStates},
    {.name = "new_state", .type = FieldType::kEnum, MEMBER(new_state), .meaning = "state after", .values = kTcpStates},
    {.name = "duration_us",
     .type = FieldType::kMicros,
     MEMBER(duration_ns),
     .unit = "us",
     .meaning = "time spent in old_state; null: its start was not seen",
     .presence = {.when = When::kFlagSet, .other = offsetof(states_event, flags), .mask = STATES_DURATION_KNOWN}},
    {.name = "derived",
     .type = FieldType::kFlag,
     MEMBER(derived),
     .meaning = "true: stands for the kernel's old_state -> CLOSE, after which a TIME_WAIT minisocket remains",
     .mask = 1},
    {.name = "outcome",
     .type = FieldType::kEnum,
     MEMBER(outcome),
     .meaning = "what remains of a socket that left FIN_WAIT2 or CLOSING for CLOSE",
     .presence = {.when = When::kNonZero, .omit_key = true},
     .values = kOutcomes},
};

#undef MEMBER

constexpr Column kColumns[] = {
    {.field = "time", .header = "TIME", .width = 12, .min_width = 12, .priority = 50},
    {.field = "pid", .header = "PID", .width = 7, .min_width = 5, .right = true, .priority = 70},
    {.field = "comm", .header = "COMM", .width = 15, .min_width = 9},
    {.field = "owner_source", .header = "OWNER", .width = 9, .min_width = 9, .priority = 10},
    {.field = "laddr", .header = "LADDR", .width = 39, .min_width = 15, .priority = 30},
    {.field = "lport", .header = "LPORT", .width = 5, .min_width = 5, .right = true, .priority = 60},
    {.field = "raddr", .header = "RADDR", .width = 39, .min_width = 15},
    {.field = "rport", .header = "RPORT", .width = 5, .min_width = 5, .right = true, .priority = 90},
    {.field = "old_state", .header = "OLDSTATE", .width = 11, .min_width = 11, .priority = 20},
    {.field = "new_state", .header = "NEWSTATE", .width = 11, .min_width = 11},
    {.field = "duration_us", .header = "MS", .width = 10, .min_width = 8, .right = true, .priority = 40},
    container_column(5),
};

}  // namespace

extern const Collector collector_states;
const Collector collector_states = {
    .event = {.name = "states",
              .kind = STATES_KIND,
              .size = sizeof(states_event),
              .sections = kSocketSections,
              .common = kSocketFields,
              .own = kFields,
              .columns = kColumns,
              .line = "{time} State Change: SRC={laddr}:{lport} DST={raddr}:{rport} PID={pid} COMM={comm} "
                      "STATE={new_state:words}"},
    .summary = "every state change of every TCP socket, in all network namespaces",
};

}  // namespace sockeye
