// SPDX-License-Identifier: Apache-2.0
// `sockeye who`: every TCP socket that there is now, in all network namespaces, with its owner.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <bit>
#include <chrono>
#include <memory>

#include "aggregate/holder_join.h"
#include "base/text.h"
#include "bpf/filter.h"
#include "cli/commands/commands.h"
#include "cli/filter_options.h"
#include "cli/messages.h"
#include "cli/run_options.h"
#include "cli/run_output.h"
#include "pipeline/container_gate.h"
#include "source/iterator_source.h"

namespace sockeye {
namespace {

constexpr std::string_view kName = "who";

struct WhoWords {
  RunWords run;
  FilterOptions filter;
  bool listen = false;
};

// What the words mean.
struct Look {
  RunOptions run;
  filter_rules filters;
  ContainerFilter containers;
};

struct WhoResult {
  RunTotals totals;
  IteratorReport read;
  std::string holders_limitation;
};

Result<filter_rules> filters_of(const WhoWords& words) {
  auto filters = parse_filter(words.filter);
  if (filters && words.listen) filters->states = 1 << TCP_LISTEN;
  return filters;
}

Result<Look> understand(const WhoWords& words) {
  auto run = parse_run_options(words.run);
  if (!run) return run.error();
  auto filters = filters_of(words);
  if (!filters) return filters.error();
  auto containers = parse_containers(words.filter);
  if (!containers) return containers.error();
  return Look{std::move(*run), *filters, std::move(*containers)};
}

constexpr std::chrono::milliseconds kNamePatience(1000);  // for daemons that know names which no file tells

constexpr int kNoMap = -1;  // containers are asked for here alone

ContainerQuestions questions_of(const ContainerFilter& filter, ContainerGate& gate) {
  if (!filter.is_active()) return {};
  return {.wants = [&gate](const ::owner& process) { return gate.wants(process); },
          .excludes = [&gate](const ::owner& process) { return gate.excludes(process); },
          .needs_holder = !filter.wanted.empty()};
}

Result<WhoResult> look(const RunOptions& options, const filter_rules& filters, const ContainerFilter& containers) {
  const Collector* collector = find_collector(kName);
  Signals signals(hangup_of(options));
  auto sinks = make_sinks(options, {collector}, &signals);
  if (!sinks) return sinks.error();

  Enricher enricher;
  ObjectOptions object_options;
  object_options.collectors = {kName};
  object_options.btf_file = options.btf_file;
  object_options.filters = without_owner_rules(filters);
  auto object = Object::load(object_options);
  if (!object) return object.error();
  if (!options.quiet) say_what_is_missing(**object);
  ContainerGate gate(containers, enricher, kNoMap);
  enricher.prepare(kNamePatience);
  SocketHolders holders;
  holders.read(**object);
  HolderJoin join(holders, filters, questions_of(containers, gate));

  // The kernel side would leave them out as well, after a walk through them.
  const auto named = static_cast<size_t>(std::popcount(filters.netns_inodes.wanted));
  const NamespaceWalk::Wanted wanted = {
      .takes = [&filters](uint32_t inode) { return filter_netns(&filters, inode) != 0; },
      .most = named > 0 ? named : SIZE_MAX};
  IteratorSource source(**object, "visit_socket", wanted, [&join](auto visit) { return join.complete(visit); });
  const SystemClock clock;
  Pipeline pipeline(source, enricher, sinks->all(), signals, clock, say);
  WhoResult result;
  result.totals = pipeline.run({std::nullopt, options.count, options.end_record, {}});
  result.holders_limitation = holders.limitation();
  result.read = source.report();
  if (result.read.namespaces == 0 && !result.read.limitation.empty() && !result.read.is_cut_short) {
    return Error{ErrorCode::kFailed, result.read.limitation, ""};
  }
  return result;
}

void say_result(const WhoResult& result, bool quiet) {
  const uint64_t lost = result.totals.losses.events();
  const std::string shown = counted(result.totals.delivered, "TCP socket");
  if (!quiet && result.read.is_cut_short) {
    say("it ended after " + shown + ": there may be more");
  } else if (!quiet) {
    say(shown + " in " + counted(static_cast<uint64_t>(result.read.namespaces), "network namespace"));
  }
  if (lost > 0)
    say_totals(result.totals, "socket");
  else
    say_left_out(result.totals, "socket");
  if (!result.holders_limitation.empty()) say("holders are incomplete: " + result.holders_limitation);
  if (result.read.unvisited > 0) {
    say(counted(static_cast<uint64_t>(result.read.unvisited), "network namespace") +
        " could not be looked into: " + result.read.limitation);
  } else if (!result.read.limitation.empty()) {
    say("there may be more sockets: " + result.read.limitation);
  }
}

int look_and_report(const Look& wanted) {
  const auto result = look(wanted.run, wanted.filters, wanted.containers);
  if (!result) return report(result.error());
  say_result(*result, wanted.run.quiet);
  const bool incomplete = result->totals.incomplete() || !result->read.limitation.empty();
  const bool failed = could_not_write(result->totals) || (incomplete && wanted.run.strict);
  return failed ? static_cast<int>(ErrorCode::kFailed) : 0;
}

}  // namespace

void add_who_command(CLI::App& app, Chosen& chosen) {
  auto words = std::make_shared<WhoWords>();
  CLI::App* command = app.add_subcommand(std::string(kName), std::string(find_collector(kName)->summary));
  command->add_flag("--listen", words->listen, "listeners only");
  add_output_options(*command, words->run);
  add_btf_option(*command, words->run.btf_file);
  add_filter_options(*command, words->filter);
  command->callback([words, &chosen] { chosen = [words] { return work_of(understand(*words), look_and_report); }; });
}

}  // namespace sockeye
