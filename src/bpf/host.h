// SPDX-License-Identifier: Apache-2.0
// How this host runs sockeye, read from /proc and /sys. `root` stands for /: empty, but for tests.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace sockeye {

// What every run needs, whatever the kernel offers: /proc, and room for so many more open files. An error that blames
// neither the kernel nor missing rights.
inline constexpr size_t kFilesOfARun = 128;
Status check_process(size_t files = kFilesOfARun, const std::string& root = "");

// For EMFILE and ENFILE: what failed for want of files.
Error too_many_files(const std::string& what, int error);

// none, integrity or confidentiality (security/lockdown/lockdown.c); empty: securityfs does not show it.
std::string lockdown_mode(const std::string& root = "");

enum class NamespaceKind : uint8_t { kPid, kUser };

// Whether this process is in the first namespace of that kind, whose number never changes (<linux/proc_ns.h>); true
// where it cannot be told.
bool is_in_initial_namespace(NamespaceKind kind, const std::string& root = "");

// Whether /proc leaves processes out: hidepid=invisible or ptraceable, systemd's ProtectProc. Process 1 is always
// there.
bool are_processes_hidden(const std::string& root = "");

// Of the network namespace that the calling thread is in; 0: /proc does not tell.
uint32_t network_namespace_inode();

}  // namespace sockeye
