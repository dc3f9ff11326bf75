// SPDX-License-Identifier: Apache-2.0
// Loss is data: what was lost, at which stage and why. Counted in a Ledger, told in the stream by gap records, summed
// up in the end record.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "event/field.h"
#include "event/wire.h"

namespace sockeye {

enum class LossReason : uint8_t {
  kRingFull,     // kernel: no room in the ring
  kRecordAlloc,  // kernel: no socket record; the event came, without owner and duration
  kMissed,       // kernel: a program was skipped because it was already running on that CPU, and no twin stood in
  kMalformed,    // decoder: a record of unknown kind or impossible size
  kWriteFailed,  // sink: the file or pipe would not take it
};
constexpr size_t kLossReasons = 5;

struct LossName {
  std::string_view stage;
  std::string_view reason;
};
LossName name_of(LossReason reason);

struct gap_event {
  event_header header;
  uint64_t from_ns;  // CLOCK_BOOTTIME: they were lost after this
  uint64_t lost;     // how many
  uint8_t stage;     // LossReason
  uint8_t reason;    // LossReason
  uint8_t _pad[6];
};
static_assert(sizeof(gap_event) == 40);

struct end_event {
  event_header header;
  uint64_t delivered;   // records that reached every sink, gaps and this one left out
  uint64_t lost;        // events that reached no sink
  uint64_t late;        // of those delivered: out of order
  uint64_t incomplete;  // of those delivered: without a socket record, so without owner and duration
  uint64_t table_full;  // of those made: closed with the TIME_WAIT table full (OUTCOME_TABLE_FULL)
};
static_assert(sizeof(end_event) == 56);

extern const EventType kGapType;
extern const EventType kEndType;

// How much was lost so far, by reason.
struct Losses {
  std::array<uint64_t, kLossReasons> count{};

  uint64_t& operator[](LossReason reason) { return count[static_cast<size_t>(reason)]; }
  uint64_t operator[](LossReason reason) const { return count[static_cast<size_t>(reason)]; }
  // Events that are not in the stream: kRecordAlloc ones are.
  uint64_t events() const;
};

}  // namespace sockeye
