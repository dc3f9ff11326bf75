// SPDX-License-Identifier: Apache-2.0
#include "run/replay_run.h"

#include "base/text.h"
#include "base/time_zone.h"

namespace sockeye {
namespace {

// Times are shown as they were there.
void use_zone_of(const record::Run& run) {
  const std::string zone(run.fact(kZoneFact));
  use_zone_rule(is_zone_rule(zone) ? zone : "UTC0");
}

ReplayOptions options_of(const RunSpec& spec) {
  ReplayOptions options{.collectors = {},
                        .filters = spec.filters,
                        .containers = spec.containers,
                        .interfaces = spec.interfaces,
                        .duration = spec.duration};
  for (const CollectorSpec& wanted : spec.collectors) options.collectors.push_back(wanted.collector);
  return options;
}

}  // namespace

Status ReplayRun::begin() {
  auto input = record::open_input(spec_.recording);
  if (!input) return Error{input.error().code, printable(input.error().what), input.error().hint};
  auto source = ReplaySource::open(std::move(*input), options_of(spec_));
  if (!source) {
    return Error{source.error().code, name_of_recording(spec_) + ": " + printable(source.error().what),
                 printable(source.error().hint)};
  }
  source_ = std::move(*source);
  use_zone_of(source_->run());
  spec_.view = source_->run().fact(kViewFact);
  signals_.emplace(hangup_of(spec_));
  auto outputs = Outputs::open(spec_, source_->collectors(), *signals_, &source_->run().facts);
  if (!outputs) return outputs.error();
  outputs_ = std::move(*outputs);
  return Ok{};
}

Result<RunResult> ReplayRun::go() {
  Pipeline pipeline(*source_, outputs_.sinks(), *signals_, source_->clock(), say_);
  RunResult result;
  result.totals = pipeline.run({.count = spec_.count, .end_record = spec_.end_record});
  result.damage = source_->damage();
  result.events_read = source_->events();
  result.events_unknown = source_->unknown();
  result.collectors_unknown = source_->unknown_collectors();
  return result;
}

}  // namespace sockeye
