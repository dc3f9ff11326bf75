// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "collectors/retransmits/retransmits.event.h"
#include "event/collector.h"
#include "event/errno_names.h"
#include "event/section_fields.h"

namespace sockeye {
namespace {

using When = Presence::When;

constexpr EnumValue kTypes[] = {
    {RETRANSMIT_TIMEOUT, "timeout", "no acknowledgement came in time", Colour::kRed},
    {RETRANSMIT_FAST, "fast", "acknowledgements of what came after it say that it was lost", Colour::kYellow},
    {RETRANSMIT_TAIL_LOSS_PROBE, "tail_loss_probe", "the last that was sent, before the timer", Colour::kYellow},
    {RETRANSMIT_SYN, "syn", "nobody has answered the SYN", Colour::kRed},
    {RETRANSMIT_SYNACK, "synack", "the handshake's last packet has not come", Colour::kRed},
    {RETRANSMIT_NON_CONGESTION, "non_congestion", "too big for the path, or data of a SYN that was not taken",
     Colour::kMagenta},
};

// enum tcp_ca_state of <linux/tcp.h>, by the names that nstat and ss use.
constexpr EnumValue kCongestion[] = {
    {0, "open", "nothing is missing"},
    {1, "disorder", "something came out of order, or is missing"},
    {2, "cwr", "the window is being reduced: ECN, or a queue of this host is full"},
    {3, "recovery", "fast retransmission"},
    {4, "loss", "everything in flight was taken for lost"},
};

// The errno of the transmission, and what is none.
const std::vector<EnumValue> kErrors = [] {
  std::vector<EnumValue> errors(kErrnoNames.begin(), kErrnoNames.end());
  errors.push_back({RETRANSMIT_DROPPED, "dropped", "the queue of the device was full"});
  return errors;
}();

#define MEMBER(member) SOCKEYE_MEMBER(retransmits_event, member)

constexpr Presence flagged(uint8_t flag) {
  return {.when = When::kFlagSet, .other = offsetof(retransmits_event, flags), .mask = flag};
}

const Field kFields[] = {
    {.name = "type", .type = FieldType::kEnum, MEMBER(type), .meaning = "why it was sent again", .values = kTypes},
    {.name = "state",
     .type = FieldType::kEnum,
     MEMBER(state),
     .meaning = "state of the socket; SYN_RECV also of a half-open request",
     .values = kTcpStates},
    {.name = "seq",
     .type = FieldType::kUnsigned,
     MEMBER(seq),
     .unit = "bytes",
     .meaning = "place of its first byte in what this end sends: 0 is the SYN, 1 the first byte; null: not known",
     .presence = flagged(RETRANSMIT_PLACED)},
    {.name = "end_seq",
     .type = FieldType::kUnsigned,
     MEMBER(end_seq),
     .unit = "bytes",
     .meaning = "place behind its last byte; SYN and FIN count 1",
     .presence = flagged(RETRANSMIT_PLACED)},
    {.name = "seq_raw",
     .type = FieldType::kUnsigned,
     MEMBER(seq_raw),
     .meaning = "sequence number of its first byte, as in the packet"},
    {.name = "end_seq_raw",
     .type = FieldType::kUnsigned,
     MEMBER(end_seq_raw),
     .meaning = "sequence number behind its last byte"},
    {.name = "bytes", .type = FieldType::kUnsigned, MEMBER(bytes), .unit = "bytes", .meaning = "payload"},
    {.name = "segments",
     .type = FieldType::kUnsigned,
     MEMBER(segments),
     .meaning = "segments, as TcpRetransSegs counts them; 0: it failed before they were counted"},
    {.name = "total_segments",
     .type = FieldType::kUnsigned,
     MEMBER(total_segments),
     .meaning = "segments that this socket has sent again so far, these included"},
    {.name = "congestion",
     .type = FieldType::kEnum,
     MEMBER(congestion),
     .meaning = "state of congestion control; null: a half-open request has none",
     .presence = flagged(RETRANSMIT_FULL),
     .values = kCongestion},
    {.name = "cwnd",
     .type = FieldType::kUnsigned,
     MEMBER(cwnd),
     .unit = "segments",
     .meaning = "congestion window",
     .presence = flagged(RETRANSMIT_FULL)},
    {.name = "srtt_us",
     .type = FieldType::kUnsigned,
     MEMBER(srtt_us),
     .unit = "us",
     .meaning = "last smoothed round-trip time (RFC 6298), as ss shows it; null: not measured yet",
     .presence = {.when = When::kNonZero}},
    {.name = "error",
     .type = FieldType::kEnum,
     MEMBER(error),
     .meaning = "why it did not leave this host; before 6.15 such ones are not seen",
     .presence = {.when = When::kNonZero, .omit_key = true},
     .values = kErrors},
};

#undef MEMBER

constexpr Column kColumns[] = {
    {.field = "time", .header = "TIME", .width = 12, .min_width = 12, .priority = 50},
    {.field = "pid", .header = "PID", .width = 7, .min_width = 5, .right = true, .priority = 70},
    {.field = "comm", .header = "COMM", .width = 15, .min_width = 6},
    {.field = "laddr", .header = "LADDR", .width = 39, .min_width = 15, .priority = 30},
    {.field = "lport", .header = "LPORT", .width = 5, .min_width = 5, .right = true, .priority = 60},
    {.field = "raddr", .header = "RADDR", .width = 39, .min_width = 15},
    {.field = "rport", .header = "RPORT", .width = 5, .min_width = 5, .right = true, .priority = 90},
    {.field = "state", .header = "STATE", .width = 11, .min_width = 11},
    {.field = "type", .header = "TYPE", .width = 15, .min_width = 15},
    {.field = "segments", .header = "SEGS", .width = 5, .min_width = 4, .right = true, .priority = 80},
    {.field = "seq", .header = "SEQ", .width = 12, .min_width = 6, .right = true, .priority = 25},
    {.field = "bytes", .header = "BYTES", .width = 7, .min_width = 5, .right = true, .priority = 20},
    {.field = "congestion", .header = "CONGESTION", .width = 10, .min_width = 10, .priority = 10},
    container_column(5),
};

// `states --with retransmits`: scripts know the form.
constexpr View kViews[] = {
    {.name = "states",
     .line = "{time} State Change: SRC={laddr}:{lport} DST={raddr}:{rport} PID={pid} COMM={comm} "
             "STATE=Retransmit ({state})"},
};

}  // namespace

extern const Collector collector_retransmits;
const Collector collector_retransmits = {
    .event = {.name = "retransmits",
              .kind = RETRANSMITS_KIND,
              .size = sizeof(retransmits_event),
              .sections = kSocketSections,
              .common = kSocketFields,
              .own = kFields,
              .columns = kColumns,
              .line = "{time} Retransmit: SRC={laddr}:{lport} DST={raddr}:{rport} PID={pid} COMM={comm} STATE={state} "
                      "TYPE={type} SEQ={seq} BYTES={bytes} SEGMENTS={segments}",
              .views = kViews},
    .summary = "everything that TCP sends again, why, and how much",
};

}  // namespace sockeye
