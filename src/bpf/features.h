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

  // Whether a program with a trampoline (fentry, fexit) may be loaded: tried once, on first asking.
  Result<Ok> trampoline() const;

  // The v2 cgroup hierarchy's root; empty fd where none is mounted.
  const Fd& cgroup2() const { return cgroup2_; }

  void forget_types() { types_.reset(); }

  // What of kernel_settings follows from the kernel.
  kernel_settings settings() const;

 private:
  std::optional<KernelTypes> types_;
  Fd cgroup2_;
  bool cgroup_v1_memory_ = false;
  bool lockdown_confidentiality_ = false;
};

}  // namespace sockeye
