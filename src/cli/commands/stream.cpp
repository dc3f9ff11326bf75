// SPDX-License-Identifier: Apache-2.0
// Streams of events: `sockeye <collector>` and `sockeye trace <collector>,<collector>`.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "base/text.h"
#include "cli/command_line.h"
#include "cli/commands/commands.h"
#include "cli/filter_options.h"
#include "cli/messages.h"
#include "cli/run_options.h"
#include "cli/run_report.h"
#include "event/collector.h"
#include "run/run.h"

namespace sockeye {
namespace {

struct StreamWords {
  std::vector<std::string> collectors;
  std::vector<std::string> with;
  bool totals = false;
  std::string by, interval;
  RunWords run;
  FilterOptions filter;
  bool accept_owner = false;
  bool connect_errors = false;
};

// The collector that counts what this one tells; null: there is none.
const Collector* totals_of(std::string_view name) {
  const auto found = std::find_if(collectors().begin(), collectors().end(),
                                  [name](const Collector* each) { return each->totals_of == name && !name.empty(); });
  return found == collectors().end() ? nullptr : *found;
}

std::string counting_collectors() {
  std::string names;
  for (const Collector* each : collectors()) {
    if (!each->totals_of.empty()) names += (names.empty() ? "" : ", ") + std::string(each->totals_of);
  }
  return names;
}

Result<TotalsBy> parse_totals_by(const std::string& word) {
  if (word.empty() || word == "connection") return TotalsBy::kConnection;
  if (word == "process") return TotalsBy::kProcess;
  if (word == "container") return TotalsBy::kContainer;
  return Error{ErrorCode::kUsage, "--by " + printable(word) + ": totals cannot be grouped by this",
               "it is one of connection, process and container"};
}

// What is to be counted in place of events; none: nothing is. Without --interval it is shown at the end.
Result<std::optional<RowsWanted>> parse_rows(const StreamWords& words) {
  if (!words.totals && words.by.empty() && words.interval.empty()) return std::optional<RowsWanted>();
  RowsWanted rows;
  const auto by = parse_totals_by(words.by);
  if (!by) return by.error();
  rows.by = *by;
  if (!words.interval.empty()) {
    const auto interval = parse_duration("--interval", words.interval);
    if (!interval) return interval.error();
    rows.interval = *interval;
    rows.totals = words.totals;
  }
  return std::optional(rows);
}

void add_once(std::vector<CollectorSpec>& wanted, const CollectorSpec& one) {
  const bool is_there =
      std::any_of(wanted.begin(), wanted.end(), [&one](auto& each) { return each.collector == one.collector; });
  if (!is_there) wanted.push_back(one);
}

// A name of what counts (`retransmit_totals`) stands for rows of what it counts.
Result<std::vector<CollectorSpec>> parse_collectors(const StreamWords& words) {
  const auto rows = parse_rows(words);
  if (!rows) return rows.error();
  std::vector<CollectorSpec> wanted;
  for (const std::string& word : words.collectors) {
    const Collector* collector = find_collector(word);
    if (!collector) return no_such_collector(word, [](const Collector& each) { return each.has_stream; });
    const Collector* counts = collector->has_rows ? collector : totals_of(word);
    if (counts && (*rows || collector->has_rows)) {
      add_once(wanted, {counts, rows->value_or(RowsWanted())});
    } else if (collector->has_stream) {
      add_once(wanted, {collector});
    } else {
      return Error{ErrorCode::kUsage, word + " is no stream of events", "it is a command of its own: sockeye " + word};
    }
  }
  if (*rows && std::none_of(wanted.begin(), wanted.end(), [](auto& each) { return each.rows.has_value(); })) {
    const std::string option = words.totals ? "--totals" : !words.by.empty() ? "--by" : "--interval";
    return Error{ErrorCode::kUsage, option + ": none of these collectors counts",
                 "those that do: " + counting_collectors()};
  }
  return wanted;
}

bool goes_beside(const Collector& collector, std::string_view main) {
  return find_view(collector.event, main) != nullptr;
}

// --with: other collectors' events as lines of the same form.
Status add_companions(const StreamWords& words, RunSpec& spec) {
  const std::string& main = words.collectors.front();
  for (const std::string& word : words.with) {
    const auto may_be = [&](const Collector& each) { return goes_beside(each, main); };
    const Collector* collector = find_collector(word);
    if (!collector) return no_such_collector(word, may_be);
    if (!may_be(*collector)) {
      return Error{ErrorCode::kUsage, "--with " + word + ": it has no lines of the form of " + main,
                   collector->has_stream ? "several collectors in one stream: sockeye trace " + main + "," + word
                                         : "it is a command of its own: sockeye " + word};
    }
    add_once(spec.collectors, {collector});
    spec.view = main;
  }
  return Ok{};
}

// owners: those of sockets that were there before; null: nobody asks.
void say_watching(const SnapshotReport* owners) {
  if (!owners) return say("watching");
  say("watching; found owners for " + counted(owners->owned, "existing TCP socket") + " (" +
      with_thousands((owners->took_us + 500) / 1000) + " ms)");
  if (!owners->limitation.empty()) say("owners of existing sockets are incomplete: " + owners->limitation);
}

bool has_state(const std::string& name) {
  const EventType& type = find_collector(name)->event;
  return find_field(type, "state") || find_field(type, "new_state");
}

// --active-only asks for the state of a socket, which not every event has.
Status check_active_only(const StreamWords& words) {
  const std::vector<std::string>& names = words.collectors;
  if (!words.filter.active_only || std::any_of(names.begin(), names.end(), has_state)) return Ok{};
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : " and ") + name;
  return Error{ErrorCode::kUsage, "--active-only: events of " + all + " have no state to go by",
               "leave it out; see sockeye list --fields"};
}

// Filters about sockets, where no event is of one.
Status check_socket_filters(const StreamWords& words, const RunSpec& spec) {
  const std::string option(filter_about_sockets(words.filter));
  const auto& wanted = spec.collectors;
  const auto is_of_socket = [](const CollectorSpec& each) { return each.collector->event.sections.socket != 0; };
  if (option.empty() || std::any_of(wanted.begin(), wanted.end(), is_of_socket)) return Ok{};
  return Error{ErrorCode::kUsage,
               option + ": events of " + std::string(wanted.front().collector->event.name) + " are about no socket",
               "--pid, --comm, --uid, --cgroup and --container are about processes"};
}

Result<RunOptions> understand(const StreamWords& words) {
  auto options = parse_run_options(words.run);
  if (!options) return options.error();
  RunSpec& spec = options->spec;
  auto wanted = parse_collectors(words);
  if (!wanted) return wanted.error();
  spec.collectors = std::move(*wanted);
  SOCKEYE_TRY(check_active_only(words));
  SOCKEYE_TRY(check_socket_filters(words, spec));
  SOCKEYE_TRY(add_filters(words.filter, spec));
  spec.accept_owner = words.accept_owner;
  spec.connect_errors = words.connect_errors;
  spec.view = words.by;  // views of rows are called as groups are
  SOCKEYE_TRY(add_companions(words, spec));
  return options;
}

int run_and_report(const RunOptions& options) {
  auto run = Run::start(options.spec, say);
  if (!run) return report(run.error());
  if (!options.quiet) {
    say_what_is_missing(*(*run)->object());
    say_watching((*run)->owners_before());
  }
  tell_ready(options.ready_fd);
  const auto result = (*run)->go();
  say_what_found_no_room((*run)->object()->counters());
  if (!result) return report(result.error());
  const RunTotals& totals = result->totals;
  const auto& wanted = options.spec.collectors;
  const bool has_events = std::any_of(wanted.begin(), wanted.end(), [](auto& each) { return !each.rows; });
  if (!options.quiet || totals.tells()) say_totals(totals, has_events ? "event" : "total");
  return totals.incomplete() && options.strict ? static_cast<int>(ErrorCode::kFailed) : 0;
}

// Where something can be shown beside it.
void add_with_option(CLI::App& command, StreamWords& words) {
  std::string companions;
  for (const Collector* collector : collectors()) {
    if (!goes_beside(*collector, words.collectors.front())) continue;
    companions += (companions.empty() ? "" : ", ") + std::string(collector->event.name);
  }
  if (companions.empty()) return;
  command
      .add_option("--with", words.with, "also show these collectors' events, in the same line format: " + companions)
      ->delimiter(',');
}

void add_rows_options(CLI::App& command, StreamWords& words) {
  command.add_flag("--totals", words.totals, "count in the kernel, and show totals of the whole run instead of events");
  command.add_option("--interval", words.interval, "count, and show what was counted after each of these");
  command.add_option("--by", words.by, "count by connection (default), process or container");
}

void add_stream_options(CLI::App& command, const std::shared_ptr<StreamWords>& words, Chosen& chosen) {
  add_run_options(command, words->run);
  add_filter_options(command, words->filter);
  command.add_flag("--accept-owner", words->accept_owner,
                   "identify the accepting process even if that needs a hook on every system call (slow)");
  command.add_flag("--connect-errors", words->connect_errors,
                   "show connects that fail before their first SYN (no route, forbidden) even if that needs a hook on "
                   "every system call (slow)");
  command.callback([words, &chosen] { chosen = [words] { return work_of(understand(*words), run_and_report); }; });
}

}  // namespace

void add_stream_commands(CLI::App& app, Chosen& chosen) {
  for (const Collector* collector : collectors()) {
    if (!collector->has_stream) continue;
    auto words = std::make_shared<StreamWords>();
    words->collectors = {std::string(collector->event.name)};
    CLI::App* command = app.add_subcommand(words->collectors[0], std::string(collector->summary));
    add_with_option(*command, *words);
    if (totals_of(words->collectors[0])) add_rows_options(*command, *words);
    add_stream_options(*command, words, chosen);
  }
  auto words = std::make_shared<StreamWords>();
  CLI::App* trace = app.add_subcommand("trace", "several collectors in one stream, ordered by time");
  trace->add_option("collectors", words->collectors, "names, separated by commas")->delimiter(',')->required();
  add_rows_options(*trace, *words);
  add_stream_options(*trace, words, chosen);
}

}  // namespace sockeye
