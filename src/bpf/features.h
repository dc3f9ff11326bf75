// SPDX-License-Identifier: Apache-2.0
// What the running kernel offers, read from its BTF and mounts, never from its version number.
#pragma once

#include <memory>
#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "bpf/settings.h"

struct btf;

namespace sockeye {

class Features {
 public:
  // Fails with kNotPossible where the kernel has no BTF.
  static Result<Features> detect();

  // Until forget_types(): the types take 10 MiB, and libbpf reads them for itself once more.
  bool has_function(const char* name) const;
  bool has_tracepoint(const char* name) const;  // a btf_trace_<name> type: tp_btf programs can attach
  bool has_type(const char* name) const;

  // Whether a program with a trampoline (fentry, fexit) may be loaded: tried once, on first asking.
  Result<Ok> trampoline() const;

  // The v2 cgroup hierarchy's root; empty fd where none is mounted.
  const Fd& cgroup2() const { return cgroup2_; }

  void forget_types() { btf_.reset(); }

  // What of kernel_settings follows from the kernel.
  kernel_settings settings() const;

 private:
  struct BtfDeleter {
    void operator()(btf* p) const;
  };

  std::unique_ptr<btf, BtfDeleter> btf_;
  Fd cgroup2_;
  bool cgroup_v1_memory_ = false;
  bool lockdown_confidentiality_ = false;
};

}  // namespace sockeye
