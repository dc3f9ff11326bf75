// SPDX-License-Identifier: Apache-2.0
#include "doctor/diagnosis.h"

#include <algorithm>
#include <utility>

#include "bpf/host.h"
#include "bpf/namespace_walk.h"
#include "bpf/object.h"
#include "bpf/snapshot.h"
#include "event/collector.h"

namespace sockeye {
namespace {

Trial trial_of(const Status& status) {
  if (status) return {true, ""};
  return {false, status.error().what};
}

// As a run walks through them; without `holders` those that processes and mounts show.
NetworkNamespaces walk_namespaces(NamespaceHolders holders = {}) {
  NetworkNamespaces namespaces;
  NamespaceWalk walk({}, std::move(holders));
  while (walk.enter_next()) ++namespaces.entered;
  namespaces.refused = walk.unvisited();
  namespaces.why = walk.limitation();
  return namespaces;
}

void add_other(CollectorDiagnosis& diagnosis, const std::string& what, const std::string& remedy) {
  diagnosis.others.push_back({"", "", what, remedy});
}

void fail(CollectorDiagnosis& diagnosis, const Error& error) {
  diagnosis.verdict = Verdict::kDoesNotWork;
  diagnosis.reason = error.what;
  diagnosis.remedy = error.hint;
}

// Runs what a run would read at its start: iterators, each in this network namespace alone.
void try_iterators(const Collector& collector, Object& object, const Diagnosis& all, CollectorDiagnosis& diagnosis) {
  bool visits_namespaces = false;
  for (const Choice& choice : object.plan().choices) {
    if (!choice.method.starts_with("iter")) continue;
    if (choice.hook == "visit_file") {
      const SnapshotReport owners = take_snapshot(object);
      if (!owners.limitation.empty())
        add_other(diagnosis, "owners of existing sockets are incomplete: " + owners.limitation,
                  all.machine.initial_pid_namespace ? "" : "run it in the initial pid namespace");
      continue;
    }
    if (choice.hook == "visit_holder") {
      const auto done = object.run_iterator(choice.hook);
      const std::string why = done ? hidden_processes() : done.error().what;
      if (!why.empty())
        add_other(diagnosis, "holders of sockets are incomplete: " + why,
                  all.machine.initial_pid_namespace ? "" : "run it in the initial pid namespace");
      continue;
    }
    visits_namespaces = true;
    if (const auto done = object.run_iterator(choice.hook); !done) return fail(diagnosis, done.error());
  }
  const bool shows_sockets = collector.snapshot || !collector.has_stream;
  if (!visits_namespaces || !shows_sockets) return;
  const std::string why = walk_namespaces(holders_by(object)).why;
  if (!why.empty())
    add_other(diagnosis, "sockets of other network namespaces may be missing: " + why, "run it as root");
}

CollectorDiagnosis diagnose_collector(const Collector& collector, const Diagnosis& all, const std::string& btf_file) {
  const std::string name(collector.event.name);
  ObjectOptions options;
  options.collectors = {collector.event.name};
  options.btf_file = btf_file;
  options.new_cgroups = collector.has_stream || collector.has_rows;  // as its command has them
  CollectorDiagnosis diagnosis;
  auto object = Object::start(options, [](Object&) { return Ok{}; });
  if (object) {
    diagnosis = describe_plan(name, (*object)->plan());
    diagnosis.tried = true;
    try_iterators(collector, **object, all, diagnosis);
  } else {
    const auto opened = Object::open(options);
    if (opened) diagnosis = describe_plan(name, (*opened)->plan());
    diagnosis.name = name;
    fail(diagnosis, object.error());
    if (all.tracing.is_known() && !all.tracing.allowed) diagnosis.remedy = rights_remedy(all.machine);
  }
  if (diagnosis.verdict == Verdict::kWorks && !diagnosis.others.empty()) diagnosis.verdict = Verdict::kDegraded;
  return diagnosis;
}

}  // namespace

std::string_view word_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kWorks: return "works";
    case Verdict::kDegraded: return "degraded";
    case Verdict::kDoesNotWork: return "does not work";
  }
  return "";
}

bool Diagnosis::all_work() const {
  return std::none_of(collectors.begin(), collectors.end(),
                      [](const CollectorDiagnosis& one) { return one.verdict == Verdict::kDoesNotWork; });
}

std::string rights_remedy(const Machine& machine) {
  if (!machine.initial_user_namespace) return "run it as root of the initial user namespace";
  std::string missing;
  for (const CapabilityState& capability : machine.capabilities) {
    if (capability.effective || (capability.name != "CAP_BPF" && capability.name != "CAP_PERFMON")) continue;
    missing += (missing.empty() ? "" : " and ") + capability.name;
  }
  if (missing.empty()) return "something else than capabilities forbids it: a seccomp filter or a security module";
  return "run it as root (sudo), or give it " + missing;
}

CollectorDiagnosis describe_plan(const std::string& collector, const RunPlan& plan) {
  CollectorDiagnosis diagnosis;
  diagnosis.name = collector;
  for (const Choice& choice : plan.choices) {
    HookDiagnosis hook{choice.hook, choice.method, choice.refused, std::string(loss_of(choice.hook, choice.method)),
                       ""};
    if (!hook.loses.empty()) {
      hook.remedy = remedy_of(choice);
      diagnosis.verdict = Verdict::kDegraded;
    }
    diagnosis.hooks.push_back(std::move(hook));
  }
  for (const Limitation& limitation : plan.limitations()) {
    if (limitation.hook.empty()) diagnosis.others.push_back(limitation);
  }
  return diagnosis;
}

Result<Diagnosis> diagnose(const std::string& btf_file) {
  SOCKEYE_TRY(check_process());
  Diagnosis diagnosis;
  diagnosis.machine = read_machine("", btf_file);
  diagnosis.namespaces = walk_namespaces();
  diagnosis.runtimes = diagnose_runtimes();
  if (const auto features = Features::detect(btf_file)) {
    const Status& tracing = features->tracing();
    if (!tracing && tracing.error().code == ErrorCode::kUsage) return tracing.error();  // types of another kernel
    diagnosis.tracing = trial_of(tracing);
    if (diagnosis.tracing.allowed) {
      diagnosis.trampoline = trial_of(features->trampoline());
      diagnosis.probe_read = features->may_probe_read() ? Trial{true, ""} : Trial{false, "lockdown=confidentiality"};
    }
    diagnosis.machine.limits.memlock_counts_maps = features->memlock_counts_maps();
  } else if (features.error().code == ErrorCode::kUsage) {
    return features.error();
  } else if (diagnosis.machine.btf_problem.empty()) {
    diagnosis.machine.btf_problem = features.error().what;
  }
  for (const Collector* collector : collectors()) {
    diagnosis.collectors.push_back(diagnose_collector(*collector, diagnosis, btf_file));
  }
  return diagnosis;
}

}  // namespace sockeye
