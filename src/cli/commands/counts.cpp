// SPDX-License-Identifier: Apache-2.0
// `sockeye counts`: TCP sockets per state, from the counters in the kernel.
#include <poll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <iterator>
#include <memory>
#include <optional>

#include "aggregate/socket_counts.h"
#include "base/output.h"
#include "base/text.h"
#include "bpf/snapshot.h"
#include "cli/commands/commands.h"
#include "cli/counts_text.h"
#include "cli/messages.h"
#include "cli/run_options.h"
#include "enrich/enricher.h"

namespace sockeye {
namespace {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;

constexpr const char* kDefaultInterval = "1s";

struct CountsWords {
  std::string interval;  // empty: without --watch
  std::string by;
  RunWords run;
};

struct CountsOptions {
  std::optional<nanoseconds> interval;  // none: print once
  std::optional<nanoseconds> duration;
  std::optional<GroupBy> by;
  std::string btf_file;
  int ready_fd;
  bool json;
  int json_version;
  bool strict;
};

// Until the time has come; false: a signal came first, or nobody reads any more.
bool wait_until(steady_clock::time_point when, Signals& signals, const Output& output) {
  while (!signals.stop_requested()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(when - steady_clock::now()).count();
    if (left <= 0) return true;
    pollfd wakes[] = {{signals.fd(), POLLIN, 0}, {STDOUT_FILENO, 0, 0}};
    poll(wakes, std::size(wakes), static_cast<int>(std::min<int64_t>(left, 3'600'000)));
    signals.poll();
    if (output.is_closed()) return false;
  }
  return false;
}

// Shows one reading after the other, and remembers what became of them.
class Readings {
 public:
  Readings(const CountsOptions& options, Signals& signals, const Clock& clock)
      : options_(options), output_(Output::standard(&signals)), wall_(clock) {}

  Status print(SocketCounts& counts, Enricher& enricher) {
    enricher.begin_batch();
    const auto reading = counts.read();
    if (!reading) return reading.error();
    are_complete_ &= reading->is_drift_known;
    const auto written = output_.write_all(text_of(*reading).view());
    if (written) return Ok{};
    are_written_ = false;
    if (told_ == written.error().what) return Ok{};
    told_ = written.error().what;
    say(told_);
    return Ok{};
  }

  void miss_owners() { are_complete_ = false; }
  bool reader_has_gone() const { return output_.is_closed(); }
  const Output& output() const { return output_; }
  int exit_code() const {
    return are_written_ && (are_complete_ || !options_.strict) ? 0 : static_cast<int>(ErrorCode::kFailed);
  }

 private:
  Buffer text_of(const CountsReading& reading) {
    Buffer text(4096);
    wall_.recheck();
    const int columns = output_.screen().columns;
    if (options_.json) {
      add_counts_json(text, reading, wall_, options_.json_version);
      return text;
    }
    if (reading.grouped)
      add_grouped_counts_table(text, reading, columns);
    else
      add_counts_table(text, reading, columns);
    if (options_.interval) text.add('\n');
    return text;
  }

  const CountsOptions& options_;
  Output output_;
  WallTime wall_;
  bool are_complete_ = true;
  bool are_written_ = true;
  std::string told_;  // why the last one that was not could not be written
};

Result<int> run_counts(const CountsOptions& options) {
  Signals signals;
  const SystemClock clock;
  Readings readings(options, signals, clock);
  const bool owners = options.by && needs_owners(*options.by);
  Enricher enricher;
  std::optional<SocketGroups> groups;
  if (options.by) groups.emplace(*options.by, [&](const ::owner& who) { return enricher.of(who); });
  std::unique_ptr<SocketCounts> counts;
  const auto open = [&](Object& object) -> Status {
    auto opened = SocketCounts::open(object, clock, groups ? &*groups : nullptr);
    if (!opened) return opened.error();
    counts = std::move(*opened);
    return Ok{};
  };
  const auto object = Object::start({.collectors = {"counts"},
                                     .group_visits = options.by.has_value(),
                                     .owners = owners,
                                     .btf_file = options.btf_file},
                                    open);
  if (!object) return object.error();
  SOCKEYE_TRY(counts->seed());
  if (owners) {
    const SnapshotReport owners = take_snapshot(**object);
    if (!owners.limitation.empty()) {
      say("owners are incomplete: " + owners.limitation);
      readings.miss_owners();
    }
  }
  tell_ready(options.ready_fd);

  const auto start = steady_clock::now();
  const auto end = options.duration ? start + *options.duration : steady_clock::time_point::max();
  if (!options.interval) {
    if (options.duration) wait_until(end, signals, readings.output());
    SOCKEYE_TRY(readings.print(*counts, enricher));
    return readings.exit_code();
  }
  for (auto next = start; next <= end && !readings.reader_has_gone(); next += *options.interval) {
    if (!wait_until(next, signals, readings.output())) return readings.exit_code();
    SOCKEYE_TRY(readings.print(*counts, enricher));
    next = std::max(next, steady_clock::now() - *options.interval);
  }
  if (options.duration && !readings.reader_has_gone()) wait_until(end, signals, readings.output());
  return readings.exit_code();
}

Result<CountsOptions> understand(const CountsWords& words) {
  const auto run = parse_run_options(words.run);
  if (!run) return run.error();
  CountsOptions options{.interval = {},
                        .duration = run->spec.duration,
                        .by = {},
                        .btf_file = run->spec.btf_file,
                        .ready_fd = run->ready_fd,
                        .json = words.run.json,
                        .json_version = run->spec.sinks.front().json_version,
                        .strict = words.run.strict};
  if (!words.by.empty()) {
    options.by = parse_group_by(words.by);
    if (!options.by) {
      return Error{ErrorCode::kUsage, "--by " + printable(words.by) + ": sockets cannot be grouped by this",
                   "it is one of process, container, netns and port"};
    }
  }
  if (words.interval.empty()) return options;
  const auto interval = parse_duration("--watch", words.interval);
  if (!interval) return interval.error();
  options.interval = *interval;
  return options;
}

int run_and_report(const CountsOptions& options) {
  const auto exit_code = run_counts(options);
  return exit_code ? *exit_code : report(exit_code.error());
}

}  // namespace

void add_counts_command(CLI::App& app, Chosen& chosen) {
  auto words = std::make_shared<CountsWords>();
  CLI::App* command = app.add_subcommand("counts", "TCP sockets per state now, in all network namespaces");
  command->add_option("--watch", words->interval, "again and again, each second or this long")
      ->expected(0, 1)
      ->default_str(kDefaultInterval);
  command->add_option(
      "--by", words->by,
      "in groups, as the sockets are visited: process (name of the owner), container, netns or port (of the service)");
  command->add_flag("--json", words->run.json, "one object a line");
  add_json_version(*command, words->run);
  command->add_option("--duration", words->run.duration,
                      "count for this long, then print; with --watch: stop after it");
  command->add_flag("--strict", words->run.strict, "exit 1 if something could not be visited or was lost");
  add_btf_option(*command, words->run.btf_file);
  command->add_option("--ready-fd", words->run.ready_fd,
                      "write a byte to this descriptor once the counters are seeded");
  command->callback([words, &chosen] { chosen = [words] { return work_of(understand(*words), run_and_report); }; });
}

}  // namespace sockeye
