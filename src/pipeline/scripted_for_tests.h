// SPDX-License-Identifier: Apache-2.0
// A pipeline whose source, clock and sink are written down beforehand.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <deque>

#include "event/line_buffer.h"
#include "pipeline/pipeline.h"

namespace sockeye {

using Lines = std::vector<std::string>;

inline constexpr EventType kType = {.name = "test", .kind = 999, .size = sizeof(event_header)};

// Some time after the last event so far.
class ScriptedClock : public Clock {
 public:
  uint64_t boot_ns() const override { return now_ns; }
  int64_t wall_ns() const override { return 0; }
  uint64_t now_ns = 1;
};

// Hands out batches that were written down beforehand; then asks to stop, as Ctrl-C would.
class ScriptedSource : public Source {
 public:
  struct Step {
    std::vector<uint64_t> times;
    Losses losses;
    bool more = false;
  };

  int wake_fd() const override { return -1; }
  bool next(Batch& batch) override {
    if (steps.empty()) {
      if (!stopped) kill(getpid(), SIGINT);
      return false;
    }
    if (before_step) before_step(steps.size());
    const Step step = steps.front();
    steps.pop_front();
    losses_ = step.losses;
    for (const uint64_t time : step.times) {
      const event_header header = {.kind = 999, .size = sizeof header, .cpu = 0, .time_ns = time};
      batch.add(&header, sizeof header, &kType);
      clock.now_ns = std::max(clock.now_ns, time + 1);
    }
    return step.more;
  }
  bool ended() const override { return ends && steps.empty(); }
  Losses losses(bool) override { return losses_; }
  uint64_t table_full() const override { return with_table_full; }
  void stop() override { stopped = true; }

  ScriptedClock clock;
  std::deque<Step> steps;
  std::function<void(size_t left)> before_step;
  uint64_t with_table_full = 0;
  bool stopped = false;
  bool ends = false;

 private:
  Losses losses_;
};

class RecordingSink : public Sink {
 public:
  explicit RecordingSink(Output output) : buffer_(std::move(output)) {}
  void write(std::span<const Event> events, const WallTime&) override {
    for (const Event& event : events) {
      if (event.type == &kGapType) {
        const auto& gap = *reinterpret_cast<const gap_event*>(event.header);
        lines.push_back("gap " + std::string(name_of(static_cast<LossReason>(gap.reason)).reason) + " " +
                        std::to_string(gap.lost) + " " + std::to_string(gap.from_ns) + ".." +
                        std::to_string(gap.header.time_ns));
      } else if (event.type == &kEndType) {
        const auto& end = *reinterpret_cast<const end_event*>(event.header);
        lines.push_back("end " + std::to_string(end.delivered) + " " + std::to_string(end.lost) +
                        (end.table_full ? " table_full " + std::to_string(end.table_full) : ""));
      } else {
        lines.push_back(std::to_string(event.header->time_ns) + (event.late ? " late" : ""));
      }
      buffer_.text().add(lines.back() + "\n");
      buffer_.end_of(event);
    }
    buffer_.flush();
  }
  Unwritten take_unwritten() override { return buffer_.take_unwritten(); }
  Output& output() override { return buffer_.output(); }

  std::vector<std::string> lines;

 private:
  LineBuffer buffer_;
};

class PipelineTest : public testing::Test {
 protected:
  RunTotals run(const PipelineOptions& options, const char* path = "/dev/null") {
    auto output = Output::file(path, &signals_);
    sink_ = std::make_unique<RecordingSink>(std::move(*output));
    Pipeline pipeline(source_, enricher_, {sink_.get()}, signals_, source_.clock,
                      [this](const std::string& line) { complaints_.push_back(line); });
    return pipeline.run(options);
  }

  static Losses lost(LossReason reason, uint64_t count, uint64_t from_ns = 0, uint64_t to_ns = 0) {
    Losses losses;
    losses[reason] = count;
    losses.from_ns[static_cast<size_t>(reason)] = from_ns;
    losses.to_ns[static_cast<size_t>(reason)] = to_ns;
    return losses;
  }

  Signals signals_;
  ScriptedSource source_;
  Enricher enricher_;
  std::unique_ptr<RecordingSink> sink_;
  std::vector<std::string> complaints_;
};

}  // namespace sockeye
