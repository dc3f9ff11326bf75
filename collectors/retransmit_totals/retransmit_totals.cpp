// SPDX-License-Identifier: Apache-2.0
#include "collectors/retransmit_totals/retransmit_totals.event.h"

#include "event/collector.h"
#include "event/section_fields.h"

namespace sockeye {
namespace {

using When = Presence::When;

constexpr EnumValue kGroups[] = {
    {TOTALS_NAMED, "named", "named"},
    {TOTALS_UNKNOWN, "unknown", "nobody is known to own them; by container also: nobody knows where the owner runs"},
    {TOTALS_KERNEL, "kernel", "sockets of the kernel's own"},
    {TOTALS_NO_CONTAINER, "no_container", "processes that run in no container"},
    {TOTALS_OTHER, "other", "those that there was no room to tell apart"},
};

#define MEMBER(member) SOCKEYE_MEMBER(retransmit_totals_event, member)
#define SEGMENTS(which, why)                                                                         \
  {                                                                                                  \
    .name = #which, .type = FieldType::kUnsigned, MEMBER(which), .unit = "segments", .meaning = why, \
    .fold = Fold::kSum                                                                               \
  }

const Field kFields[] = {
    {.name = "group",
     .type = FieldType::kEnum,
     MEMBER(group),
     .meaning = "what they are, where they have no name",
     .presence = {.when = When::kNonZero, .omit_key = true},
     .values = kGroups},
    {.name = "interval_us",
     .type = FieldType::kMicros,
     MEMBER(interval_ns),
     .unit = "us",
     .meaning = "for how long it was counted, up to `time`"},
    SEGMENTS(segments, "sent again, as TcpRetransSegs counts them"),
    {.name = "bytes",
     .type = FieldType::kUnsigned,
     MEMBER(bytes),
     .unit = "bytes",
     .meaning = "payload sent again",
     .fold = Fold::kSum},
    SEGMENTS(timeout, "of them, because no acknowledgement came in time"),
    SEGMENTS(fast, "of them, because acknowledgements of what came after them said that they were lost"),
    SEGMENTS(tail_loss_probe, "of them, as probes for the end of a flight"),
    SEGMENTS(syn, "of them, SYNs of clients"),
    SEGMENTS(synack, "of them, SYN-ACKs"),
    SEGMENTS(non_congestion, "of them, because they were too big for the path, or data of a SYN that was not taken"),
    SEGMENTS(failed, "of all of them, those that did not leave this host; before 6.15 such ones are not seen"),
};

#undef SEGMENTS
#undef MEMBER

#define COUNTS                                                                                                    \
  {.field = "segments", .header = "SEGS", .width = 9, .min_width = 6, .right = true},                             \
      {.field = "bytes", .header = "BYTES", .width = 12, .min_width = 6, .right = true, .priority = 50},          \
      {.field = "timeout", .header = "TIMEOUT", .width = 9, .min_width = 7, .right = true, .priority = 45},       \
      {.field = "fast", .header = "FAST", .width = 9, .min_width = 6, .right = true, .priority = 44},             \
      {.field = "tail_loss_probe", .header = "PROBE", .width = 9, .min_width = 5, .right = true, .priority = 43}, \
      {.field = "syn", .header = "SYN", .width = 7, .min_width = 5, .right = true, .priority = 42},               \
      {.field = "synack", .header = "SYNACK", .width = 7, .min_width = 6, .right = true, .priority = 41}, {       \
    .field = "non_congestion", .header = "OTHER", .width = 7, .min_width = 5, .right = true, .priority = 40       \
  }
#define COUNTS_LINE                                                                                    \
  "SEGMENTS={segments} BYTES={bytes} TIMEOUT={timeout} FAST={fast} TAIL_LOSS_PROBE={tail_loss_probe} " \
  "SYN={syn} SYNACK={synack} NON_CONGESTION={non_congestion}"

constexpr Column kByConnection[] = {
    COUNTS,
    {.field = "pid", .header = "PID", .width = 7, .min_width = 5, .right = true, .priority = 70},
    {.field = "comm", .header = "COMM", .width = 15, .min_width = 6, .priority = 60},
    {.field = "laddr", .header = "LADDR", .width = 39, .min_width = 15, .priority = 30},
    {.field = "lport", .header = "LPORT", .width = 5, .min_width = 5, .right = true, .priority = 65},
    {.field = "raddr", .header = "RADDR", .width = 39, .min_width = 15},
    {.field = "rport", .header = "RPORT", .width = 5, .min_width = 5, .right = true},
    container_column(20),
};
constexpr Column kByProcess[] = {
    COUNTS,
    {.field = "pid", .header = "PID", .width = 7, .min_width = 5, .right = true},
    {.field = "comm", .header = "COMM", .width = 15, .min_width = 6},
    {.field = "uid", .header = "UID", .width = 5, .min_width = 5, .right = true, .priority = 20},
    container_column(30),
};
constexpr Column kByContainer[] = {
    COUNTS,
    container_column(255, 64),
    pod_column(20),
};
constexpr View kViews[] = {
    {.name = "process",
     .line = "{time} Retransmits: " COUNTS_LINE " GROUP={group} PID={pid} COMM={comm} UID={uid} CONTAINER={container}",
     .columns = kByProcess},
    {.name = "container",
     .line = "{time} Retransmits: " COUNTS_LINE " GROUP={group} CONTAINER={container} POD={pod_uid}",
     .columns = kByContainer},
};

#undef COUNTS

}  // namespace

extern const Collector collector_retransmit_totals;
const Collector collector_retransmit_totals = {
    .event = {.name = "retransmit_totals",
              .kind = RETRANSMIT_TOTALS_KIND,
              .size = sizeof(retransmit_totals_event),
              .sections = kSocketSections,
              .common = kSocketFieldsIfAny,
              .own = kFields,
              .columns = kByConnection,
              .line = "{time} Retransmits: " COUNTS_LINE
                      " GROUP={group} SRC={laddr}:{lport} DST={raddr}:{rport} PID={pid} COMM={comm}",
              .views = kViews},
    .summary = "what TCP sends again, counted by connection, process or container",
    .has_stream = false,
    .has_rows = true,
    .totals_of = "retransmits",
};

}  // namespace sockeye
