// SPDX-License-Identifier: Apache-2.0
#include "collectors/execs/execs.event.h"
#include "event/collector.h"
#include "event/section_fields.h"

namespace sockeye {
namespace {

#define MEMBER(member) SOCKEYE_MEMBER(execs_event, member)

const Field kFields[] = {
    {.name = "pid",
     .type = FieldType::kUnsigned,
     MEMBER(base.owner.pid),
     .meaning = "process, in the initial pid namespace"},
    {.name = "path",
     .type = FieldType::kText,
     MEMBER(path),
     .meaning = "file that it runs, as it was asked for: a script, not its interpreter; cut after 127 bytes",
     .presence = {.when = Presence::When::kNonZero}},
};

#undef MEMBER

constexpr Column kColumns[] = {
    {.field = "time", .header = "TIME", .width = 12, .min_width = 12, .priority = 50},
    {.field = "pid", .header = "PID", .width = 7, .min_width = 5, .right = true},
    {.field = "ppid", .header = "PPID", .width = 7, .min_width = 5, .right = true, .priority = 60},
    {.field = "uid", .header = "UID", .width = 5, .min_width = 5, .right = true, .priority = 40},
    {.field = "comm", .header = "COMM", .width = 15, .min_width = 9, .priority = 70},
    {.field = "path", .header = "PATH", .width = 64, .min_width = 20},
    container_column(30),
    pod_column(10),
};

}  // namespace

extern const Collector collector_execs;
const Collector collector_execs = {
    .event = {.name = "execs",
              .kind = EXECS_KIND,
              .size = sizeof(execs_event),
              .sections = kOwnerSections,
              .common = kOwnerFields,
              .own = kFields,
              .columns = kColumns,
              .line = "{time} Exec: PID={pid} PPID={ppid} UID={uid} COMM={comm} PATH={path}"},
    .summary = "programs that processes start to run",
    .needs_owner = false,
    .needs_entry = false,
};

}  // namespace sockeye
