// SPDX-License-Identifier: Apache-2.0
// `sockeye counts`: TCP sockets per state, from the counters in the kernel.
#include <poll.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
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
  std::string interval;
  std::string by;
  RunWords run;
  bool watch = false;
};

struct CountsOptions {
  std::optional<nanoseconds> interval;  // none: print once
  std::optional<nanoseconds> duration;
  std::optional<GroupBy> by;
  std::string btf_file;
  int ready_fd;
  bool json;
};

// Until the time has come; false: a signal came first.
bool wait_until(steady_clock::time_point when, Signals& signals) {
  while (!signals.stop_requested()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(when - steady_clock::now()).count();
    if (left <= 0) return true;
    pollfd wakes = {signals.fd(), POLLIN, 0};
    poll(&wakes, 1, static_cast<int>(std::min<int64_t>(left, 3'600'000)));
    signals.poll();
  }
  return false;
}

Status print_reading(SocketCounts& counts, Enricher& enricher, const CountsOptions& options, Output& output,
                     WallTime& wall) {
  enricher.begin_batch();
  const auto reading = counts.read();
  if (!reading) return reading.error();
  Buffer text(4096);
  wall.recheck();
  if (options.json) {
    add_counts_json(text, *reading, wall);
  } else {
    const int columns = output.screen().columns;
    if (reading->grouped)
      add_grouped_counts_table(text, *reading, columns);
    else
      add_counts_table(text, *reading, columns);
    if (options.interval) text.add('\n');
  }
  output.write(text.view());
  if (const std::string complaint = output.take_complaint(); !complaint.empty()) say(complaint);
  return Ok{};
}

Status run_counts(const CountsOptions& options) {
  Signals signals;
  const SystemClock clock;
  WallTime wall(clock);
  Output output = Output::standard(&signals);
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
    if (!owners.shortcoming.empty()) say("the owners are not complete: " + owners.shortcoming);
  }
  tell_ready(options.ready_fd);

  const auto start = steady_clock::now();
  const auto end = options.duration ? start + *options.duration : steady_clock::time_point::max();
  if (!options.interval) {
    if (options.duration) wait_until(end, signals);
    return print_reading(*counts, enricher, options, output, wall);
  }
  for (auto next = start; next <= end && !output.is_closed(); next += *options.interval) {
    if (!wait_until(next, signals)) return Ok{};
    SOCKEYE_TRY(print_reading(*counts, enricher, options, output, wall));
    next = std::max(next, steady_clock::now() - *options.interval);
  }
  if (options.duration && !output.is_closed()) wait_until(end, signals);
  return Ok{};
}

Result<CountsOptions> understand(const CountsWords& words) {
  const auto run = parse_run_options(words.run);
  if (!run) return run.error();
  CountsOptions options{.interval = {},
                        .duration = run->duration,
                        .by = {},
                        .btf_file = run->btf_file,
                        .ready_fd = run->ready_fd,
                        .json = words.run.json};
  if (!words.by.empty()) {
    options.by = parse_group_by(words.by);
    if (!options.by) {
      return Error{ErrorCode::kUsage, "--by " + printable(words.by) + ": sockets cannot be grouped by this",
                   "it is one of comm, container, netns and port"};
    }
  }
  if (!words.watch) return options;
  const auto interval = parse_duration(words.interval.empty() ? kDefaultInterval : words.interval);
  if (!interval) {
    return Error{ErrorCode::kUsage, "--watch " + printable(words.interval) + ": this is not a length of time",
                 interval.error().hint};
  }
  options.interval = *interval;
  return options;
}

int run_and_report(const CountsOptions& options) {
  const auto done = run_counts(options);
  return done ? 0 : report(done.error());
}

}  // namespace

void add_counts_command(CLI::App& app, Chosen& chosen) {
  auto words = std::make_shared<CountsWords>();
  CLI::App* command = app.add_subcommand("counts", "TCP sockets per state now, in all network namespaces");
  CLI::Option* watch = command->add_option("--watch", words->interval, "again and again, each second or this long");
  watch->expected(0, 1)->default_str(kDefaultInterval);
  command->add_option(
      "--by", words->by,
      "in groups, as the sockets are visited: comm (of the owner), container, netns or port (of the service)");
  command->add_flag("--json", words->run.json, "one object a line");
  command->add_option("--duration", words->run.duration,
                      "count for this long, then print; with --watch: stop after it");
  add_btf_option(*command, words->run.btf_file);
  command->add_option("--ready-fd", words->run.ready_fd,
                      "write a byte to this descriptor once the counters are seeded");
  command->callback([words, watch, &chosen] {
    words->watch = watch->count() > 0;
    chosen = [words] { return work_of(understand(*words), run_and_report); };
  });
}

}  // namespace sockeye
