// SPDX-License-Identifier: Apache-2.0
// The end of the flow: events in, rendered out. Sinks know field tables, never a collector.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/output.h"
#include "event/event.h"
#include "event/loss.h"
#include "event/renames.h"
#include "event/unwritten.h"

namespace sockeye {

class Sink {
 public:
  virtual ~Sink() = default;
  // Called with every batch, sorted by time. What was rendered has been written when it returns.
  virtual void write(std::span<const Event> events, const WallTime& wall) = 0;
  // A second has passed, whether or not anything came.
  virtual void tick(const WallTime&) {}
  // The run is over, after the last event. `end` is told in every case, also where it was not asked for as an event.
  virtual void close(const end_event&, const Losses&, const WallTime&) {}
  // Whether events may be written later than they are handed over, at a tick or at the end.
  virtual bool holds_back() const { return false; }
  // What could not be written since this was last asked.
  virtual Unwritten take_unwritten() = 0;
  virtual Output& output() = 0;
};

// How a table shows when something happened.
enum class TimeStyle : uint8_t {
  kNone,
  kTime,     // local time of day, milliseconds
  kDate,     // local date and time, milliseconds
  kRfc3339,  // UTC, nanoseconds
  kUnix,     // seconds since 1970, microseconds
  kDelta,    // seconds since the row before, microseconds
  kBoot,     // seconds since the machine started (CLOCK_BOOTTIME), microseconds
};

// What made the events of a run: names and values, such as the version of sockeye and the time zone.
using RunFacts = std::vector<std::pair<std::string, std::string>>;
inline constexpr std::string_view kVersionFact = "sockeye";
inline constexpr std::string_view kKernelFact = "kernel";  // its release
inline constexpr std::string_view kZoneFact = "zone";      // a POSIX TZ rule (base/time_zone.h)
inline constexpr std::string_view kViewFact = "view";      // SinkOptions::view, where it is not empty

struct SinkOptions {
  std::string_view format;
  std::vector<const EventType*> types;  // what the run asked for; gaps may come besides
  bool colour = false;
  std::optional<TimeStyle> times = {};  // table; none: time of day where the table has a column for it
  std::optional<Screen> screen = {};    // table: fit into this, whatever the output is
  std::string view = {};                // text: of the types that have it, this View

  RunFacts facts = {};
  int json_version = kJsonVersion;  // json: whose keys
};

// A sink's folder offers one of these as sink_<folder>; the list of all is generated from the folders' names.
struct SinkKind {
  std::span<const std::string_view> formats;  // words of --format
  std::unique_ptr<Sink> (*make)(Output output, const SinkOptions& options);
};

std::span<const SinkKind* const> sink_kinds();

// The sink that renders options.format; null where none does.
std::unique_ptr<Sink> make_sink(Output output, const SinkOptions& options);

}  // namespace sockeye
