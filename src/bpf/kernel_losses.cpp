// SPDX-License-Identifier: Apache-2.0
#include "bpf/kernel_losses.h"

#include "base/counter.h"

namespace sockeye {

void KernelLosses::read_counters(kernel_counters& counters) {
  read_counter(counters, LossReason::kRingFull, LOST_RING_FULL);
  read_counter(counters, LossReason::kEntryAlloc, LOST_ENTRY_ALLOC);
}

// The count may be seen before the times are: its addition orders nothing on some machines (arm64: STADD), and on all
// of them a time may be set back between a program's look at it and its count. Then when it was is not known.
void KernelLosses::read_counter(kernel_counters& counters, LossReason reason, uint32_t counter) {
  const auto i = static_cast<size_t>(reason);
  const uint64_t count = __atomic_load_n(&counters.lost[counter], __ATOMIC_ACQUIRE);
  if (count == losses_.count[i]) return;
  losses_.count[i] = count;
  const uint64_t from_ns = __atomic_exchange_n(&counters.lost_from_ns[counter], 0, __ATOMIC_RELAXED);
  const uint64_t to_ns = __atomic_load_n(&counters.lost_to_ns[counter], __ATOMIC_RELAXED);
  const bool is_known = from_ns != 0 && from_ns <= to_ns;
  losses_.from_ns[i] = is_known ? from_ns : 0;
  losses_.to_ns[i] = is_known ? to_ns : 0;
}

void KernelLosses::read_skips(const SkippedRuns& skipped, uint64_t rescued, uint64_t now_ns, bool is_over) {
  const SkippedRuns& settled = is_over ? skipped : skipped_before_;
  const uint64_t until_ns = is_over ? now_ns : read_ns_;
  const uint64_t not_rescued = settled.with_twin > rescued ? counted_between(rescued, settled.with_twin) : 0;
  rise_to(LossReason::kMissed, not_rescued + settled.events, until_ns);
  rise_to(LossReason::kSkipped, settled.others, until_ns);
  skipped_before_ = skipped;
  read_ns_ = now_ns;
  settled_ns_ = until_ns;
}

void KernelLosses::rise_to(LossReason reason, uint64_t count, uint64_t until_ns) {
  const auto i = static_cast<size_t>(reason);
  if (count <= losses_.count[i]) return;
  losses_.count[i] = count;
  losses_.from_ns[i] = settled_ns_;
  losses_.to_ns[i] = until_ns;
}

}  // namespace sockeye
