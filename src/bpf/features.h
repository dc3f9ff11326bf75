// SPDX-License-Identifier: Apache-2.0
// What the running kernel offers, read from its BTF and mounts, never from its version number.
#pragma once

#include <linux/bpf.h>

#include <optional>
#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "bpf/kernel_types.h"
#include "bpf/settings.h"

namespace sockeye {

// The table of sockets (bpf/sock_entry.h).
struct EntryTable {
  uint32_t entries = 0;       // how many sockets are remembered at a time
  bool preallocated = false;  // else each socket takes its memory when it comes
};

class Features {
 public:
  // `btf_file`: that the user gave (--btf), read in place of the kernel's own; empty: none. Fails with kNotPossible
  // where the kernel's BTF cannot be read, with kUsage where the file cannot or is of another kernel.
  static Result<Features> detect(const std::string& btf_file);

  // Whether the types are from the user's file.
  bool are_types_given() const { return !btf_file_.empty(); }
  // Asks the kernel what it has where the types say that a tracing program's target is, if they may still be those of
  // another kernel: kUsage.
  Status confirm_target(bpf_attach_type attach_type, const std::string& target) const;

  const KernelTypes& types() const { return *types_; }  // until forget_types()
  bool has_tracepoint(const std::string& name) const;   // a btf_trace_<name> type: tp_btf programs can attach

  // What the kernel says to a program that does nothing: tried once, on first asking. The hint is what would change it.
  const Status& tracing() const;     // at a tracepoint: without it nothing of sockeye's loads
  const Status& trampoline() const;  // fentry and fexit
  const Status& sockops() const;
  const Status& getpeername() const;

  // Looking for a function among the types of modules, as libbpf does for one that the kernel proper lacks.
  Status module_types() const;
  // Until 5.11 maps and programs count against RLIMIT_MEMLOCK.
  bool memlock_counts_maps() const { return memlock_counts_maps_; }

  // The root of the v2 cgroup hierarchy: programs attached there see every process. Refused where none is mounted, or
  // only a part of it (in a cgroup namespace).
  const Status& whole_cgroup2() const { return whole_cgroup2_; }
  const Fd& cgroup2() const { return cgroup2_; }

  bool may_probe_read() const { return may_probe_read_; }

  void forget_types() { types_.reset(); }

  // Whether the kernel says how often it skipped a program (bpf_prog_info.recursion_misses, 5.12).
  bool counts_skips() const { return types().member_type("bpf_prog_info", "recursion_misses") != 0; }
  // Whether what others hold with preemption off may sleep here (PREEMPT_RT): there a spinlock is a mutex.
  bool is_realtime() const;
  // Whether to reserve room in a ring may sleep as well ("bpf: Use raw_spinlock_t in ringbuf" is not there).
  bool ring_may_sleep() const;

  EntryTable entry_table() const;

  // What of kernel_settings follows from the kernel.
  kernel_settings settings() const;

 private:
  Status read_types(const std::string& btf_file);
  Error wrong_file(const std::string& why) const;
  Status try_trampoline() const;

  std::string btf_file_;         // given, and still to be told in errors
  bool are_types_sure_ = false;  // they are those of the running kernel
  std::optional<KernelTypes> types_;
  Fd cgroup2_;
  Status whole_cgroup2_ = Ok{};
  bool cgroup_v1_memory_ = false;
  bool memlock_counts_maps_ = false;
  bool may_probe_read_ = true;
  mutable std::optional<Status> tracing_, trampoline_, sockops_, getpeername_;
};

}  // namespace sockeye
