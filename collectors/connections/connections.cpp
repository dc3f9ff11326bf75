// SPDX-License-Identifier: Apache-2.0
#include "collectors/connections/connections.event.h"
#include "event/collector.h"
#include "event/errno_names.h"
#include "event/section_fields.h"

namespace sockeye {
namespace {

using When = Presence::When;

constexpr EnumValue kTypes[] = {
    {CONNECTIONS_CONNECT, "connect", "an attempt to open a connection, at its end", Colour::kGreen},
    {CONNECTIONS_ACCEPT, "accept", "a process took a connection that came in", Colour::kBlue},
};

constexpr EnumValue kOutcomes[] = {
    {CONNECTIONS_ESTABLISHED, "established", "it is open", Colour::kNone},
    {CONNECTIONS_REFUSED, "refused", "refused by the peer, or what stands before it", Colour::kRed},
    {CONNECTIONS_TIMED_OUT, "timed_out", "no answer to the SYN and its repetitions", Colour::kRed},
    {CONNECTIONS_HOST_UNREACHABLE, "host_unreachable", "no way to the host, or a rule on the way forbids it",
     Colour::kRed},
    {CONNECTIONS_NET_UNREACHABLE, "net_unreachable", "no way to the network", Colour::kRed},
    {CONNECTIONS_DENIED, "denied", "a rule of this host forbids it", Colour::kRed},
    {CONNECTIONS_NO_LOCAL_PORT, "no_local_port", "no local port was left for this destination", Colour::kRed},
    {CONNECTIONS_CANCELLED, "cancelled", "given up by the program before there was an answer", Colour::kYellow},
    {CONNECTIONS_ABORTED, "aborted", "ended from outside before there was an answer", Colour::kYellow},
    {CONNECTIONS_FAILED, "failed", "another error", Colour::kRed},
    {CONNECTIONS_REPAIRED, "repaired", "made without a handshake (TCP_REPAIR)", Colour::kYellow},
};

constexpr uint16_t kScope = offsetof(connections_event, base.socket.scope_id);

#define MEMBER(member) SOCKEYE_MEMBER(connections_event, member)

const Field kFields[] = {
    {.name = "event_type", .type = FieldType::kEnum, MEMBER(event_type), .meaning = "what happened", .values = kTypes},
    {.name = "saddr",
     .type = FieldType::kAddress,
     MEMBER(saddr),
     .meaning = "address of who opened the connection",
     .scope = kScope},
    {.name = "sport",
     .type = FieldType::kUnsigned,
     MEMBER(sport),
     .meaning = "port of who opened the connection; null: it had none yet",
     .presence = {.when = When::kNonZero}},
    {.name = "daddr",
     .type = FieldType::kAddress,
     MEMBER(daddr),
     .meaning = "address of who accepted it, or was asked to: of a connect what the process asked for",
     .scope = kScope},
    {.name = "dport", .type = FieldType::kUnsigned, MEMBER(dport), .meaning = "port of who accepted it"},
    {.name = "nat_daddr",
     .type = FieldType::kAddress,
     MEMBER(nat_daddr),
     .meaning = "where daddr was translated to, by a program of the process's cgroup or a rule (DNAT)",
     .presence = {.when = When::kNonZero, .omit_key = true}},
    {.name = "nat_dport",
     .type = FieldType::kUnsigned,
     MEMBER(nat_dport),
     .meaning = "port of nat_daddr",
     .presence = {.when = When::kNonZero, .omit_key = true}},
    {.name = "outcome",
     .type = FieldType::kEnum,
     MEMBER(outcome),
     .meaning = "how a connect ended",
     .values = kOutcomes},
    {.name = "error",
     .type = FieldType::kEnum,
     MEMBER(error),
     .meaning = "the kernel's error, where a connect failed with one",
     .presence = {.when = When::kNonZero, .omit_key = true},
     .values = kErrnoNames},
    {.name = "duration_us",
     .type = FieldType::kMicros,
     MEMBER(duration_ns),
     .unit = "us",
     .meaning = "connect: from connect() to the end of the attempt (TCP_FASTOPEN_CONNECT: from the SYN to its answer); "
                "accept: from the end of the handshake until a process had it; null: not seen from the beginning",
     .presence = {.when = When::kFlagSet,
                  .other = offsetof(connections_event, flags),
                  .mask = CONNECTIONS_DURATION_KNOWN}},
    {.name = "syn_retransmits",
     .type = FieldType::kUnsigned,
     MEMBER(retransmits),
     .meaning = "SYNs that a connect sent again",
     .presence = {.when = When::kNonZero, .omit_key = true}},
};

#undef MEMBER

constexpr Column kColumns[] = {
    {.field = "time", .header = "TIME", .width = 12, .min_width = 12, .priority = 50},
    {.field = "pid", .header = "PID", .width = 7, .min_width = 5, .right = true, .priority = 85},
    {.field = "comm", .header = "COMM", .width = 15, .min_width = 9},
    {.field = "event_type", .header = "TYPE", .width = 7, .min_width = 7, .priority = 60},
    {.field = "saddr", .header = "SRC", .width = 47, .min_width = 21, .port = "sport"},
    {.field = "daddr", .header = "DST", .width = 47, .min_width = 21, .port = "dport"},
    {.field = "nat_daddr", .header = "NAT", .width = 47, .min_width = 21, .priority = 10, .port = "nat_dport"},
    {.field = "outcome", .header = "OUTCOME", .width = 16, .min_width = 11},
    {.field = "duration_us", .header = "MS", .width = 10, .min_width = 8, .right = true, .priority = 40},
    {.field = "uid", .header = "UID", .width = 5, .min_width = 5, .right = true, .priority = 20},
    container_column(30),
};

}  // namespace

extern const Collector collector_connections;
const Collector collector_connections = {
    .event = {.name = "connections",
              .kind = CONNECTIONS_KIND,
              .size = sizeof(connections_event),
              .sections = kSocketSections,
              .common = kSocketFields,
              .own = kFields,
              .columns = kColumns,
              .line = "{time} Connection: TYPE={event_type} SRC={saddr}:{sport} DST={daddr}:{dport} "
                      "NAT={nat_daddr}:{nat_dport} PID={pid} "
                      "COMM={comm} UID={uid} OUTCOME={outcome} ERROR={error} CONTAINER={container}",
              .src_opened = true},
    .summary = "connections that are opened and accepted, and those that could not be opened, with the reason",
    .enters = state_set(TCP_SYN_SENT, TCP_SYN_RECV, TCP_ESTABLISHED, TCP_FIN_WAIT1, TCP_LAST_ACK, TCP_CLOSE),
};

}  // namespace sockeye
