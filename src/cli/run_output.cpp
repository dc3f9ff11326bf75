// SPDX-License-Identifier: Apache-2.0
#include "cli/run_output.h"

#include <sys/utsname.h>

#include "base/text.h"
#include "base/time_zone.h"
#include "cli/messages.h"

namespace sockeye {
namespace {

RunFacts facts_of_this_run(const RunOptions& options) {
  utsname system{};
  uname(&system);
  RunFacts facts = {{std::string(kVersionFact), SOCKEYE_VERSION},
                    {std::string(kKernelFact), system.release},
                    {std::string(kZoneFact), zone_rule(SystemClock().wall_ns())}};
  if (!options.view.empty()) facts.emplace_back(kViewFact, options.view);
  return facts;
}

// Into a file that no other sink writes to: they would write into each other's lines.
Status add_sink(Sinks& sinks, const std::string& option, Result<Output> file, const SinkOptions& options) {
  if (!file) return Error{file.error().code, option + " " + printable(file.error().what), file.error().hint};
  for (const auto& sink : sinks.owned) {
    if (sink->output().is_same_file(*file)) {
      return Error{ErrorCode::kUsage, option + ": another output of this run goes to the same file",
                   "name another file"};
    }
  }
  sinks.owned.push_back(make_sink(std::move(*file), options));
  return Ok{};
}

}  // namespace

Signals::Hangup hangup_of(const RunOptions& options) {
  return options.log_file.empty() ? Signals::Hangup::kStops : Signals::Hangup::kReopens;
}

void say_what_is_missing(const Object& object) {
  for (const Limitation& limitation : object.plan().limitations()) say(limitation.sentence());
}

void say_what_found_no_room(const kernel_counters& counters) {
  if (counters.listeners_left_out > 0) {
    say("no room for " + counted(counters.listeners_left_out, "listener") +
        ": their new connections have no owner until they are used, and full accept queues of theirs may be missing");
  }
  if (counters.processes_untracked > 0) {
    say("no room for " + with_thousands(counters.processes_untracked) + " processes with sockets" +
        ": they may be shown as owners when they have ended");
  }
}

void say_totals(const RunTotals& totals, const std::string& what) {
  std::string line = counted(totals.delivered, what) + ", " + with_thousands(totals.losses.events()) + " lost";
  for (size_t i = 0; i < kLossReasons; ++i) {
    if (totals.losses.count[i] == 0) continue;
    const LossName name = name_of(static_cast<LossReason>(i));
    line +=
        ", " + with_thousands(totals.losses.count[i]) + " " + std::string(name.stage) + "/" + std::string(name.reason);
  }
  if (totals.filtered > 0) line += ", " + with_thousands(totals.filtered) + " left out by a filter here";
  if (totals.late > 0) line += ", " + with_thousands(totals.late) + " late";
  say(line);
  if (totals.table_full > 0) {
    say(counted(totals.table_full, "event") +
        " into CLOSE may have left TIME_WAIT behind: the TIME_WAIT table was full (TCPTimeWaitOverflow)");
  }
  say_left_out(totals, what);
}

bool could_not_write(const RunTotals& totals) { return totals.unwritten > 0; }

void say_left_out(const RunTotals& totals, const std::string& what) {
  if (totals.without_role > 0) {
    say("--direction left out " + counted(totals.without_role, what) +
        " of connections that nobody knows the opener of");
  }
  if (totals.anomalies > 0) {
    say(counted(totals.anomalies, "counter") +
        " did not fit together: 0 was taken for the difference, or it was left out");
  }
}

std::vector<Sink*> Sinks::all() const {
  std::vector<Sink*> pointers;
  for (const auto& sink : owned) pointers.push_back(sink.get());
  return pointers;
}

Result<Sinks> make_sinks(const RunOptions& options, const std::vector<const Collector*>& wanted, Signals* signals,
                         const RunFacts& facts) {
  const bool is_recorded = options.format == "recording" || !options.record_file.empty();
  SinkOptions shown{.format = options.format,
                    .types = {},
                    .colour = options.colour,
                    .times = options.times,
                    .view = options.view,
                    .facts = is_recorded && facts.empty() ? facts_of_this_run(options) : facts,
                    .json_version = options.json_version};
  for (const Collector* collector : wanted) shown.types.push_back(&collector->event);
  Sinks sinks;
  sinks.owned.push_back(make_sink(Output::standard(signals), shown));
  if (!options.log_file.empty()) {
    SOCKEYE_TRY(add_sink(sinks, "--log-file", Output::file(options.log_file, signals),
                         {.format = "line", .types = shown.types, .view = shown.view}));
  }
  if (!options.record_file.empty()) {
    SOCKEYE_TRY(add_sink(sinks, "--record", Output::new_file(options.record_file, signals),
                         {.format = "recording", .types = shown.types, .facts = shown.facts}));
  }
  return sinks;
}

}  // namespace sockeye
