// SPDX-License-Identifier: Apache-2.0
// What a machine offers and what this process may do there, as far as sockeye cares: read from /proc and /sys, for
// `sockeye doctor`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sockeye {

struct CapabilityState {
  std::string name;             // CAP_BPF
  std::string_view needed_for;  // what does not work without it
  bool effective = false;
};

struct MemoryLimits {
  std::optional<uint64_t> memlock;   // bytes, RLIMIT_MEMLOCK; none: unlimited
  std::optional<uint64_t> files;     // RLIMIT_NOFILE; none: unlimited
  std::optional<uint64_t> cgroup;    // bytes, the least of the own memory cgroup and those above; none: unlimited
  bool memlock_counts_maps = false;  // kernels before 5.11 count maps and programs against RLIMIT_MEMLOCK
};

// What the files say. A setting that cannot be read is not there.
struct Machine {
  std::string kernel;        // its release
  std::string architecture;  // of uname(2)
  std::string btf_path;      // where the kernel's types are read
  std::optional<uint64_t> btf_bytes;
  std::string btf_problem;  // why it cannot be read; empty: it can
  std::string lockdown;     // none, integrity, confidentiality; empty: securityfs does not show it
  std::vector<CapabilityState> capabilities;
  bool initial_user_namespace = true;  // capabilities of another count for nothing here
  bool initial_pid_namespace = true;   // processes outside of another are not seen
  bool guards_process_1 = false;       // it is hidden even from who may trace all processes (docs/limitations.md)
  std::optional<uint64_t> unprivileged_bpf_disabled;
  std::optional<uint64_t> jit;        // net.core.bpf_jit_enable
  std::optional<uint64_t> bpf_stats;  // kernel.bpf_stats_enabled
  std::string tracefs;                // where it is mounted; empty: nowhere
  std::string cgroup2;
  std::string cgroup_v1_memory;
  MemoryLimits limits;
};

// `root` stands for /: empty, but for tests. `btf_file`: read in place of the kernel's own; empty: none. Capabilities
// and architecture are those of the calling process.
Machine read_machine(const std::string& root = "", const std::string& btf_file = "");

// The capabilities that sockeye has a use for, and which of them the calling process has.
std::vector<CapabilityState> read_capabilities();

}  // namespace sockeye
