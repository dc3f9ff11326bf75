// SPDX-License-Identifier: Apache-2.0
#include "event/loss.h"

namespace sockeye {
namespace {

constexpr uint8_t value_of(LossReason reason) { return static_cast<uint8_t>(reason); }

constexpr EnumValue kStages[] = {
    {value_of(LossReason::kRingFull), "kernel", "kernel"}, {value_of(LossReason::kRecordAlloc), "kernel", "kernel"},
    {value_of(LossReason::kMissed), "kernel", "kernel"},   {value_of(LossReason::kMalformed), "decoder", "decoder"},
    {value_of(LossReason::kWriteFailed), "sink", "sink"},
};
constexpr EnumValue kReasons[] = {
    {value_of(LossReason::kRingFull), "ring_full", "the ring was full"},
    {value_of(LossReason::kRecordAlloc), "record_alloc", "no memory for socket records: owner and duration unknown"},
    {value_of(LossReason::kMissed), "missed", "the kernel skipped the program"},
    {value_of(LossReason::kMalformed), "malformed", "records that could not be read"},
    {value_of(LossReason::kWriteFailed), "write_failed", "the output could not be written"},
};

constexpr Field kGapFields[] = {
    {.name = "time",
     .type = FieldType::kTime,
     SOCKEYE_MEMBER(gap_event, header.time_ns),
     .unit = "RFC 3339",
     .meaning = "when the loss was noticed"},
    {.name = "timestamp_ns",
     .type = FieldType::kUnsigned,
     SOCKEYE_MEMBER(gap_event, header.time_ns),
     .unit = "ns",
     .meaning = "when the loss was noticed, CLOCK_BOOTTIME"},
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
     .meaning = "they were lost after this time, CLOCK_BOOTTIME"},
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
     .meaning = "records that were shown"},
    {.name = "lost", .type = FieldType::kUnsigned, SOCKEYE_MEMBER(end_event, lost), .meaning = "events that were not"},
    {.name = "late",
     .type = FieldType::kUnsigned,
     SOCKEYE_MEMBER(end_event, late),
     .meaning = "of those shown: after a record with a later time"},
    {.name = "incomplete",
     .type = FieldType::kUnsigned,
     SOCKEYE_MEMBER(end_event, incomplete),
     .meaning = "of those shown: without owner and duration, as no socket record could be had"},
    {.name = "table_full",
     .type = FieldType::kUnsigned,
     SOCKEYE_MEMBER(end_event, table_full),
     .meaning = "sockets that closed while the TIME_WAIT table was full (TCPTimeWaitOverflow): a few are in TIME_WAIT"},
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
        "TABLE_FULL={table_full}",
};

LossName name_of(LossReason reason) {
  const auto index = static_cast<size_t>(reason);
  return {kStages[index].name, kReasons[index].name};
}

uint64_t Losses::events() const {
  uint64_t sum = 0;
  for (size_t i = 0; i < kLossReasons; ++i) {
    if (i != static_cast<size_t>(LossReason::kRecordAlloc)) sum += count[i];
  }
  return sum;
}

}  // namespace sockeye
