// SPDX-License-Identifier: Apache-2.0
// `sockeye replay FILE`: what a recording holds, as the run that made it would have shown it. Nothing of the machine it
// runs on is looked at.
#include <CLI/CLI.hpp>
#include <memory>

#include "base/text.h"
#include "cli/command_line.h"
#include "cli/commands/commands.h"
#include "cli/filter_options.h"
#include "cli/messages.h"
#include "cli/run_options.h"
#include "cli/run_report.h"
#include "run/run.h"

namespace sockeye {
namespace {

struct ReplayWords {
  std::string file;
  std::vector<std::string> collectors;
  RunWords run;
  FilterOptions filter;
  bool listen = false;
};

Result<RunOptions> understand(ReplayWords words) {
  auto options = parse_run_options(words.run);
  if (!options) return options.error();
  RunSpec& spec = options->spec;
  spec.recording = words.file;
  for (const std::string& word : words.collectors) {
    const Collector* collector = find_collector(word);
    if (!collector) return no_such_collector(word, [](const Collector&) { return true; });
    spec.collectors.push_back({collector});
  }
  words.filter.by_numbers = true;
  SOCKEYE_TRY(add_filters(words.filter, spec));
  if (words.listen) spec.filters.states = 1 << TCP_LISTEN;
  spec.interfaces = named_interfaces(words.filter);
  return options;
}

std::string joined(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  return all;
}

void say_result(const RunOptions& options, const RunResult& result) {
  if (!options.quiet || result.totals.tells()) say_totals(result.totals, "event");
  if (!result.collectors_unknown.empty()) {
    say("it holds events of " + joined(result.collectors_unknown) + ", which this sockeye does not know");
  }
  if (result.events_unknown > 0)
    say(counted(result.events_unknown, "event") + " that this sockeye does not know were left out");
}

int play_and_report(const RunOptions& options) {
  auto run = Run::start(options.spec, say);
  if (!run) return report(run.error());
  const auto result = (*run)->go();
  if (!result) return report(result.error());
  say_result(options, *result);
  if (result->damage) {
    const record::Damage& damage = *result->damage;
    return report({ErrorCode::kFailed,
                   name_of_recording(options.spec) + ": damaged at byte " + std::to_string(damage.position) +
                       " (block " + std::to_string(damage.block) + "): " + damage.why + "; " +
                       counted(result->events_read, "event") + " before it were read",
                   ""});
  }
  const bool failed = could_not_write(result->totals) || (result->totals.incomplete() && options.strict);
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
