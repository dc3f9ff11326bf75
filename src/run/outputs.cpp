// SPDX-License-Identifier: Apache-2.0
#include "run/outputs.h"

#include <sys/utsname.h>

#include <algorithm>

#include "base/text.h"
#include "base/time_zone.h"

namespace sockeye {
namespace {

constexpr std::string_view kRecording = "recording";

RunFacts facts_of_this_run(const RunSpec& spec) {
  utsname system{};
  uname(&system);
  RunFacts facts = {{std::string(kVersionFact), SOCKEYE_VERSION},
                    {std::string(kKernelFact), system.release},
                    {std::string(kZoneFact), zone_rule(SystemClock().wall_ns())}};
  if (!spec.view.empty()) facts.emplace_back(kViewFact, spec.view);
  return facts;
}

// A recording is a file of its own: whatever is there already is no part of it.
Result<Output> open_output(const SinkSpec& spec, Signals& signals) {
  if (spec.option.empty()) return Output::standard(&signals);
  auto file = spec.format == kRecording ? Output::new_file(spec.path, &signals) : Output::file(spec.path, &signals);
  if (!file) return Error{file.error().code, spec.option + " " + printable(file.error().what), file.error().hint};
  return file;
}

}  // namespace

Result<Outputs> Outputs::open(const RunSpec& spec, std::span<const Collector* const> collectors, Signals& signals,
                              const RunFacts* recorded) {
  std::vector<const EventType*> types;
  for (const Collector* collector : collectors) types.push_back(&collector->event);
  const bool is_recorded =
      std::any_of(spec.sinks.begin(), spec.sinks.end(), [](auto& sink) { return sink.format == kRecording; });
  const RunFacts facts = recorded ? *recorded : is_recorded ? facts_of_this_run(spec) : RunFacts();
  Outputs outputs;
  for (const SinkSpec& sink : spec.sinks) {
    auto output = open_output(sink, signals);
    if (!output) return output.error();
    // They would write into each other's lines.
    for (const auto& other : outputs.sinks_) {
      if (!sink.option.empty() && other->output().is_same_file(*output)) {
        return Error{ErrorCode::kUsage, sink.option + ": another output of this run goes to the same file",
                     "name another file"};
      }
    }
    outputs.sinks_.push_back(make_sink(std::move(*output), {.format = sink.format,
                                                            .types = types,
                                                            .colour = sink.colour,
                                                            .times = sink.times,
                                                            .view = spec.view,
                                                            .facts = facts,
                                                            .json_version = sink.json_version}));
  }
  return outputs;
}

std::vector<Sink*> Outputs::sinks() const {
  std::vector<Sink*> pointers;
  for (const auto& sink : sinks_) pointers.push_back(sink.get());
  return pointers;
}

}  // namespace sockeye
