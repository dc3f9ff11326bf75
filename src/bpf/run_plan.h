// SPDX-License-Identifier: Apache-2.0
// What a run takes of the object: which hooks, on which methods, and what it lacks compared with the best kernel. It is
// planned from the kernel's BTF and mounts and from trials; the same words serve a run and `sockeye doctor`.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "bpf/features.h"
#include "bpf/filter_rules.h"
#include "bpf/ladder.h"
#include "bpf/settings.h"
#include "event/collector.h"

namespace sockeye {

struct ObjectOptions {
  std::vector<std::string_view> collectors;
  uint32_t ring_bytes = 4 << 20;  // a power of two, at least a page
  uint32_t most_sockets = 0;      // that are remembered; 0: as the machine's memory allows
  filter_rules filters = {};
  bool group_visits = false;         // visits for counting tell what sockets are grouped by
  bool owners = false;               // learn owners, also of minisockets, whatever the collectors need
  bool new_cgroups = false;          // tell of each cgroup that is made while the run goes on
  bool accept_owner = false;         // see accept() even where that costs every system call
  bool connect_errors = false;       // see connect() fail before its first SYN even where that does
  bool verifier_statistics = false;  // of each program that loads are kept: verifier_words()
  std::string btf_file = {};         // of --btf: the kernel's types, where its own cannot be read; empty: none
  // Methods that the kernel did not load when it was asked to, as <hook>__<method>, and its words: others are taken.
  std::vector<Refusal> refused = {};
};

// A program of the object.
struct Program {
  std::string name;     // <hook>__<method>[__<companion>]
  std::string section;  // of SEC(): "tp_btf/inet_sock_set_state"
};

// What a run does less well than on a kernel that offers everything.
struct Limitation {
  std::string hook;    // empty: not of one hook
  std::string method;  // that it is on; empty: none
  std::string what;    // one sentence without its full stop
  std::string remedy;  // what would change it, one line; may be empty

  std::string sentence() const;  // what, and at which hook
};

struct RunPlan {
  kernel_settings settings = {};
  EntryTable entry_table;                    // of the sockets that are remembered, where settings.wants_entries
  std::vector<Choice> choices;               // of the hooks that the run wants, in the order of attaching
  std::vector<std::string_view> collectors;  // that it is for
  bool counts_skips = true;                  // the kernel counts how often it skips a program
  bool is_realtime = false;                  // PREEMPT_RT
  bool ring_may_sleep = false;               // there, where programs must not: mended in 6.12

  bool has(std::string_view hook) const;  // wanted, and there is a method
  // Whether each run of this hook's program is an event that the run wants.
  bool tells_each_time(const Choice& choice) const;
  // An error where a collector makes no sense without a hook that has no method.
  Status possible() const;
  std::vector<Limitation> limitations() const;
};

// Asks the kernel for nothing that takes rights, where Features::tracing() was refused: what only a trial can tell is
// then taken for possible.
RunPlan plan_run(std::span<const Program> programs, const Features& features, const ObjectOptions& options);

// The order of attaching: hooks that are there for owners alone come last. Owners can be learned a little later than
// the first event, events that are not there cannot.
void put_events_first(std::vector<Choice>& choices, std::span<const std::string_view> collectors);

// The states whose being entered the kernel side looks at: set_state passes over all other transitions.
StateSet states_entered(std::span<const std::string_view> collectors);

// What is lost at a hook on this method, compared with its best; empty method: without the hook. Empty: nothing is.
std::string_view loss_of(std::string_view hook, std::string_view method);

// All hooks that loss_of() knows of.
std::vector<std::string_view> known_hooks();

// What would give a hook a better method: the remedies of those that were refused.
std::string remedy_of(const Choice& choice);

}  // namespace sockeye
