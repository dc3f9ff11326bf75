// SPDX-License-Identifier: Apache-2.0
#include "collectors/who/who.event.h"
#include "event/collector.h"
#include "event/section_fields.h"

namespace sockeye {
namespace {

using When = Presence::When;

constexpr Presence kIfNonZero = {.when = When::kNonZero};

#define MEMBER(member) SOCKEYE_MEMBER(holder, member)

const Field kHolderFields[] = {
    {.name = "pid", .type = FieldType::kUnsigned, MEMBER(pid), .meaning = "process, in the initial pid namespace"},
    {.name = "comm",
     .type = FieldType::kText,
     MEMBER(comm),
     .meaning = "its name (thread group leader)",
     .presence = kIfNonZero},
    {.name = "fd", .type = FieldType::kUnsigned, MEMBER(fd), .meaning = "number of the descriptor in it"},
    {.name = "uid", .type = FieldType::kUnsigned, MEMBER(uid), .meaning = "its real user id"},
};

#undef MEMBER
#define MEMBER(member) SOCKEYE_MEMBER(who_event, member)

const Field kFields[] = {
    {.name = "state",
     .type = FieldType::kEnum,
     MEMBER(state),
     .meaning = "state it is in; SYN_RECV also of a half-open request",
     .values = kTcpStates},
    {.name = "recv_q",
     .type = FieldType::kUnsigned,
     MEMBER(recv_q),
     .unit = "bytes",
     .meaning = "received and not read yet; on a listener: connections that wait for accept()"},
    {.name = "send_q",
     .type = FieldType::kUnsigned,
     MEMBER(send_q),
     .unit = "bytes",
     .meaning = "written and not acknowledged yet; on a listener: how many connections may wait"},
    {.name = "socket_uid",
     .type = FieldType::kUnsigned,
     MEMBER(socket_uid),
     .meaning = "user that the socket belongs to; null: no full socket",
     .presence = {.when = When::kFlagSet, .other = offsetof(who_event, flags), .mask = WHO_FULL}},
    {.name = "inode",
     .type = FieldType::kUnsigned,
     MEMBER(inode),
     .meaning = "inode number, as in /proc/PID/fd; null: no process can have it open",
     .presence = {.when = When::kNonZero, .is_none = true}},
    {.name = "holders",
     .type = FieldType::kList,
     MEMBER(holders),
     .meaning = "all descriptors by which processes have the socket open, by pid and number",
     .elements = kHolderFields,
     .element_line = "{comm}[{pid}]"},
    {.name = "holders_left_out",
     .type = FieldType::kUnsigned,
     MEMBER(holders.left_out),
     .meaning = "how many more there are, for which an event has no room",
     .presence = {.when = When::kNonZero, .omit_key = true}},
};

#undef MEMBER

constexpr Column kColumns[] = {
    {.field = "state", .header = "STATE", .width = 11, .min_width = 11},
    {.field = "recv_q", .header = "RECVQ", .width = 10, .min_width = 5, .right = true, .priority = 40},
    {.field = "send_q", .header = "SENDQ", .width = 10, .min_width = 5, .right = true, .priority = 40},
    {.field = "laddr", .header = "LADDR", .width = 39, .min_width = 15},
    {.field = "lport", .header = "LPORT", .width = 5, .min_width = 5, .right = true},
    {.field = "raddr", .header = "RADDR", .width = 39, .min_width = 15},
    {.field = "rport", .header = "RPORT", .width = 5, .min_width = 5, .right = true, .priority = 90},
    {.field = "pid", .header = "PID", .width = 7, .min_width = 5, .right = true},
    {.field = "comm", .header = "COMM", .width = 15, .min_width = 6},
    {.field = "uid", .header = "UID", .width = 5, .min_width = 5, .right = true, .priority = 20},
    {.field = "netns", .header = "NETNS", .width = 10, .min_width = 10, .right = true, .priority = 15},
    container_column(30),
    pod_column(4),
    {.field = "inode", .header = "INODE", .width = 10, .min_width = 8, .right = true, .priority = 3},
    {.field = "holders", .header = "HOLDERS", .width = 60, .min_width = 12, .priority = 2, .cut_end = true},
};

}  // namespace

extern const Collector collector_who;
const Collector collector_who = {
    .event = {.name = "who",
              .kind = WHO_KIND,
              .size = sizeof(who_event),
              .sections = kSocketSections,
              .common = kSocketFields,
              .own = kFields,
              .columns = kColumns,
              .line =
                  "{time} Socket: STATE={state} RECVQ={recv_q} SENDQ={send_q} SRC={laddr}:{lport} DST={raddr}:{rport} "
                  "PID={pid} COMM={comm} UID={uid} NETNS={netns} INODE={inode} COOKIE={cookie} "
                  "CONTAINER={container} HOLDERS={holders}"},
    .summary = "every TCP socket there is now, in all network namespaces, with its owner and queues",
    .needs_owner = false,  // of its own: the holders that it finds; an event has the role
    .has_stream = false,
    .snapshot = true,
};

}  // namespace sockeye
