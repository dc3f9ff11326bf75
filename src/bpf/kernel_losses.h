// SPDX-License-Identifier: Apache-2.0
// What the kernel side lost so far: what its programs could not hand on, and what the kernel skipped them for.
#pragma once

#include <cstdint>

#include "bpf/settings.h"
#include "event/loss.h"

namespace sockeye {

// How often the kernel did not run a program (bpf_prog_info.recursion_misses), summed up by what that means.
struct SkippedRuns {
  uint64_t with_twin = 0;  // an event, unless the twin had it (bpf/twin.h)
  uint64_t events = 0;     // an event
  uint64_t others = 0;     // perhaps an owner, an event, or the end of a socket's entry
};

class KernelLosses {
 public:
  const Losses& losses() const { return losses_; }  // as told last

  // What programs counted. User space alone sets the times back.
  void read_counters(kernel_counters& counters);

  // `rescued`: how many events twins have handled, read after `skipped`. What is counted is of the reading before, as
  // an event that was skipped may be in its twin's hands just now; `is_over`: nothing runs any more.
  void read_skips(const SkippedRuns& skipped, uint64_t rescued, uint64_t now_ns, bool is_over);

 private:
  void read_counter(kernel_counters& counters, LossReason reason, uint32_t counter);
  void rise_to(LossReason reason, uint64_t count, uint64_t until_ns);

  Losses losses_;
  SkippedRuns skipped_before_;  // at the last reading
  uint64_t read_ns_ = 0;        // when that was
  uint64_t settled_ns_ = 0;     // the skips of before are among losses_
};

}  // namespace sockeye
