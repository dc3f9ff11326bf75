// SPDX-License-Identifier: Apache-2.0
// What `sockeye doctor` finds out: of the machine, and of each collector by loading and attaching it as a run would.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "bpf/ladder.h"
#include "bpf/run_plan.h"
#include "doctor/machine.h"
#include "doctor/runtimes.h"

namespace sockeye {

enum class Verdict { kWorks, kDegraded, kDoesNotWork };
std::string_view word_of(Verdict verdict);  // "works", "degraded", "does not work"

// What the kernel said to a trial; what is empty and not allowed was not tried.
struct Trial {
  bool allowed = false;
  std::string refusal;

  bool is_known() const { return allowed || !refusal.empty(); }
};

struct NetworkNamespaces {
  int entered = 0;  // with the own one
  int refused = 0;
  std::string why;  // some could not be entered, or may not be known of; empty: all were entered
};

struct HookDiagnosis {
  std::string hook;
  std::string method;            // the one that a run takes; empty: none
  std::vector<Refusal> refused;  // the better ones
  std::string loses;             // compared with the best method; empty: nothing
  std::string remedy;            // empty: there is none, or none is needed

  bool operator==(const HookDiagnosis&) const = default;
};

struct CollectorDiagnosis {
  std::string name;
  Verdict verdict = Verdict::kWorks;
  bool tried = false;  // it was loaded and attached; else the methods are what the kernel's BTF allows
  std::string reason;  // why it does not work
  std::string remedy;
  std::vector<HookDiagnosis> hooks;
  std::vector<Limitation> others;  // that are not of one hook
};

struct Diagnosis {
  Machine machine;
  Trial tracing;     // programs at tracepoints
  Trial trampoline;  // fentry and fexit
  Trial probe_read;  // bpf_probe_read_kernel()
  NetworkNamespaces namespaces;
  std::vector<RuntimeDiagnosis> runtimes;  // of containers
  std::vector<CollectorDiagnosis> collectors;

  bool all_work() const;
};

// Looks at everything and tries everything; takes a tenth of a second, and changes nothing that stays. `btf_file`: of
// --btf; empty: none. kUsage: that file will not do.
Result<Diagnosis> diagnose(const std::string& btf_file);

// What a plan says of its hooks, and whether a run of it is degraded.
CollectorDiagnosis describe_plan(const std::string& collector, const RunPlan& plan);

// What would make programs load that are refused for lack of rights.
std::string rights_remedy(const Machine& machine);

}  // namespace sockeye
