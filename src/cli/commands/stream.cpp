// SPDX-License-Identifier: Apache-2.0
// Streams of events: `sockeye <collector>` and `sockeye trace <collector>,<collector>`.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "aggregate/totals_source.h"
#include "base/text.h"
#include "bpf/heirs.h"
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
#include "pipeline/translator.h"
#include "source/cgroup_news.h"
#include "source/ring_source.h"

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

// What is counted in place of events, and how it is handed out.
struct TotalsWanted {
  TotalsBy by;
  std::optional<std::chrono::nanoseconds> interval;
};

// What the words mean.
struct Stream {
  std::vector<const Collector*> wanted;  // with `totals` one, which has rows
  std::optional<TotalsWanted> totals = {};
  RunOptions run;
  filter_rules filters;
  ContainerFilter containers;
  bool accept_owner;
  bool connect_errors;
};

Result<std::vector<const Collector*>> parse_collectors(const std::vector<std::string>& words) {
  std::vector<const Collector*> wanted;
  for (const std::string& word : words) {
    const Collector* collector = find_collector(word);
    if (collector && !collector->has_stream) {
      const std::string_view events = collector->totals_of;
      return Error{
          ErrorCode::kUsage, word + " is no stream of events",
          "it is a command of its own: sockeye " + (events.empty() ? word : std::string(events) + " --totals")};
    }
    if (!collector) return no_such_collector(word, [](const Collector& each) { return each.has_stream; });
    if (std::count(wanted.begin(), wanted.end(), collector) == 0) wanted.push_back(collector);
  }
  return wanted;
}

bool goes_beside(const Collector& collector, std::string_view main) {
  return find_view(collector.event, main) != nullptr;
}

// --with: other collectors' events as lines of the same form.
Status add_companions(const StreamWords& words, Stream& stream) {
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
    if (std::count(stream.wanted.begin(), stream.wanted.end(), collector) == 0) stream.wanted.push_back(collector);
    stream.run.view = main;
  }
  return Ok{};
}

// The collector that counts what this one tells; null: there is none.
const Collector* totals_of(std::string_view name) {
  const auto found = std::find_if(collectors().begin(), collectors().end(),
                                  [name](const Collector* each) { return each->totals_of == name && !name.empty(); });
  return found == collectors().end() ? nullptr : *found;
}

Result<TotalsBy> parse_totals_by(const std::string& word) {
  if (word.empty() || word == "connection") return TotalsBy::kConnection;
  if (word == "process") return TotalsBy::kProcess;
  if (word == "container") return TotalsBy::kContainer;
  return Error{ErrorCode::kUsage, "--by " + printable(word) + ": totals cannot be grouped by this",
               "it is one of connection, process and container"};
}

// --totals: its collector in place of what it counts. Views are called as groups are.
Status choose_totals(const StreamWords& words, Stream& stream) {
  if (!words.totals) {
    const std::string stray = !words.by.empty() ? "--by" : !words.interval.empty() ? "--interval" : "";
    if (stray.empty()) return Ok{};
    return Error{ErrorCode::kUsage, stray + ": there are no totals", "it goes with --totals"};
  }
  const auto by = parse_totals_by(words.by);
  if (!by) return by.error();
  stream.totals = TotalsWanted{*by, {}};
  if (!words.interval.empty()) {
    const auto interval = parse_duration(words.interval);
    if (!interval) {
      return Error{ErrorCode::kUsage, "--interval " + printable(words.interval) + ": not a duration",
                   interval.error().hint};
    }
    stream.totals->interval = *interval;
  }
  stream.wanted = {totals_of(words.collectors.front())};
  stream.run.view = words.by;
  return Ok{};
}

// Where events come from: events out of the ring, or rows. Before anything is attached.
Result<std::unique_ptr<Source>> open_source(const Stream& stream, Object& object, Enricher& enricher,
                                            const Clock& clock) {
  if (!stream.totals) {
    auto ring = RingSource::open(object);
    if (!ring) return ring.error();
    return std::unique_ptr<Source>(std::move(*ring));
  }
  const Collector& collector = *stream.wanted.front();
  auto sweep = RowSweep::open(object, collector);
  if (!sweep) return sweep.error();
  return std::unique_ptr<Source>(std::make_unique<TotalsSource>(object, std::move(*sweep), collector, stream.totals->by,
                                                                stream.totals->interval, clock, enricher));
}

