// SPDX-License-Identifier: Apache-2.0
// The ways to attach to a moment, best first, and which one this kernel takes.
//
// Nothing is listed by hand: a program of bpf/hooks/ called <moment>__<rung> is that moment's rung of that kind, and
// <moment>__<rung>__<other> goes with it: a twin (bpf/twin.h), or the same for IPv6 (`ipv6`). Rungs are tried in the
// order of kRungOrder.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sockeye {

struct ProgramName {
  std::string_view moment;
  std::string_view rung;
  std::string_view companion;  // empty: the first program of the rung
};

// What a rung may consist of, in the order of attaching: suffixes of its programs' names.
constexpr std::string_view kTwin = "__twin";
constexpr std::string_view kProgramsOfRung[] = {"", kTwin, "__ipv6"};

// Splits <moment>__<rung>[__<companion>]; rung is empty where the name has another form.
ProgramName split_program_name(std::string_view name);

struct Refusal {
  std::string rung;
  std::string why;
  std::string remedy;  // what would change it; may be empty

  bool operator==(const Refusal&) const = default;
};

// One moment on this kernel.
struct Choice {
  std::string moment;
  std::string rung;              // empty: none attaches
  std::vector<Refusal> refused;  // better rungs that were not taken
};

// For each moment, in the order first met in `programs`: the best rung that `available` (given a program's name)
// does not refuse.
std::vector<Choice> choose_rungs(const std::vector<std::string>& programs,
                                 const std::function<Result<Ok>(const std::string&)>& available);

}  // namespace sockeye
