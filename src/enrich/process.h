// SPDX-License-Identifier: Apache-2.0
// Processes in /proc. A process is (pid, start_ns): pids are reused within seconds.
#pragma once

#include <cstdint>
#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace sockeye {

// All functions: `root` is put before every path ("" is the machine itself); `pid` is a thread group id in the pid
// namespace of that /proc, which has to be the initial one; `start_ns` is task_struct.start_boottime of the group
// leader, 0 where unknown. It is compared with field 22 of /proc/PID/stat, the same time in units of
// 1 / sysconf(_SC_CLK_TCK) s (fs/proc/array.c, nsec_to_clock_t()), as seen from the time namespace of this process.

// The directory /proc/PID of exactly that process. What is opened in it later is of the same process or fails: the
// kernel ties the directory to the process, not to the number. Error: no such process, or the pid has been reused.
Result<Fd> open_process(const std::string& root, uint32_t pid, uint64_t start_ns);

// The pid that the process itself sees: the last number of NSpid in /proc/PID/status. Error: as above, or no such line.
Result<uint32_t> innermost_pid(const std::string& root, uint32_t pid, uint64_t start_ns);

}  // namespace sockeye
