// SPDX-License-Identifier: Apache-2.0
// `sockeye who`: every TCP socket that there is now, in all network namespaces, with its owner.
#include <CLI/CLI.hpp>
#include <memory>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/filter_options.h"
#include "cli/messages.h"
#include "cli/run_options.h"
#include "cli/run_report.h"
#include "run/run.h"

namespace sockeye {
namespace {

constexpr std::string_view kName = "who";

struct WhoWords {
  RunWords run;
  FilterOptions filter;
  bool listen = false;
};

Result<RunOptions> understand(const WhoWords& words) {
  auto options = parse_run_options(words.run);
  if (!options) return options.error();
  RunSpec& spec = options->spec;
  spec.collectors = {{find_collector(kName)}};
  SOCKEYE_TRY(add_filters(words.filter, spec));
  if (words.listen) spec.filters.states = 1 << TCP_LISTEN;
  return options;
}

void say_result(const RunResult& result, bool quiet) {
  const uint64_t lost = result.totals.losses.events();
  const std::string shown = counted(result.totals.delivered, "TCP socket");
  if (!quiet && result.visits.is_cut_short) {
    say("it ended after " + shown + ": there may be more");
  } else if (!quiet) {
    say(shown + " in " + counted(static_cast<uint64_t>(result.visits.namespaces), "network namespace"));
  }
  if (lost > 0)
    say_totals(result.totals, "socket");
  else
    say_left_out(result.totals, "socket");
  if (!result.holders_limitation.empty()) say("holders are incomplete: " + result.holders_limitation);
  if (result.visits.unvisited > 0) {
    say(counted(static_cast<uint64_t>(result.visits.unvisited), "network namespace") +
        " could not be looked into: " + result.visits.limitation);
  } else if (!result.visits.limitation.empty()) {
    say("there may be more sockets: " + result.visits.limitation);
  }
}

int look_and_report(const RunOptions& options) {
  auto run = Run::start(options.spec, say);
  if (!run) return report(run.error());
  if (!options.quiet) say_what_is_missing(*(*run)->object());
  const auto result = (*run)->go();
  if (!result) return report(result.error());
  say_result(*result, options.quiet);
  const bool incomplete = result->totals.incomplete() || !result->visits.limitation.empty();
  const bool failed = could_not_write(result->totals) || (incomplete && options.strict);
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
