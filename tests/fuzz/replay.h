// SPDX-License-Identifier: Apache-2.0
// What the fuzz targets have in common: a recording from anybody is replayed and shown in every format.
#pragma once

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "event/sink.h"
#include "record/memory_input_for_tests.h"
#include "source/replay_source.h"

namespace sockeye {

using SinkList = std::vector<std::unique_ptr<Sink>>;

// A sink of each format, rendering into nowhere. The recording among them: what can be replayed can be recorded.
inline SinkList sinks_for_fuzzing(const ReplaySource& source) {
  SinkList sinks;
  SinkOptions options;
  for (const Collector* collector : source.collectors()) options.types.push_back(&collector->event);
  options.facts = source.run().facts;
  for (const char* format : {"line", "table", "json", "recording"}) {
    auto output = Output::file("/dev/null", nullptr);
    if (!output) abort();
    options.format = format;
    sinks.push_back(make_sink(std::move(*output), options));
  }
  return sinks;
}

inline void replay_for_fuzzing(std::string bytes) {
  ReplayOptions options;
  options.filters.active_only = bytes.size() % 2;
  auto source = ReplaySource::open(std::make_unique<record::MemoryInput>(std::move(bytes)), options);
  if (!source) return;
  // Made anew only for other collectors: that costs more than most inputs.
  static std::vector<const Collector*> collectors;
  static SinkList sinks;
  if (std::exchange(collectors, (*source)->collectors()) != collectors) sinks = sinks_for_fuzzing(**source);
  static Batch batch;
  WallTime wall((*source)->clock());
  while (!(*source)->ended()) {
    batch.clear();
    (*source)->next(batch);
    wall.recheck();
    const bool tick = (*source)->take_tick();
    for (const auto& sink : sinks) {
      sink->write(batch.records(), wall);
      if (tick) sink->tick(wall);
    }
  }
  (*source)->losses(true);
  for (const auto& sink : sinks) sink->close({}, {}, wall);
}

}  // namespace sockeye
