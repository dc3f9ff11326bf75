// SPDX-License-Identifier: Apache-2.0
#include "bpf/grace_period.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ctime>

namespace sockeye {

// They run inside RCU read sections, and this is synchronize_rcu() (kernel/sched/membarrier.c), except on kernels with
// nohz_full, which refuse it: there more time passes than a program and the interrupts in it take.
void wait_for_running_programs() {
  if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) == 0) return;
  const timespec long_enough = {0, 20'000'000};
  nanosleep(&long_enough, nullptr);
}

}  // namespace sockeye
