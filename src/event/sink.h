// SPDX-License-Identifier: Apache-2.0
// The end of the flow: records in, rendered out. Sinks know field tables, never a collector.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/output.h"
#include "event/record.h"

namespace sockeye {

// "v" in every object of JSON. It grows when a key goes or gets another meaning, not when one comes.
inline constexpr int kJsonVersion = 1;

class Sink {
 public:
  virtual ~Sink() = default;
  // Called with every batch, sorted by time. What was rendered has been written when it returns.
  virtual void write(std::span<const Record> records, const WallTime& wall) = 0;
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

struct SinkOptions {
  std::string_view format;
  std::vector<const EventType*> types;  // what the run asked for; gaps may come besides
  bool colour = false;
  std::optional<TimeStyle> times = {};  // table; none: time of day where the table has a column for it
  std::optional<Screen> screen = {};    // table: fit into this, whatever the output is
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