void say_snapshot(const SnapshotReport& report) {
  say("watching; found owners for " + counted(report.owned, "existing TCP socket") + " (" +
      with_thousands((report.took_us + 500) / 1000) + " ms)");
  if (!report.limitation.empty()) say("owners of existing sockets are incomplete: " + report.limitation);
}

Result<RunTotals> run_stream(const Stream& stream) {
  const RunOptions& options = stream.run;
  Signals signals(hangup_of(options));
  auto sinks = make_sinks(options, stream.wanted, &signals);
  if (!sinks) return sinks.error();

  Enricher enricher;
  ObjectOptions object_options;
  for (const Collector* collector : stream.wanted) object_options.collectors.push_back(collector->event.name);
  object_options.ring_bytes = options.ring_bytes;
  object_options.filters = with_containers(stream.filters, stream.containers, enricher);
  object_options.new_cgroups = true;
  object_options.accept_owner = stream.accept_owner;
  object_options.connect_errors = stream.connect_errors;
  object_options.btf_file = options.btf_file;
  const SystemClock clock;
  std::unique_ptr<Source> source;
  std::optional<CgroupNews> news;
  std::optional<ContainerGate> gate;
  const auto prepare = [&](Object& object) -> Status {
    auto opened = open_source(stream, object, enricher, clock);
    if (!opened) return opened.error();
    source = std::move(*opened);
    news.emplace(object);
    gate.emplace(stream.containers, enricher, object.map_fd("verdict_by_container"));
    gate->seed();
    return Ok{};
  };
  // Attach first, then look at what is there: what changes meanwhile is an event.
  const auto object = Object::start(object_options, prepare);
  if (!object) return object.error();
  const SnapshotReport snapshot = take_snapshot(**object);
  if (!options.quiet) {
    say_what_is_missing(**object);
    say_snapshot(snapshot);
  }
  tell_ready(options.ready_fd);

  std::vector<const EventType*> types;
  for (const Collector* collector : stream.wanted) types.push_back(&collector->event);
  Translator translator(types, Translations(), clock);
  std::function<void(Batch&)> annotate;
  if (translator.is_wanted()) annotate = [&translator](Batch& batch) { translator.fill(batch); };

  Heirs heirs(**object);
  Pipeline pipeline(*source, enricher, sinks->all(), signals, clock, say);
  const auto read_news = [&] {
    heirs.look();
    gate->retry();
    news->read([&gate](const container_key& cgroup) { gate->hear_of(cgroup); });
  };
  const RunTotals totals = pipeline.run(
      {options.duration, options.count, options.end_record, gate->wanted(), annotate, read_news, news->wake_fd()});
  say_what_found_no_room((*object)->counters());
  SOCKEYE_TRY(source->status());
  return totals;
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

Result<Stream> understand(const StreamWords& words) {
  auto run = parse_run_options(words.run);
  if (!run) return run.error();
  auto wanted = parse_collectors(words.collectors);
  if (!wanted) return wanted.error();
  SOCKEYE_TRY(check_active_only(words));
  auto filters = parse_filter(words.filter);
  if (!filters) return filters.error();
  auto containers = parse_containers(words.filter);
  if (!containers) return containers.error();
  Stream stream{std::move(*wanted),  {}, std::move(*run), *filters, std::move(*containers), words.accept_owner,
                words.connect_errors};
  SOCKEYE_TRY(add_companions(words, stream));
  SOCKEYE_TRY(choose_totals(words, stream));
  return stream;
}

int run_and_report(const Stream& stream) {
  const auto totals = run_stream(stream);
  if (!totals) return report(totals.error());
  if (!stream.run.quiet || totals->tells()) say_totals(*totals, stream.totals ? "total" : "event");
  return totals->incomplete() && stream.run.strict ? static_cast<int>(ErrorCode::kFailed) : 0;
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

// Where there is something that counts its events.
void add_totals_options(CLI::App& command, StreamWords& words) {
  if (!totals_of(words.collectors.front())) return;
  command.add_flag("--totals", words.totals, "aggregate in the kernel and show totals instead of events");
  command.add_option("--by", words.by, "with --totals: counted by connection (default), process or container");
  command.add_option("--interval", words.interval,
                     "with --totals: show them after each of these (default: at the end)");
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
    add_totals_options(*command, *words);
    add_stream_options(*command, words, chosen);
  }
  auto words = std::make_shared<StreamWords>();
  CLI::App* trace = app.add_subcommand("trace", "several collectors in one stream, ordered by time");
  trace->add_option("collectors", words->collectors, "names, separated by commas")->delimiter(',')->required();
  add_stream_options(*trace, words, chosen);
}

}  // namespace sockeye
