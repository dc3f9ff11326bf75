// SPDX-License-Identifier: Apache-2.0
#include "doctor/diagnosis_text.h"

#include <algorithm>

#include "base/columns.h"
#include "base/text.h"
#include "doctor/shared.h"

namespace sockeye {
namespace {

enum class Mark { kOk, kLess, kMissing };

constexpr size_t kNameAt = 10, kTextAt = 30;  // columns where the name of a line begins, and what is said of it

class Page {
 public:
  Page(Buffer& out, int columns, bool colour)
      : out_(out),
        columns_(columns > 0 ? std::max(static_cast<size_t>(columns), kTextAt + 30) : SIZE_MAX),
        colour_(colour) {}

  void heading(const std::string& text) {
    if (out_.size() > 0) out_.add('\n');
    if (colour_) out_.add("\x1b[1m");
    add_plain_spaced(out_, text);
    if (colour_) out_.add("\x1b[0m");
    out_.add('\n');
  }

  void line(Mark mark, const std::string& name, const std::string& text) {
    static constexpr std::string_view kWords[] = {"ok", "less", "missing"};
    static constexpr std::string_view kColours[] = {"\x1b[32m", "\x1b[33m", "\x1b[31m"};
    const std::string_view word = kWords[static_cast<size_t>(mark)];
    out_.fill(' ', 2);
    if (colour_) out_.add(kColours[static_cast<size_t>(mark)]);
    out_.add(word);
    if (colour_) out_.add("\x1b[0m");
    out_.fill(' ', kNameAt - 2 - word.size());
    add_plain_spaced(out_, name);
    const size_t at = kNameAt + name.size();
    out_.fill(' ', at + 1 < kTextAt ? kTextAt - at : 1);
    broken(text, std::max(kTextAt, at + 1));
  }

  void more(const std::string& text) {
    if (text.empty()) return;
    out_.fill(' ', kTextAt);
    broken(text, kTextAt);
  }

 private:
  // Words from column `at` on; a line that would not fit goes on below.
  void broken(const std::string& text, size_t at) {
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = std::min(text.find(' ', begin), text.size());
      const std::string word = printable(std::string_view(text).substr(begin, end - begin));
      const auto width = static_cast<size_t>(columns_of(word));
      if (begin > 0 && at + 1 + width > columns_) {
        out_.add('\n');
        out_.fill(' ', kTextAt);
        at = kTextAt;
      } else if (begin > 0) {
        out_.add(' ');
        ++at;
      }
      out_.add(word);
      at += width;
      begin = end + 1;
    }
    out_.add('\n');
  }

