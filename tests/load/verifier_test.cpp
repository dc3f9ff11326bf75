// SPDX-License-Identifier: Apache-2.0
// What the verifier does for each moment: instructions it walked through (bpf_prog_info.verified_insns, since 5.16),
// against tests/load/verifier_budget.txt. Its limit is a million, and a start takes about 50 ns for each.
#include <bpf/bpf.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "bpf/object.h"
#include "event/collector.h"
#include "tests/load/kernel_test.h"

namespace sockeye {
namespace {

using Costs = std::map<std::string, uint32_t, std::less<>>;  // by moment: the dearest of its programs

Costs read_budget() {
  std::ifstream file(SOCKEYE_SOURCE_DIR "/tests/load/verifier_budget.txt");
  Costs budget;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string moment;
    uint32_t most = 0;
    if (words >> moment >> most) budget[moment] = most;
  }
  return budget;
}

// The moment of a program, of whose name the kernel keeps the beginning.
std::string moment_of(std::string_view kept) {
  static const std::vector<Ladder> ladders = Object::ladders();
  for (const Ladder& ladder : ladders) {
    for (const std::string& rung : ladder.rungs) {
      if ((ladder.moment + "__" + rung).starts_with(kept)) return ladder.moment;
    }
  }
  return {};
}

// Of the programs that this process holds.
Costs costs_of_ours() {
  Costs costs;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    if (std::filesystem::read_symlink(entry.path(), gone) != "anon_inode:bpf-prog") continue;
    bpf_prog_info info = {};
    __u32 size = sizeof info;
    if (bpf_obj_get_info_by_fd(std::stoi(entry.path().filename()), &info, &size) != 0) continue;
    uint32_t& cost = costs[moment_of(info.name)];
    cost = std::max(cost, info.verified_insns);
  }
  return costs;
}

class Verifier : public KernelTest {
 protected:
  void expect_within_budget(std::vector<std::string_view> wanted) {
    std::string names;
    for (const std::string_view name : wanted) names.append(" ").append(name);
    SCOPED_TRACE("with" + names);
    ObjectOptions options;
    options.accept_owner = options.connect_errors = options.new_cgroups = true;
    options.collectors = std::move(wanted);
    const auto object = Object::load(options);
    ASSERT_TRUE(object) << object.error().what;
    const Costs costs = costs_of_ours();
    ASSERT_FALSE(costs.empty());
    if (std::all_of(costs.begin(), costs.end(), [](const auto& cost) { return cost.second == 0; }))
      GTEST_SKIP() << "this kernel does not tell what the verifier did (5.16)";
    for (const auto& [moment, cost] : costs) {
      const auto line = budget_.find(moment);
      const uint32_t most = line == budget_.end() ? 0 : line->second;  // a moment that is new needs a line
      printf("%-22s %6u of %6u  with%s\n", moment.c_str(), cost, most, names.c_str());
      EXPECT_LE(cost, most) << moment;
    }
  }

  static std::vector<std::string_view> all_but(std::string_view left_out) {
    std::vector<std::string_view> names;
    for (const Collector* collector : collectors()) {
      if (collector->event.name != left_out) names.push_back(collector->event.name);
    }
    return names;
  }

  Costs budget_ = read_budget();
};

TEST_F(Verifier, EachCollectorAloneIsWithinTheBudget) {
  for (const Collector* collector : collectors()) expect_within_budget({collector->event.name});
}

TEST_F(Verifier, AllCollectorsAreWithinTheBudget) { expect_within_budget(all_but("")); }

TEST_F(Verifier, AllCollectorsButOneAreWithinTheBudget) {
  for (const Collector* collector : collectors()) expect_within_budget(all_but(collector->event.name));
}

}  // namespace
}  // namespace sockeye
