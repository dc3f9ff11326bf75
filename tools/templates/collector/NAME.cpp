// SPDX-License-Identifier: Apache-2.0
#include "collectors/@NAME@/@NAME@.event.h"
#include "event/collector.h"
#include "event/section_fields.h"

namespace sockeye {
namespace {

constexpr Field kFields[] = {
    {.name = "nth",
     .type = FieldType::kUnsigned,
     SOCKEYE_MEMBER(@NAME@_event, nth),
     .meaning = "which state change of this socket it is, since sockeye first saw it; null: not counted",
     .presence = {.when = Presence::When::kNonZero}},
};

constexpr Column kColumns[] = {
    {.field = "time", .header = "TIME", .width = 12, .min_width = 12, .priority = 50},
    {.field = "pid", .header = "PID", .width = 7, .min_width = 5, .right = true, .priority = 70},
    {.field = "comm", .header = "COMM", .width = 15, .min_width = 9},
    {.field = "laddr", .header = "LADDR", .width = 39, .min_width = 15, .priority = 30},
    {.field = "lport", .header = "LPORT", .width = 5, .min_width = 5, .right = true, .priority = 60},
    {.field = "raddr", .header = "RADDR", .width = 39, .min_width = 15},
    {.field = "rport", .header = "RPORT", .width = 5, .min_width = 5, .right = true, .priority = 90},
    {.field = "nth", .header = "NTH", .width = 5, .min_width = 3, .right = true},
};

}  // namespace

extern const Collector collector_@NAME@;
const Collector collector_@NAME@ = {
    .event = {.name = "@NAME@",
              .kind = @UPPER@_KIND,
              .size = sizeof(@NAME@_event),
              .common = kSocketFields,
              .own = kFields,
              .columns = kColumns,
              .line = "{time} @NAME@: SRC={laddr}:{lport} DST={raddr}:{rport} PID={pid} COMM={comm} NTH={nth}"},
    .summary = "which state change of its socket each one is",
};

}  // namespace sockeye
