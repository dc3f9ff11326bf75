// SPDX-License-Identifier: Apache-2.0
// Loss is data: what was lost, at which stage and why, by the same words everywhere: counters, gap events, metrics. A
// rise is told by a gap event at its place in the stream, the sum by the end event.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "event/field.h"
#include "event/wire.h"

namespace sockeye {

// All there are, a line each; to add one is to add a line at the end. What is it called, at which stage, what does it
// say to people; are events missing from the stream, or did they come without something.
#define SOCKEYE_LOSS_REASONS(REASON)                                                                             \
  REASON(kRingFull, "kernel", "ring_full", "the ring was full", true)                                            \
  REASON(kEntryAlloc, "kernel", "record_alloc", "no room for socket entries: owner and duration unknown", false) \
  REASON(kMissed, "kernel", "missed", "the kernel skipped the program", true)                                    \
  REASON(kMalformed, "decoder", "malformed", "events that could not be read", true)                              \
  REASON(kWriteFailed, "sink", "write_failed", "the output could not be written, or not in time", true)          \
  REASON(kSkipped, "kernel", "skipped",                                                                          \
         "the kernel skipped programs that learn owners, forget sockets or tell of first uses", false)

#define SOCKEYE_LOSS_NAME(name, stage, reason, words, is_event) name,
enum class LossReason : uint8_t { SOCKEYE_LOSS_REASONS(SOCKEYE_LOSS_NAME) };
#undef SOCKEYE_LOSS_NAME
#define SOCKEYE_LOSS_ONE(name, stage, reason, words, is_event) +1
constexpr size_t kLossReasons = 0 SOCKEYE_LOSS_REASONS(SOCKEYE_LOSS_ONE);
#undef SOCKEYE_LOSS_ONE

struct LossName {
  std::string_view stage;
  std::string_view reason;
};
LossName name_of(LossReason reason);

struct gap_event {
  event_header header;  // time_ns: by then they all were lost
  uint64_t from_ns;     // CLOCK_BOOTTIME: none was lost before
  uint64_t lost;        // how many
  uint8_t stage;        // LossReason
  uint8_t reason;       // LossReason
  uint8_t _pad[6];
};
static_assert(sizeof(gap_event) == 40);

struct end_event {
  event_header header;
  uint64_t delivered;     // events that reached every output; with `lost` all there were
  uint64_t lost;          // events that did not
  uint64_t late;          // of those delivered: out of order
  uint64_t incomplete;    // of those delivered: without a socket entry, so without owner and duration
  uint64_t table_full;    // of those made: closed with the TIME_WAIT table full (OUTCOME_TABLE_FULL)
  uint64_t anomalies;     // counters that did not fit together (base/counter.h, bpf/counter.h)
  uint64_t without_role;  // events left out by --direction, as nobody knows who opened the connection
  uint64_t skipped;       // no events: LossReason::kSkipped
};
static_assert(sizeof(end_event) == 80);

extern const EventType kGapType;
extern const EventType kEndType;

// How much was lost so far, by reason.
struct Losses {
  SOCKEYE_COUNTER std::array<uint64_t, kLossReasons> count{};
  // When what has been added last was lost, from the first of it to the last; CLOCK_BOOTTIME, 0: not known.
  std::array<uint64_t, kLossReasons> from_ns{};
  std::array<uint64_t, kLossReasons> to_ns{};

  uint64_t& operator[](LossReason reason) { return count[static_cast<size_t>(reason)]; }
  uint64_t operator[](LossReason reason) const { return count[static_cast<size_t>(reason)]; }
  // Events that are not in the stream.
  SOCKEYE_COUNTER uint64_t events() const;
  // Whether anything was lost, if only the owner of an event.
  bool any() const;
};

}  // namespace sockeye
