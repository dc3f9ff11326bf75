// SPDX-License-Identifier: Apache-2.0
// How this host runs sockeye, read from /proc and /sys. `root` stands for /: empty, but for tests.
#pragma once

#include <cstdint>
#include <string>

namespace sockeye {

// none, integrity or confidentiality (security/lockdown/lockdown.c); empty: securityfs does not show it.
std::string lockdown_mode(const std::string& root = "");

enum class NamespaceKind : uint8_t { kPid, kUser };

// Whether this process is in the first namespace of that kind, whose number never changes (<linux/proc_ns.h>); true
// where it cannot be told.
bool is_in_initial_namespace(NamespaceKind kind, const std::string& root = "");

// Of the network namespace that the calling thread is in; 0: /proc does not tell.
uint32_t network_namespace_inode();

}  // namespace sockeye
