// SPDX-License-Identifier: Apache-2.0
// `sockeye replay FILE`: what a recording holds, as the run that made it would have shown it. Nothing of the machine it
// runs on is looked at.
#include <CLI/CLI.hpp>
#include <memory>

#include "base/text.h"
#include "base/time_zone.h"
#include "cli/command_line.h"
#include "cli/commands/commands.h"
#include "cli/filter_options.h"
#include "cli/messages.h"
#include "cli/run_options.h"
#include "cli/run_output.h"
#include "source/replay_source.h"

namespace sockeye {
namespace {

struct ReplayWords {
  std::string file;
  std::vector<std::string> collectors;
  RunWords run;
  FilterOptions filter;
  bool listen = false;
};

// What the words mean.
struct Replay {
  std::string file;
  RunOptions run;
  ReplayOptions what;
};

std::string name_of(const Replay& replay) { return replay.file == "-" ? "standard input" : printable(replay.file); }

struct ReplayResult {
  RunTotals totals;
  std::optional<record::Damage> damage;
  uint64_t events = 0;
  uint64_t unknown = 0;
  std::string unknown_collectors;
};

Result<Replay> understand(ReplayWords words) {
  auto run = parse_run_options(words.run);
  if (!run) return run.error();
  ReplayOptions what;
  for (const std::string& word : words.collectors) {
    const Collector* collector = find_collector(word);
    if (!collector) return no_such_collector(word, [](const Collector&) { return true; });
    what.collectors.push_back(collector);
  }
  words.filter.by_numbers = true;
  auto filters = parse_filter(words.filter);
  if (!filters) return filters.error();
  what.filters = *filters;
  what.interfaces = named_interfaces(words.filter);
  auto containers = parse_containers(words.filter);
  if (!containers) return containers.error();
  what.containers = std::move(*containers);
  if (words.listen) what.filters.states = 1 << TCP_LISTEN;
  what.duration = run->duration;
  run->duration.reset();  // of recorded time: the source keeps it
  return Replay{words.file, std::move(*run), std::move(what)};
}

// Times are shown as they were there.
void use_zone_of(const record::Run& run) {
  const std::string zone(run.fact(kZoneFact));
  use_zone_rule(is_zone_rule(zone) ? zone : "UTC0");
}

Result<ReplayResult> play(const Replay& replay) {
  auto input = record::open_input(replay.file);
  if (!input) return Error{input.error().code, printable(input.error().what), input.error().hint};
  auto source = ReplaySource::open(std::move(*input), replay.what);
  if (!source) {
    return Error{source.error().code, name_of(replay) + ": " + printable(source.error().what),
                 printable(source.error().hint)};
  }
  use_zone_of((*source)->run());
  Signals signals(hangup_of(replay.run));
  RunOptions shown = replay.run;
  shown.view = (*source)->run().fact(kViewFact);
  auto sinks = make_sinks(shown, (*source)->collectors(), &signals, (*source)->run().facts);
  if (!sinks) return sinks.error();
  Pipeline pipeline(**source, sinks->all(), signals, (*source)->clock(), say);
  ReplayResult result;
  result.totals = pipeline.run({std::nullopt, replay.run.count, replay.run.end_record});
  result.damage = (*source)->damage();
  result.events = (*source)->events();
  result.unknown = (*source)->unknown();
  for (const std::string& name : (*source)->unknown_collectors()) {
    result.unknown_collectors += (result.unknown_collectors.empty() ? "" : ", ") + name;
  }
  return result;
}

void say_result(const Replay& replay, const ReplayResult& result) {
  if (!replay.run.quiet || result.totals.tells()) say_totals(result.totals, "event");
  if (!result.unknown_collectors.empty()) {
    say("it holds events of " + result.unknown_collectors + ", which this sockeye does not know");
  }
  if (result.unknown > 0) say(counted(result.unknown, "event") + " that this sockeye does not know were left out");
}

int play_and_report(const Replay& replay) {
  const auto result = play(replay);
  if (!result) return report(result.error());
  say_result(replay, *result);
  if (result->damage) {
    const record::Damage& damage = *result->damage;
    return report({ErrorCode::kFailed,
                   name_of(replay) + ": damaged at byte " + std::to_string(damage.position) + " (block " +
                       std::to_string(damage.block) + "): " + damage.why + "; " + counted(result->events, "event") +
                       " before it were read",
                   ""});
  }
  const bool failed = could_not_write(result->totals) || (result->totals.incomplete() && replay.run.strict);
  return failed ? static_cast<int>(ErrorCode::kFailed) : 0;
}

}  // namespace

void add_replay_command(CLI::App& app, Chosen& chosen) {
  auto words = std::make_shared<ReplayWords>();
  CLI::App* command = app.add_subcommand("replay", "what a recording holds (--record), in any format, by any filter");
  command->add_option("file", words->file, "the recording; - is standard input")->required();
  command->add_option("collectors", words->collectors, "show these collectors alone, separated by commas")
      ->delimiter(',');
  add_output_options(*command, words->run);
  add_duration_option(*command, words->run);
  add_filter_options(*command, words->filter);
  command->add_flag("--listen", words->listen, "of snapshots (who): listeners only");
  command->callback([words, &chosen] { chosen = [words] { return work_of(understand(*words), play_and_report); }; });
}

}  // namespace sockeye
