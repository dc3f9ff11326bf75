// SPDX-License-Identifier: Apache-2.0
#include "event/loss.h"

#include <algorithm>

namespace sockeye {
namespace {

#define SOCKEYE_LOSS_STAGE(name, stage, reason, words, is_event) {static_cast<uint8_t>(LossReason::name), stage, stage},
#define SOCKEYE_LOSS_REASON(name, stage, reason, words, is_event) \
  {static_cast<uint8_t>(LossReason::name), reason, words},
#define SOCKEYE_LOSS_IS_EVENT(name, stage, reason, words, is_event) is_event,
constexpr EnumValue kStages[] = {SOCKEYE_LOSS_REASONS(SOCKEYE_LOSS_STAGE)};
constexpr EnumValue kReasons[] = {SOCKEYE_LOSS_REASONS(SOCKEYE_LOSS_REASON)};
constexpr bool kIsEvent[] = {SOCKEYE_LOSS_REASONS(SOCKEYE_LOSS_IS_EVENT)};
#undef SOCKEYE_LOSS_STAGE
#undef SOCKEYE_LOSS_REASON
#undef SOCKEYE_LOSS_IS_EVENT

constexpr Field kGapFields[] = {
    {.name = "time",
     .type = FieldType::kTime,
     SOCKEYE_MEMBER(gap_event, header.time_ns),
     .unit = "RFC 3339",
     .meaning = "by then they all were lost"},
    {.name = "timestamp_ns",
     .type = FieldType::kUnsigned,
     SOCKEYE_MEMBER(gap_event, header.time_ns),
     .unit = "ns",
     .meaning = "by then they all were lost, CLOCK_BOOTTIME"},
    {.name = "stage",
     .type = FieldType::kEnum,
     SOCKEYE_MEMBER(gap_event, stage),
     .meaning = "where it happened",
     .values = kStages},
    {.name = "reason",
     .type = FieldType::kEnum,
     SOCKEYE_MEMBER(gap_event, reason),
     .meaning = "why",
     .values = kReasons},
    {.name = "lost", .type = FieldType::kUnsigned, SOCKEYE_MEMBER(gap_event, lost), .meaning = "how many"},
    {.name = "from_ns",
     .type = FieldType::kUnsigned,
     SOCKEYE_MEMBER(gap_event, from_ns),
     .unit = "ns",
     .meaning = "none of them was lost before, CLOCK_BOOTTIME"},
};
constexpr Field kEndFields[] = {
    {.name = "time",
     .type = FieldType::kTime,
     SOCKEYE_MEMBER(end_event, header.time_ns),
     .unit = "RFC 3339",
     .meaning = "when the run ended"},
    {.name = "timestamp_ns",
     .type = FieldType::kUnsigned,
     SOCKEYE_MEMBER(end_event, header.time_ns),
     .unit = "ns",
     .meaning = "when the run ended, CLOCK_BOOTTIME"},
    {.name = "delivered",
     .type = FieldType::kUnsigned,
     SOCKEYE_MEMBER(end_event, delivered),
     .meaning = "events that reached every output"},
    {.name = "lost",
     .type = FieldType::kUnsigned,
     SOCKEYE_MEMBER(end_event, lost),
     .meaning = "events that did not; with those delivered all there were"},
    {.name = "late",
     .type = FieldType::kUnsigned,
     SOCKEYE_MEMBER(end_event, late),
     .meaning = "of those shown: after an event with a later time"},
    {.name = "incomplete",
     .type = FieldType::kUnsigned,
     SOCKEYE_MEMBER(end_event, incomplete),
     .meaning = "of those shown: without owner and duration, as no socket entry could be had"},
    {.name = "table_full",
     .type = FieldType::kUnsigned,
     SOCKEYE_MEMBER(end_event, table_full),
     .meaning = "sockets that closed while the TIME_WAIT table was full (TCPTimeWaitOverflow): a few are in TIME_WAIT"},
    {.name = "anomalies",
     .type = FieldType::kUnsigned,
     SOCKEYE_MEMBER(end_event, anomalies),
     .meaning =
         "counters that did not fit together (one that only goes up was less than before): 0 was taken for their "
         "difference, or it was left out",
     .presence = {.when = Presence::When::kNonZero, .omit_key = true}},
    {.name = "without_role",
     .type = FieldType::kUnsigned,
     SOCKEYE_MEMBER(end_event, without_role),
     .meaning = "events left out by --direction, as it is not known who opened the connection",
     .presence = {.when = Presence::When::kNonZero, .omit_key = true}},
    {.name = "skipped",
     .type = FieldType::kUnsigned,
     SOCKEYE_MEMBER(end_event, skipped),
     .meaning =
         "no events: how often the kernel skipped a program that learns owners, forgets sockets or tells of first "
         "uses"},
};

}  // namespace

const EventType kGapType = {
    .name = "gap",
    .kind = GAP_KIND,
    .size = sizeof(gap_event),
    .common = {},
    .own = kGapFields,
    .columns = {},
    .line = "{time} Gap: LOST={lost} STAGE={stage} REASON={reason} ({reason:words})",
};
const EventType kEndType = {
    .name = "end",
    .kind = END_KIND,
    .size = sizeof(end_event),
    .common = {},
    .own = kEndFields,
    .columns = {},
    .line =
        "{time} End: DELIVERED={delivered} LOST={lost} LATE={late} INCOMPLETE={incomplete} "
        "TABLE_FULL={table_full} SKIPPED={skipped}",
};

LossName name_of(LossReason reason) {
  const auto index = static_cast<size_t>(reason);
  return {kStages[index].name, kReasons[index].name};
}

uint64_t Losses::events() const {
  uint64_t sum = 0;
  for (size_t i = 0; i < kLossReasons; ++i) {
    if (kIsEvent[i]) sum += count[i];
  }
  return sum;
}

bool Losses::any() const {
  return std::any_of(count.begin(), count.end(), [](uint64_t lost) { return lost > 0; });
}

}  // namespace sockeye
