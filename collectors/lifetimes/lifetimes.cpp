// SPDX-License-Identifier: Apache-2.0
#include "collectors/lifetimes/lifetimes.event.h"
#include "event/collector.h"
#include "event/errno_names.h"
#include "event/section_fields.h"

namespace sockeye {
namespace {

using When = Presence::When;

constexpr EnumValue kEnds[] = {
    {LIFE_CLOSED, "closed", "Closed (closed)", Colour::kGreen},
    {LIFE_RESET_SENT, "reset_sent", "Reset Sent (reset_sent)", Colour::kMagenta},
    {LIFE_RESET_RECEIVED, "reset_received", "Reset Received (reset_received)", Colour::kRed},
    {LIFE_REFUSED, "refused", "Refused (refused)", Colour::kRed},
    {LIFE_UNREACHABLE, "unreachable", "Unreachable (unreachable)", Colour::kRed},
    {LIFE_CANCELLED, "cancelled", "Cancelled (cancelled)", Colour::kYellow},
    {LIFE_FAILED, "failed", "Failed Before SYN (failed)", Colour::kRed},
    {LIFE_SYN_TIMED_OUT, "syn_timed_out", "Handshake Timed Out (syn_timed_out)", Colour::kRed},
    {LIFE_TIMED_OUT, "timed_out", "Timed Out (timed_out)", Colour::kRed},
    {LIFE_WINDOW_TIMED_OUT, "window_timed_out", "Window Probes Timed Out (window_timed_out)", Colour::kRed},
    {LIFE_KEEPALIVE_TIMED_OUT, "keepalive_timed_out", "Keepalive Timed Out (keepalive_timed_out)", Colour::kRed},
    {LIFE_DESTROYED, "destroyed", "Destroyed (destroyed)", Colour::kMagenta},
    {LIFE_OUT_OF_RESOURCES, "out_of_resources", "Given Up (out_of_resources)", Colour::kRed},
    {LIFE_CHECKPOINTED, "checkpointed", "Checkpointed (checkpointed)", Colour::kYellow},
};

constexpr EnumValue kClosers[] = {
    {CLOSED_BY_LOCAL, "local", "this end"},
    {CLOSED_BY_REMOTE, "remote", "the other end"},
    {CLOSED_BY_BOTH, "both", "both ends at once"},
    {CLOSED_BY_NETWORK, "network", "an ICMP error"},
    {CLOSED_BY_NOBODY, "nobody", "nobody: there was no answer"},
};

constexpr EnumValue kLocalCloses[] = {
    {LOCAL_CLOSE_CALL, "close", "called close() or the like"},
    {LOCAL_CLOSE_HALF, "shutdown", "called shutdown(SHUT_WR)"},
    {LOCAL_CLOSE_EXIT, "exit", "ended with the socket open"},
    {LOCAL_CLOSE_KILL, "killed", "was ended by a signal with the socket open"},
};

constexpr EnumValue kHandshakesUnknown[] = {
    {HANDSHAKE_BEFORE_START, "before_start", "it was over before sockeye could see it"},
    {HANDSHAKE_RETRANSMITTED, "retransmitted", "SYN or SYN-ACK were retransmitted, and only the last one left a trace"},
    {HANDSHAKE_WITH_DATA, "with_data", "its last packet brought data, for which it may have waited"},
    {HANDSHAKE_NO_SAMPLE, "no_sample", "the kernel has not measured it (SYN cookies)"},
    {HANDSHAKE_REPAIRED, "repaired", "there was none: the connection was made in repair mode (TCP_REPAIR)"},
};

constexpr Presence kElseGone = {.when = When::kNonZero, .omit_key = true};

constexpr Presence if_set(uint8_t mask) {
  return {.when = When::kFlagSet, .other = offsetof(lifetimes_event, flags), .mask = mask};
}

constexpr Presence kIfSampled = {
    .when = When::kFlagSet, .other = offsetof(lifetimes_event, flags), .mask = LIFE_RTT_KNOWN, .is_none = true};
constexpr Presence kIfLimitsKnown = {
    .when = When::kFlagClear, .other = offsetof(lifetimes_event, not_known), .mask = LIFE_LIMITS_NOT_KNOWN};

#define MEMBER(member) SOCKEYE_MEMBER(lifetimes_event, member)

const Field kFields[] = {
    {.name = "end", .type = FieldType::kEnum, MEMBER(end), .meaning = "what ended it", .values = kEnds},
    {.name = "closed_by",
     .type = FieldType::kEnum,
     MEMBER(closed_by),
     .meaning = "who was the first to end it",
     .values = kClosers},
    {.name = "local_close",
     .type = FieldType::kEnum,
     MEMBER(local_close),
     .meaning = "what the process at this end did",
     .presence = kElseGone,
     .values = kLocalCloses},
    {.name = "exit_signal",
     .type = FieldType::kUnsigned,
     MEMBER(exit_signal),
     .meaning = "number of the signal that ended the process",
     .presence = kElseGone},
    {.name = "error",
     .type = FieldType::kEnum,
     MEMBER(error),
     .meaning = "error that the socket had at its end; null: it had none",
     .presence = {.when = When::kNonZero, .is_none = true},
     .values = kErrnoNames},
    {.name = "soft_error",
     .type = FieldType::kEnum,
     MEMBER(soft_error),
     .meaning = "last error that the network reported and that did not end it at once",
     .presence = kElseGone,
     .values = kErrnoNames},
    {.name = "last_state",
     .type = FieldType::kEnum,
     MEMBER(last_state),
     .meaning = "state it went to CLOSE or TIME_WAIT from",
     .values = kTcpStates},
    {.name = "fin_received",
     .type = FieldType::kFlag,
     MEMBER(flags),
     .meaning = "true: the peer's FIN was seen",
     .mask = LIFE_FIN_RECEIVED},
    {.name = "duration_us",
     .type = FieldType::kMicros,
     MEMBER(duration_ns),
     .unit = "us",
     .meaning =
         "from connect(), or on a server from the end of the handshake (with fast open its begin); null: not known",
     .presence = if_set(LIFE_DURATION_KNOWN)},
    {.name = "since_start",
     .type = FieldType::kFlag,
     MEMBER(flags),
     .meaning = "true: it is older than this run of sockeye, which duration_us counts from",
     .mask = LIFE_SINCE_START},
    {.name = "handshake_us",
     .type = FieldType::kMicros,
     MEMBER(handshake_ns),
     .unit = "us",
     .meaning =
         "client: from the first SYN to the SYN-ACK; server: from the SYN-ACK to its acknowledgement; null: there "
         "was none, or handshake_unknown",
     .presence = if_set(LIFE_HANDSHAKE_KNOWN)},
    {.name = "handshake_unknown",
     .type = FieldType::kEnum,
     MEMBER(handshake_unknown),
     .meaning = "why handshake_us is not known",
     .presence = kElseGone,
     .values = kHandshakesUnknown},
    {.name = "closing_us",
     .type = FieldType::kMicros,
     MEMBER(closing_ns),
     .unit = "us",
     .meaning = "of duration_us, the time since the first FIN, of either end; null: there was none, or it was not seen",
     .presence = if_set(LIFE_CLOSING_KNOWN)},
    {.name = "bytes_written",
     .type = FieldType::kUnsigned,
     MEMBER(bytes_written),
     .unit = "bytes",
     .meaning = "payload that the process handed over; null: not known",
     .presence = if_set(LIFE_BYTES_KNOWN)},
    {.name = "bytes_acked",
     .type = FieldType::kUnsigned,
     MEMBER(bytes_acked),
     .unit = "bytes",
     .meaning = "of bytes_written, what the peer has acknowledged; null: not known",
     .presence = if_set(LIFE_BYTES_KNOWN)},
    {.name = "bytes_received",
     .type = FieldType::kUnsigned,
     MEMBER(bytes_received),
     .unit = "bytes",
     .meaning = "payload received in order"},
    {.name = "bytes_unread",
     .type = FieldType::kUnsigned,
     MEMBER(bytes_unread),
     .unit = "bytes",
     .meaning = "of bytes_received, what the process has not read"},
    {.name = "segs_out",
     .type = FieldType::kUnsigned,
     MEMBER(segs_out),
     .unit = "segments",
     .meaning = "segments sent, those sent again included; not the SYN-ACK, nor the RST that ends it; from 0 again "
                "after 4,294,967,295"},
    {.name = "segs_in",
     .type = FieldType::kUnsigned,
     MEMBER(segs_in),
     .unit = "segments",
     .meaning = "segments received; from 0 again after 4,294,967,295"},
    {.name = "retransmits",
     .type = FieldType::kUnsigned,
     MEMBER(retransmits),
     .unit = "segments",
     .meaning = "segments sent again, SYN and SYN-ACK included; from 0 again after 4,294,967,295"},
    {.name = "syn_retransmits",
     .type = FieldType::kUnsigned,
     MEMBER(syn_retransmits),
     .unit = "segments",
     .meaning = "of retransmits, the SYNs or SYN-ACKs, 255 at most; null: not seen",
     .presence = if_set(LIFE_SYN_KNOWN)},
    {.name = "srtt_us",
     .type = FieldType::kUnsigned,
     MEMBER(srtt_us),
     .unit = "us",
     .meaning = "last smoothed round-trip time (RFC 6298), as ss shows it; null: no sample",
     .presence = kIfSampled},
    {.name = "min_rtt_us",
     .type = FieldType::kUnsigned,
     MEMBER(min_rtt_us),
     .unit = "us",
     .meaning = "least round-trip time of the last minutes, as ss shows it; null: no sample",
     .presence = {.when = When::kNonZero, .is_none = true}},
    {.name = "rttvar_us",
     .type = FieldType::kUnsigned,
     MEMBER(rttvar_us),
     .unit = "us",
     .meaning = "mean deviation of the round-trip time, as ss shows it; null: no sample",
     .presence = kIfSampled},
    {.name = "busy_us",
     .type = FieldType::kMicros,
     MEMBER(busy_ns),
     .unit = "us",
     .meaning =
         "time with something to send or to be acknowledged, in steps of a jiffy; null: not known, as it began in an "
         "earlier connection of the socket",
     .presence = kIfLimitsKnown},
    {.name = "rwnd_limited_us",
     .type = FieldType::kMicros,
     MEMBER(rwnd_limited_ns),
     .unit = "us",
     .meaning = "of busy_us, the time stalled by the peer's receive window, a closed one included; null: as busy_us",
     .presence = kIfLimitsKnown},
    {.name = "sndbuf_limited_us",
     .type = FieldType::kMicros,
     MEMBER(sndbuf_limited_ns),
     .unit = "us",
     .meaning = "of busy_us, the time stalled by the own send buffer; null: as busy_us",
     .presence = kIfLimitsKnown},
};

#undef MEMBER

// Those of tcplife first. Where it is narrow the own address goes before the end does.
constexpr Column kColumns[] = {
    {.field = "time", .header = "TIME", .width = 12, .min_width = 12, .priority = 12},
    {.field = "pid", .header = "PID", .width = 7, .min_width = 5, .right = true, .priority = 70},
    {.field = "comm", .header = "COMM", .width = 15, .min_width = 6},
    {.field = "laddr", .header = "LADDR", .width = 39, .min_width = 15, .priority = 30},
    {.field = "lport", .header = "LPORT", .width = 5, .min_width = 5, .right = true, .priority = 60},
    {.field = "raddr", .header = "RADDR", .width = 39, .min_width = 15},
    {.field = "rport", .header = "RPORT", .width = 5, .min_width = 5, .right = true, .priority = 90},
    {.field = "bytes_acked", .header = "TX_B", .width = 10, .min_width = 5, .right = true, .priority = 80},
    {.field = "bytes_received", .header = "RX_B", .width = 10, .min_width = 5, .right = true, .priority = 80},
    {.field = "duration_us", .header = "MS", .width = 10, .min_width = 7, .right = true},
    {.field = "end", .header = "END", .width = 19, .min_width = 14, .priority = 50},
    {.field = "closed_by", .header = "BY", .width = 7, .min_width = 6, .priority = 25},
    {.field = "retransmits", .header = "RETR", .width = 5, .min_width = 4, .right = true, .priority = 9},
    {.field = "srtt_us", .header = "RTT_US", .width = 8, .min_width = 6, .right = true, .priority = 8},
    container_column(5),
};

}  // namespace

extern const Collector collector_lifetimes;
const Collector collector_lifetimes = {
    .event = {.name = "lifetimes",
              .kind = LIFETIMES_KIND,
              .size = sizeof(lifetimes_event),
              .sections = kSocketSections,
              .common = kSocketFields,
              .own = kFields,
              .columns = kColumns,
              .line = "{time} Connection Ended: SRC={laddr}:{lport} DST={raddr}:{rport} PID={pid} COMM={comm} "
                      "ROLE={role} DURATION_US={duration_us} WRITTEN={bytes_written} ACKED={bytes_acked} "
                      "RECEIVED={bytes_received} RETRANSMITS={retransmits} SRTT_US={srtt_us} ERROR={error} "
                      "BY={closed_by} END={end:words}"},
    .summary = "every TCP connection that ends: how long it lived, what it carried, how it ended and who ended it",
    .enters = state_set(TCP_SYN_SENT, TCP_SYN_RECV, TCP_ESTABLISHED, TCP_FIN_WAIT1, TCP_FIN_WAIT2, TCP_CLOSE_WAIT,
                        TCP_LAST_ACK, TCP_CLOSE),
};

}  // namespace sockeye
