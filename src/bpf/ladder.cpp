// SPDX-License-Identifier: Apache-2.0
#include "bpf/ladder.h"

#include <algorithm>

namespace sockeye {
namespace {

// tp_btf and raw tracepoints are cheapest and lose least; sockops costs every TCP callback a call, but needs no
// trampoline; fexit_2 and fexit_4 are for a function of so many parameters; getpeername sees most of what fexit sees
// (accepted.bpf.c); `consumed` comes with many packets; a kprobe is the last resort but for sys_exit, which every
// system call of the machine pays for.
constexpr std::string_view kMethodOrder[] = {"tp_btf",  "iter",   "iter_probe",  "sockops",  "fexit",  "fexit_2",
                                             "fexit_4", "fentry", "getpeername", "consumed", "kprobe", "sys_exit"};

size_t rank_of(std::string_view method) {
  return static_cast<size_t>(std::find(std::begin(kMethodOrder), std::end(kMethodOrder), method) -
                             std::begin(kMethodOrder));
}

}  // namespace

ProgramName split_program_name(std::string_view name) {
  ProgramName split;
  const size_t first = name.find("__");
  if (first == std::string_view::npos) return split;
  split.hook = name.substr(0, first);
  split.method = name.substr(first + 2);
  const size_t second = split.method.find("__");
  if (second != std::string_view::npos) {
    split.companion = split.method.substr(second + 2);
    split.method = split.method.substr(0, second);
  }
  return split;
}

std::vector<Choice> choose_methods(const std::vector<std::string>& programs,
                                   const std::function<Result<Ok>(const std::string&)>& available) {
  std::vector<Choice> choices;
  for (const std::string& first : programs) {
    const std::string hook(split_program_name(first).hook);
    if (std::any_of(choices.begin(), choices.end(), [&](const Choice& c) { return c.hook == hook; })) continue;
    std::vector<std::string> methods;
    for (const std::string& program : programs) {
      const ProgramName name = split_program_name(program);
      if (name.hook == hook && name.companion.empty()) methods.push_back(program);
    }
    std::stable_sort(methods.begin(), methods.end(), [](const std::string& a, const std::string& b) {
      return rank_of(split_program_name(a).method) < rank_of(split_program_name(b).method);
    });
    Choice choice{hook, "", {}};
    for (const std::string& program : methods) {
      const std::string method(split_program_name(program).method);
      if (const auto usable = available(program)) {
        choice.method = method;
        break;
      } else {
        choice.refused.push_back({method, usable.error().what, usable.error().hint});
      }
    }
    choices.push_back(std::move(choice));
  }
  return choices;
}

}  // namespace sockeye