  Buffer& out_;
  size_t columns_;
  bool colour_;
};

std::string bytes(const std::optional<uint64_t>& number) {
  if (!number) return "unlimited";
  static constexpr const char* kUnits[] = {" bytes", " KiB", " MiB", " GiB", " TiB"};
  uint64_t rest = *number;
  size_t unit = 0;
  for (; rest >= 10 * 1024 && unit + 1 < std::size(kUnits); ++unit) rest /= 1024;
  return std::to_string(rest) + kUnits[unit];
}

std::string do_this(const std::string& remedy) { return remedy.empty() ? "" : "fix: " + remedy; }

void add_kernel(Page& page, const Machine& machine) {
  page.line(Mark::kOk, "kernel", machine.kernel + ", " + machine.architecture);
  if (machine.btf_problem.empty()) {
    page.line(Mark::kOk, "BTF", machine.btf_path + ", " + bytes(machine.btf_bytes));
  } else {
    page.line(Mark::kMissing, "BTF", machine.btf_path + ": " + machine.btf_problem);
    page.more(
        "fix: where it is only hidden from here, give a copy: --btf FILE; else a kernel with "
        "CONFIG_DEBUG_INFO_BTF=y");
  }
}

void add_lockdown(Page& page, const Diagnosis& diagnosis) {
  const std::string& mode = diagnosis.machine.lockdown;
  const bool refused = diagnosis.probe_read.is_known() && !diagnosis.probe_read.allowed;
  if (refused || mode == "confidentiality") {
    page.line(Mark::kLess, "lockdown", "confidentiality: bpf_probe_read_kernel is forbidden");
  } else if (mode.empty()) {
    page.line(Mark::kOk, "lockdown",
              std::string("not shown in /sys/kernel/security") +
                  (diagnosis.probe_read.allowed ? "; bpf_probe_read_kernel is allowed" : ""));
  } else {
    page.line(Mark::kOk, "lockdown", mode);
  }
}

bool has_capability(const Machine& machine, std::string_view name) {
  return std::any_of(machine.capabilities.begin(), machine.capabilities.end(),
                     [&](const CapabilityState& one) { return one.name == name && one.effective; });
}

void add_rights(Page& page, const Machine& machine) {
  std::string effective;
  for (const CapabilityState& capability : machine.capabilities) {
    if (capability.effective) effective += (effective.empty() ? "" : " ") + capability.name;
  }
  page.line(effective.empty() ? Mark::kMissing : Mark::kOk, "capabilities", effective.empty() ? "none" : effective);
  if (!machine.initial_user_namespace)
    page.line(Mark::kMissing, "user namespace", "not the initial one: its capabilities count for nothing here");
  for (const CapabilityState& capability : machine.capabilities) {
    // CAP_SYS_ADMIN stands for these, and for a part of CAP_NET_ADMIN.
    const bool stands_for =
        has_capability(machine, "CAP_SYS_ADMIN") && (capability.name == "CAP_BPF" || capability.name == "CAP_PERFMON");
    const bool needless = capability.name == "CAP_SYS_RESOURCE" && !machine.limits.memlock_counts_maps;
    if (capability.effective || stands_for || needless) continue;
    const bool is_needed = capability.name == "CAP_BPF" || capability.name == "CAP_PERFMON";
    page.line(is_needed ? Mark::kMissing : Mark::kLess, "  " + capability.name,
              "not effective: " + std::string(capability.needed_for));
  }
  if (machine.unprivileged_bpf_disabled) {
    page.line(Mark::kOk, "unprivileged bpf()",
              *machine.unprivileged_bpf_disabled == 0 ? "enabled (sockeye does not need it)" : "disabled");
  }
}

void add_mounts(Page& page, const Machine& machine) {
  page.line(Mark::kOk, "tracefs", machine.tracefs.empty() ? "not mounted (no method needs it)" : machine.tracefs);
  const std::string v1 = machine.cgroup_v1_memory.empty() ? "" : "v1 memory hierarchy at " + machine.cgroup_v1_memory;
  if (machine.cgroup2.empty()) {
    page.line(Mark::kLess, "cgroups", "v2 is not mounted" + (v1.empty() ? "" : ", " + v1));
  } else {
    page.line(Mark::kOk, "cgroups", "v2 at " + machine.cgroup2 + (v1.empty() ? "" : ", " + v1 + " (hybrid)"));
  }
}

void add_memory(Page& page, const Machine& machine) {
  const MemoryLimits& limits = machine.limits;
  constexpr uint64_t kWantedMemlock = 64 << 20;  // a ring of 4 MiB is mapped twice, and events are preallocated
  const bool counts = limits.memlock_counts_maps;
  const bool may_raise = has_capability(machine, "CAP_SYS_RESOURCE");
  page.line(counts && !may_raise && limits.memlock && *limits.memlock < kWantedMemlock ? Mark::kLess : Mark::kOk,
            "memory",
            "cgroup " + bytes(limits.cgroup) + ", RLIMIT_MEMLOCK " + bytes(limits.memlock) +
                (counts ? " (maps count against it)" : " (maps do not count against it)") + ", RLIMIT_NOFILE " +
                (limits.files ? with_thousands(*limits.files) : "unlimited"));
}

void add_namespaces(Page& page, const Diagnosis& diagnosis) {
  const bool initial = diagnosis.machine.initial_pid_namespace;
  page.line(initial ? Mark::kOk : Mark::kLess, "pid namespace",
            initial ? "initial" : "not the initial one: processes outside of it are not seen");
  if (diagnosis.machine.guards_process_1)
    page.line(Mark::kLess, "process 1",
              "hidden from tracing: what happens while it runs may be missing (docs/limitations.md)");
  const NetworkNamespaces& namespaces = diagnosis.namespaces;
  page.line(namespaces.why.empty() ? Mark::kOk : Mark::kLess, "network namespaces",
            std::to_string(namespaces.entered) + " entered" +
                (namespaces.refused > 0 ? ", " + std::to_string(namespaces.refused) + " refused" : ""));
  page.more(namespaces.why);
}

void add_runtimes(Page& page, const Diagnosis& diagnosis) {
  for (const RuntimeDiagnosis& runtime : diagnosis.runtimes) {
    page.line(runtime.has_names() ? Mark::kOk : Mark::kLess, std::string(runtime.store.runtime), runtime.words());
    page.more(do_this(runtime.remedy()));
  }
}

void add_bpf(Page& page, const Diagnosis& diagnosis) {
  const Machine& machine = diagnosis.machine;
  if (machine.jit)
    page.line(*machine.jit == 0 ? Mark::kLess : Mark::kOk, "BPF JIT",
              *machine.jit == 0 ? "off: programs are interpreted, and cost more (net.core.bpf_jit_enable)" : "on");
  if (machine.bpf_stats && *machine.bpf_stats != 0)
    page.line(Mark::kLess, "BPF statistics",
              "on: they cost each run of a program about 50 ns (kernel.bpf_stats_enabled)");
  const auto add_trial = [&](const char* name, const Trial& trial, Mark refused) {
    const std::string text = trial.allowed ? "allowed" : trial.is_known() ? trial.refusal : "not tried";
    page.line(trial.allowed ? Mark::kOk : refused, name, text);
  };
  add_trial("tracepoints", diagnosis.tracing, Mark::kMissing);
  if (diagnosis.tracing.allowed) add_trial("fentry and fexit", diagnosis.trampoline, Mark::kLess);
}

std::string method_words(const HookDiagnosis& hook, bool tried) {
  if (hook.method.empty()) return "none";
  return hook.method + (tried ? "" : " (not tried)");
}

// `words`, and then the names of collectors.
std::string of(std::string_view words, const CollectorNames& names) {
  std::string text(words);
  for (size_t i = 0; i < names.size(); ++i) text += (i == 0 ? " " : ", ") + std::string(names[i]);
  return text;
}

void add_remark(Page& page, Mark mark, const SharedRemark& remark) {
  page.line(mark, "", remark.what);
  page.more(of("concerns", remark.collectors));
  page.more(do_this(remark.remedy));
}

// A line for each collector. What is lost is named by its hooks, and told below.
void add_verdict(Page& page, const Diagnosis& diagnosis) {
  static constexpr Mark kMarks[] = {Mark::kOk, Mark::kLess, Mark::kMissing};
  page.heading("Verdict");
  for (const CollectorDiagnosis& collector : diagnosis.collectors) {
    std::string less;
    for (const HookDiagnosis& hook : collector.hooks) {
      if (!hook.loses.empty()) less += (less.empty() ? ": " : ", ") + hook.hook;
    }
    const bool names_hooks = collector.verdict == Verdict::kDegraded;
    page.line(kMarks[static_cast<size_t>(collector.verdict)], collector.name,
              std::string(word_of(collector.verdict)) + (names_hooks ? less : ""));
  }
}

// What is lost, why, and what would change it: each once, with the collectors that it concerns.
void add_losses(Page& page, const Diagnosis& diagnosis) {
  const auto hooks = shared_hooks(diagnosis);
  const auto reasons = shared_reasons(diagnosis), limitations = shared_limitations(diagnosis);
  const auto is_fine = [](const SharedHook& shared) { return shared.hook.loses.empty(); };
  if (reasons.empty() && limitations.empty() && std::all_of(hooks.begin(), hooks.end(), is_fine)) return;
  page.heading("What is missing, and what to do");
  for (const SharedRemark& reason : reasons) add_remark(page, Mark::kMissing, reason);
  for (const auto& [hook, tried, collectors] : hooks) {
    if (hook.loses.empty()) continue;
    page.line(hook.method.empty() ? Mark::kMissing : Mark::kLess, hook.hook,
              method_words(hook, tried) + ": " + hook.loses);
    page.more(of("concerns", collectors));
    for (const Refusal& refusal : hook.refused) page.more("not " + refusal.method + ": " + refusal.why);
    page.more(do_this(hook.remedy));
  }
  for (const SharedRemark& limitation : limitations) add_remark(page, Mark::kLess, limitation);
}

// The method of each hook. Where collectors take different ones, whose it is.
void add_hooks(Page& page, const Diagnosis& diagnosis) {
  const auto hooks = shared_hooks(diagnosis);
  if (hooks.empty()) return;
  page.heading("Hooks and their attach methods");
  for (const SharedHook& shared : hooks) {
    const HookDiagnosis& hook = shared.hook;
    const auto is_same = [&](const SharedHook& other) { return other.hook.hook == hook.hook; };
    const bool differs = std::count_if(hooks.begin(), hooks.end(), is_same) > 1;
    const Mark mark = hook.loses.empty() ? Mark::kOk : hook.method.empty() ? Mark::kMissing : Mark::kLess;
    page.line(mark, hook.hook, method_words(hook, shared.tried) + (differs ? of(" for", shared.collectors) : ""));
  }
}

}  // namespace

void add_diagnosis_page(Buffer& out, const Diagnosis& diagnosis, int columns, bool colour) {
  Page page(out, columns, colour);
  add_verdict(page, diagnosis);
  add_losses(page, diagnosis);
  page.heading("This machine");
  add_kernel(page, diagnosis.machine);
  add_lockdown(page, diagnosis);
  add_rights(page, diagnosis.machine);
  add_mounts(page, diagnosis.machine);
  add_memory(page, diagnosis.machine);
  add_namespaces(page, diagnosis);
  add_runtimes(page, diagnosis);
  add_bpf(page, diagnosis);
  add_hooks(page, diagnosis);
}

}  // namespace sockeye
