// SPDX-License-Identifier: Apache-2.0
// What the running kernel offers, read from its BTF and mounts, never from its version number.
#pragma once

#include <optional>

#include "base/fd.h"
#include "base/result.h"
#include "bpf/kernel_types.h"
#include "bpf/settings.h"

namespace sockeye {

class Features {
 public:
  // Fails with kNotPossible where the kernel has no BTF.
  static Result<Features> detect();

  const KernelTypes& types() const { return *types_; }  // until forget_types()
  bool has_tracepoint(const std::string& name) const;   // a btf_trace_<name> type: tp_btf programs can attach

  // What the kernel says to a program that does nothing: tried once, on first asking. The hint is what would change it.
  const Status& tracing() const;     // at a tracepoint: without it nothing of sockeye's loads
  const Status& trampoline() const;  // fentry and fexit
  const Status& sockops() const;

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

  // What of kernel_settings follows from the kernel.
  kernel_settings settings() const;

 private:
  Status try_trampoline() const;

  std::optional<KernelTypes> types_;
  Fd cgroup2_;
  Status whole_cgroup2_ = Ok{};
  bool cgroup_v1_memory_ = false;
  bool memlock_counts_maps_ = false;
  bool may_probe_read_ = true;
  mutable std::optional<Status> tracing_, trampoline_, sockops_;
};

}  // namespace sockeye
