// SPDX-License-Identifier: Apache-2.0
// Streams of events: `sockeye <collector>` and `sockeye trace <collector>,<collector>`.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "base/text.h"
#include "bpf/snapshot.h"
#include "cli/command_line.h"
#include "cli/commands/commands.h"
#include "cli/filter_options.h"
#include "cli/messages.h"
#include "cli/run_options.h"
#include "cli/run_output.h"
#include "event/collector.h"
#include "pipeline/container_gate.h"
#include "pipeline/pipeline.h"
#include "source/cgroup_news.h"
#include "source/ring_source.h"

namespace sockeye {
namespace {

struct StreamWords {
  std::vector<std::string> collectors;
  RunWords run;
  FilterOptions filter;
  bool accept_owner = false;
};

// What the words mean.
struct Stream {
  std::vector<const Collector*> wanted;
  RunOptions run;
  filter_rules filters;
  ContainerFilter containers;
  bool accept_owner;
};

Result<std::vector<const Collector*>> parse_collectors(const std::vector<std::string>& words) {
  std::vector<const Collector*> wanted;
  for (const std::string& word : words) {
    const Collector* collector = find_collector(word);
    if (collector && !collector->has_stream) {
      return Error{ErrorCode::kUsage, word + " is no stream of events", "it is a command of its own: sockeye " + word};
    }
    if (!collector) return no_such_collector(word, [](const Collector& each) { return each.has_stream; });
    if (std::count(wanted.begin(), wanted.end(), collector) == 0) wanted.push_back(collector);
  }
  return wanted;
}

void say_snapshot(const SnapshotReport& report) {
  say(counted(report.owned, "TCP socket") + " had an owner already; looked at in " +
      with_thousands((report.took_us + 500) / 1000) + " ms");
  if (!report.shortcoming.empty()) say("the owners of before are not complete: " + report.shortcoming);
}

Result<RunTotals> run_stream(const Stream& stream) {
  const RunOptions& options = stream.run;
  Signals signals;
  auto sinks = make_sinks(options, stream.wanted, &signals);
  if (!sinks) return sinks.error();

  Enricher enricher;
  ObjectOptions object_options;
  for (const Collector* collector : stream.wanted) object_options.collectors.push_back(collector->event.name);
  object_options.ring_bytes = options.ring_bytes;
  object_options.filters = with_containers(stream.filters, stream.containers, enricher);
  object_options.new_cgroups = true;
  object_options.accept_owner = stream.accept_owner;
  object_options.btf_file = options.btf_file;
  auto object = Object::load(object_options);
  if (!object) return object.error();
  auto source = RingSource::open(**object);
  if (!source) return source.error();

  CgroupNews news(**object);
  ContainerGate gate(stream.containers, enricher, (*object)->map_fd("verdict_by_container"));
  gate.seed();
  // Attach first, then look at what is there: what changes meanwhile is an event.
  SOCKEYE_TRY((*object)->attach());
  const SnapshotReport snapshot = take_snapshot(**object);
  if (!options.quiet) {
    say_what_is_missing(**object);
    say_snapshot(snapshot);
  }
  tell_ready(options.ready_fd);

  const SystemClock clock;
  Pipeline pipeline(**source, enricher, sinks->all(), signals, clock, say);
  const auto read_news = [&] {
    gate.retry();
    news.read([&gate](const container_key& cgroup) { gate.hear_of(cgroup); });
  };
  return pipeline.run({options.duration, options.count, options.end_record, gate.wanted(), read_news, news.wake_fd()});
}

Result<Stream> understand(const StreamWords& words) {
  auto run = parse_run_options(words.run);
  if (!run) return run.error();
  auto wanted = parse_collectors(words.collectors);
  if (!wanted) return wanted.error();
  auto filters = parse_filter(words.filter);
  if (!filters) return filters.error();
  auto containers = parse_containers(words.filter);
  if (!containers) return containers.error();
  return Stream{std::move(*wanted), std::move(*run), *filters, std::move(*containers), words.accept_owner};
}

int run_and_report(const Stream& stream) {
  const auto totals = run_stream(stream);
  if (!totals) return report(totals.error());
  const bool lost = totals->losses.any();
  if (!stream.run.quiet || lost || totals->table_full > 0) say_totals(*totals, "events");
  return lost && stream.run.strict ? static_cast<int>(ErrorCode::kFailed) : 0;
}

void add_stream_options(CLI::App& command, const std::shared_ptr<StreamWords>& words, Chosen& chosen) {
  add_run_options(command, words->run);
  add_filter_options(command, words->filter);
  command.add_flag("--accept-owner", words->accept_owner,
                   "name who accepts a connection also where only a hook on every system call can tell");
  command.callback([words, &chosen] { chosen = [words] { return work_of(understand(*words), run_and_report); }; });
}

}  // namespace

void add_stream_commands(CLI::App& app, Chosen& chosen) {
  for (const Collector* collector : collectors()) {
    if (!collector->has_stream) continue;
    auto words = std::make_shared<StreamWords>();
    words->collectors = {std::string(collector->event.name)};
    CLI::App* command = app.add_subcommand(words->collectors[0], std::string(collector->summary));
    add_stream_options(*command, words, chosen);
  }
  auto words = std::make_shared<StreamWords>();
  CLI::App* trace = app.add_subcommand("trace", "several collectors in one stream, ordered by time");
  trace->add_option("collectors", words->collectors, "names, separated by commas")->delimiter(',')->required();
  add_stream_options(*trace, words, chosen);
}

}  // namespace sockeye
