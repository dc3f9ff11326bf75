// SPDX-License-Identifier: Apache-2.0
// What the fuzz targets have in common: a recording from anybody is replayed and shown in every format.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "base/fd.h"
#include "event/sink.h"
#include "record/memory_input_for_tests.h"
#include "record/reader.h"
#include "source/replay_source.h"

namespace sockeye {

using SinkList = std::vector<std::unique_ptr<Sink>>;

inline std::unique_ptr<Sink> sink_for_fuzzing(const ReplaySource& source, const char* format, const char* path) {
  SinkOptions options;
  for (const Collector* collector : source.collectors()) options.types.push_back(&collector->event);
  options.facts = source.run().facts;
  options.format = format;
  auto output = Output::file(path, nullptr);
  if (!output) abort();
  return make_sink(std::move(*output), options);
}

// A sink of each format for people and machines, rendering into nowhere.
inline SinkList sinks_for_fuzzing(const ReplaySource& source) {
  SinkList sinks;
  for (const char* format : {"line", "table", "json"}) sinks.push_back(sink_for_fuzzing(source, format, "/dev/null"));
  return sinks;
}

// What is replayed is recorded again, and has to be read again: as many events as went in.
class SecondRecording {
 public:
  explicit SecondRecording(const ReplaySource& source) : file_(mkstemp(path_)) {
    if (!file_) abort();
    sink_ = sink_for_fuzzing(source, "recording", path_);
    unlink(path_);
  }
  Sink& sink() { return *sink_; }

  void check(uint64_t events) {
    sink_.reset();
    struct stat info = {};
    if (fstat(file_.get(), &info) != 0) abort();
    std::string bytes(static_cast<size_t>(info.st_size), '\0');
    if (pread(file_.get(), bytes.data(), bytes.size(), 0) != info.st_size) abort();
    record::Reader reader(std::make_unique<record::MemoryInput>(std::move(bytes)));
    while (reader.next_block() == record::Reader::Step::kBlock) {
      record::Entry entry;
      while (reader.next_entry(entry)) events -= entry.type == record::EntryType::kEvent;
    }
    if (reader.damage() || events != 0) abort();
  }

 private:
  char path_[32] = "/tmp/sockeye-fuzz-XXXXXX";
  Fd file_;
  std::unique_ptr<Sink> sink_;
};

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
  SecondRecording second(**source);
  uint64_t events = 0;
  WallTime wall((*source)->clock());
  while (!(*source)->ended()) {
    batch.clear();
    (*source)->next(batch);
    wall.recheck();
    const bool tick = (*source)->take_tick();
    const auto show = [&](Sink& sink) {
      sink.write(batch.events(), wall);
      if (tick) sink.tick(wall);
    };
    for (const auto& sink : sinks) show(*sink);
    show(second.sink());
    events += batch.events().size();
  }
  (*source)->losses(true);
  for (const auto& sink : sinks) sink->close({}, {}, wall);
  second.sink().close({}, {}, wall);
  second.check(events);
}

}  // namespace sockeye
