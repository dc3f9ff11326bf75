// SPDX-License-Identifier: Apache-2.0
// The flow of one run: source -> enrich -> sinks, in one thread, until it is told to stop or has enough.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/signals.h"
#include "enrich/enricher.h"
#include "event/sink.h"
#include "pipeline/fan_out.h"
#include "pipeline/gaps.h"
#include "source/source.h"

namespace sockeye {

struct PipelineOptions {
  std::optional<std::chrono::nanoseconds> duration;  // stop after it
  std::optional<uint64_t> count;                     // stop after so many events
  bool end_record = false;                           // the last line of the stream is the end event
  // Of events that have come, with their context, those that go on; empty: all of them.
  std::function<bool(const Event&)> wanted = {};
  // Puts something into the events of a batch, which has their context; is called for empty batches, too.
  std::function<void(Batch&)> annotate = {};
  // What is no event and has to be known before those that are read next: asked for before each batch, and whenever
  // `news_fd` becomes readable (edge-triggered).
  std::function<void()> read_news = {};
  int news_fd = -1;
};

struct RunTotals {
  SOCKEYE_COUNTER uint64_t delivered = 0;  // events that reached every sink; with losses.events() all there were
  SOCKEYE_COUNTER uint64_t late = 0;
  uint64_t filtered = 0;      // that came, and were not wanted
  Losses losses;              // of all stages
  uint64_t table_full = 0;    // events with OUTCOME_TABLE_FULL
  uint64_t anomalies = 0;     // counters that did not fit together
  uint64_t without_role = 0;  // events left out by --direction, as nobody knows who opened the connection
  uint64_t unwritten = 0;     // events that an output of this run did not take; losses has them, too
  uint64_t unsettled = 0;     // outputs whose file system said at the end that not everything was written

  // Whether something that happened is not in the output, or may not be.
  bool incomplete() const { return losses.any() || unsettled > 0; }
  // Whether there is something that a run has to say, whatever it was told to keep to itself.
  bool tells() const { return losses.any() || table_full > 0 || anomalies > 0 || without_role > 0; }
};

class Pipeline {
 public:
  // None of what it is given is owned; `sinks` not empty. `complain` gets one line for people.
  Pipeline(Source& source, Enricher& enricher, std::vector<Sink*> sinks, Signals& signals, const Clock& clock,
           std::function<void(const std::string&)> complain);

  // For a source whose events went out once: they come sorted, with their context, gap events among them. `clock` is
  // the source's, and there is no waiting for time to pass.
  Pipeline(Source& source, std::vector<Sink*> sinks, Signals& signals, const Clock& clock,
           std::function<void(const std::string&)> complain);

  RunTotals run(const PipelineOptions& options);

 private:
  Pipeline(Source& source, Enricher* enricher, std::vector<Sink*> sinks, Signals& signals, const Clock& clock,
           std::function<void(const std::string&)> complain);

  void wake_by(int fd);
  void wait(int timeout_ms);
  bool read_batch();
  void look_for_losses(bool exact);
  void hand_on(bool more);
  bool time_is_up() const;
  void leave_out();
  void enrich();
  void deliver(bool more);
  void deliver_again();
  std::span<const Event> take(std::span<const Event> events);
  void write(std::span<const Event> events);
  void handle_signals();
  void report_complaints();
  void finish(const PipelineOptions& options);

  Source& source_;
  Enricher* enricher_;  // null: a replay
  FanOut fan_out_;
  Signals& signals_;
  const Clock& clock_;
  std::function<void(const std::string&)> complain_;
  WallTime wall_;
  Fd epoll_;
  Batch batch_;
  Gaps gaps_;
  Losses replayed_;                     // losses that gap events of a recording told of
  SOCKEYE_COUNTER uint64_t taken_ = 0;  // events that were given to the sinks
  uint64_t horizon_ns_ = 0;             // time of the latest event that went out
  uint64_t remaining_;                  // of --count
  std::optional<std::chrono::steady_clock::time_point> drain_until_;
  bool has_left_out_ = false;  // some that were still in the ring when time was up
  std::function<bool(const Event&)> wanted_;
  std::function<void(Batch&)> annotate_;
  std::function<void()> read_news_;
  RunTotals totals_;
};

}  // namespace sockeye
