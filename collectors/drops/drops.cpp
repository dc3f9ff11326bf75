// SPDX-License-Identifier: Apache-2.0
#include "collectors/drops/drops.event.h"
#include "event/collector.h"
#include "event/section_fields.h"

namespace sockeye {
namespace {

using When = Presence::When;

constexpr EnumValue kTypes[] = {
    {DROPS_DROP, "drop", "dropped", Colour::kRed},
    {DROPS_RESET_SENT, "reset_sent", "reset sent", Colour::kMagenta},
    {DROPS_RESET_RECEIVED, "reset_received", "reset received", Colour::kYellow},
    {DROPS_ACCEPT_OVERFLOW, "accept_overflow", "accept queue full", Colour::kRed},
};
constexpr EnumValue kProtocols[] = {{6, "tcp", "TCP"}, {17, "udp", "UDP"}};
constexpr EnumValue kDirections[] = {
    {DROPS_IN, "in", "received by this machine"},
    {DROPS_OUT, "out", "sent by this machine"},
};
// RFC 9293, section 3.1; those that connections have. CWR and ECE (RFC 3168) come with a SYN that asks for ECN.
constexpr EnumValue kFlags[] = {
    {0x02, "SYN", "SYN"},
    {0xc2, "SYN,ECE,CWR", "SYN,ECE,CWR"},
    {0x12, "SYN,ACK", "SYN,ACK"},
    {0x52, "SYN,ACK,ECE", "SYN,ACK,ECE"},
    {0x10, "ACK", "ACK"},
    {0x18, "PSH,ACK", "PSH,ACK"},
    {0x11, "FIN,ACK", "FIN,ACK"},
    {0x19, "FIN,PSH,ACK", "FIN,PSH,ACK"},
    {0x01, "FIN", "FIN"},
    {0x04, "RST", "RST"},
    {0x14, "RST,ACK", "RST,ACK"},
    {0x30, "ACK,URG", "ACK,URG"},
    {0x38, "PSH,ACK,URG", "PSH,ACK,URG"},
    {0x50, "ACK,ECE", "ACK,ECE"},
    {0x90, "ACK,CWR", "ACK,CWR"},
    {0x98, "PSH,ACK,CWR", "PSH,ACK,CWR"},
};

#define MEMBER(member) SOCKEYE_MEMBER(drops_event, member)

constexpr Presence kIfNonZero = {.when = When::kNonZero};

constexpr Presence kIfAny = {.when = When::kNonZero, .is_none = true};

constexpr Presence if_flag(uint8_t flag) {
  return {.when = When::kFlagSet, .other = offsetof(drops_event, flags), .mask = flag};
}

constexpr Presence if_of(uint8_t flag) {
  Presence presence = if_flag(flag);
  presence.is_none = true;
  return presence;
}

const Field kFields[] = {
    {.name = "type", .type = FieldType::kEnum, MEMBER(type), .meaning = "what happened", .values = kTypes},
    {.name = "reason",
     .type = FieldType::kText,
     MEMBER(reason),
     .meaning = "why, as the kernel calls it (enum skb_drop_reason without SKB_DROP_REASON_, of resets enum "
                "sk_rst_reason without SK_RST_REASON_); the subsystem where the reason is one of its own",
     .presence = {.when = When::kNonZero, .other = offsetof(drops_event, flags), .none_mask = DROPS_TYPE_SAYS_WHY}},
    {.name = "reason_number",
     .type = FieldType::kUnsigned,
     MEMBER(reason_number),
     .meaning = "the same as this kernel numbers it; other kernels have other numbers",
     .presence = if_flag(DROPS_HAS_REASON)},
    {.name = "function",
     .type = FieldType::kText,
     MEMBER(function),
     .meaning = "function of the kernel that dropped it",
     .presence = kIfAny},
    {.name = "protocol", .type = FieldType::kEnum, MEMBER(protocol), .meaning = "of the packet", .values = kProtocols},
    {.name = "direction",
     .type = FieldType::kEnum,
     MEMBER(direction),
     .meaning = "which way the packet went; one that is forwarded comes in, its destination is the local end",
     .values = kDirections},
    {.name = "tcp_flags",
     .type = FieldType::kEnum,
     MEMBER(tcp_flags),
     .meaning = "flags of the packet's TCP header",
     .presence = if_of(DROPS_HAS_TCP_HEADER),
     .values = kFlags},
    {.name = "sequence",
     .type = FieldType::kUnsigned,
     MEMBER(sequence),
     .meaning = "sequence number of the packet's TCP header",
     .presence = if_of(DROPS_HAS_TCP_HEADER)},
    {.name = "length",
     .type = FieldType::kUnsigned,
     MEMBER(length),
     .unit = "bytes",
     .meaning = "of the packet, with the headers that the place where it was dropped still counts",
     .presence = kIfNonZero},
    {.name = "packets",
     .type = FieldType::kUnsigned,
     MEMBER(packets),
     .meaning = "how many packets it stands for: more than one where only their number is known"},
    {.name = "state",
     .type = FieldType::kEnum,
     MEMBER(state),
     .meaning = "state of the TCP socket it was for",
     .presence = kIfNonZero,
     .values = kTcpStates},
    {.name = "backlog",
     .type = FieldType::kUnsigned,
     MEMBER(backlog),
     .meaning = "connections in the listener's accept queue",
     .presence = if_of(DROPS_OF_LISTENER)},
    {.name = "backlog_limit",
     .type = FieldType::kUnsigned,
     MEMBER(backlog_limit),
     .meaning = "backlog of the listener, as listen() and net.core.somaxconn allow: the queue holds one more",
     .presence = if_of(DROPS_OF_LISTENER)},
    {.name = "last_accept",
     .type = FieldType::kTime,
     MEMBER(last_accept_ns),
     .unit = "RFC 3339",
     .meaning = "when a process last accepted from the listener, wall clock; null: not seen since the start",
     .presence = kIfNonZero},
};

#undef MEMBER

constexpr Column kColumns[] = {
    {.field = "time", .header = "TIME", .width = 12, .min_width = 12, .priority = 50},
    {.field = "pid", .header = "PID", .width = 7, .min_width = 5, .right = true, .priority = 60},
    {.field = "comm", .header = "COMM", .width = 15, .min_width = 8, .priority = 70},
    {.field = "type", .header = "TYPE", .width = 15, .min_width = 15},
    {.field = "reason", .header = "REASON", .width = 24, .min_width = 14},
    {.field = "protocol", .header = "PROT", .width = 4, .min_width = 4, .priority = 25},
    {.field = "laddr", .header = "LADDR", .width = 39, .min_width = 15, .priority = 30},
    {.field = "lport", .header = "LPORT", .width = 5, .min_width = 5, .right = true, .priority = 80},
    {.field = "raddr", .header = "RADDR", .width = 39, .min_width = 15},
    {.field = "rport", .header = "RPORT", .width = 5, .min_width = 5, .right = true, .priority = 40},
    {.field = "direction", .header = "DIR", .width = 3, .min_width = 3, .priority = 20},
    {.field = "tcp_flags", .header = "FLAGS", .width = 11, .min_width = 7, .priority = 10},
    {.field = "function", .header = "FUNCTION", .width = 31, .min_width = 16, .priority = 8},
    container_column(5),
};

}  // namespace

extern const Collector collector_drops;
const Collector collector_drops = {
    .event = {.name = "drops",
              .kind = DROPS_KIND,
              .size = sizeof(drops_event),
              .sections = kSocketSections,
              .common = kSocketFields,
              .own = kFields,
              .columns = kColumns,
              .line = "{time} Packet {type:words}: SRC={laddr}:{lport} DST={raddr}:{rport} PID={pid} COMM={comm} "
                      "PROTOCOL={protocol} DIRECTION={direction} FLAGS={tcp_flags} REASON={reason} "
                      "FUNCTION={function} BACKLOG={backlog}/{backlog_limit} PACKETS={packets}"},
    .summary = "every packet of TCP and UDP that the kernel drops and why, resets, and full accept queues",
    .enters = state_set(TCP_LISTEN, TCP_CLOSE),
};

}  // namespace sockeye
