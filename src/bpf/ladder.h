// SPDX-License-Identifier: Apache-2.0
// The ways to attach to a hook, best first, and which one this kernel takes.
//
// Nothing is listed by hand: a program of bpf/hooks/ called <hook>__<method> is that hook's method of that kind, and
// <hook>__<method>__<other> goes with it: a twin (bpf/twin.h), or the same for IPv6 (`ipv6`). Methods are tried in the
// order of kMethodOrder.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sockeye {

struct ProgramName {
  std::string_view hook;
  std::string_view method;
  std::string_view companion;  // empty: the first program of the method
};

// What a method may consist of, in the order of attaching: suffixes of its programs' names.
constexpr std::string_view kTwin = "__twin";
constexpr std::string_view kProgramsOfMethod[] = {"", kTwin, "__ipv6"};

// Splits <hook>__<method>[__<companion>]; method is empty where the name has another form.
ProgramName split_program_name(std::string_view name);

struct Refusal {
  std::string method;
  std::string why;
  std::string remedy;  // what would change it; may be empty

  bool operator==(const Refusal&) const = default;
};

// One hook on this kernel.
struct Choice {
  std::string hook;
  std::string method;            // empty: none attaches
  std::vector<Refusal> refused;  // better methods that were not taken
};

// For each hook, in the order first met in `programs`: the best method that `available` (given a program's name)
// does not refuse.
std::vector<Choice> choose_methods(const std::vector<std::string>& programs,
                                   const std::function<Result<Ok>(const std::string&)>& available);

}  // namespace sockeye
