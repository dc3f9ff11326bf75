// SPDX-License-Identifier: Apache-2.0
// An event that did not reach every output is lost, once, however many outputs fail and whenever they find out.
#include "pipeline/fan_out.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <utility>

#include "base/clock.h"

namespace sockeye {
namespace {

constexpr EventType kType = {.name = "test", .kind = 999, .size = sizeof(event_header)};

class StillClock : public Clock {
 public:
  uint64_t boot_ns() const override { return 1000; }
  int64_t wall_ns() const override { return 1000; }
};

// Takes what it is told to take, at once or, as a recording does, with the next tick; when what it took happened is in
// `times`, and what its gap events tell in `told`.
class FickleSink : public Sink {
 public:
  explicit FickleSink(bool holds) : output_(Output::standard(nullptr)), holds_(holds) {}

  void write(std::span<const Event> events, const WallTime& wall) override {
    for (const Event& event : events) {
      held_.push_back({is_observed(event) ? event.header->time_ns : 0, unwritten_told_by(event)});
      if (!holds_) settle();
    }
    if (holds_ && held_.size() > 5) tick(wall);  // a block is full
  }
  void tick(const WallTime&) override { settle(); }
  bool holds_back() const override { return holds_; }
  Unwritten take_unwritten() override { return std::exchange(unwritten_, {}); }
  Output& output() override { return output_; }

  bool takes = true;
  std::set<uint64_t> times;
  uint64_t told = 0;

 private:
  struct Held {
    uint64_t time;  // 0: none
    uint64_t told;
  };

  void settle() {
    for (const Held& each : held_) {
      const uint64_t number = got_;
      if (each.time != 0) ++got_;
      if (takes) {
        if (each.time != 0) times.insert(each.time);
        told += each.told;
      } else {
        unwritten_.add(number, got_);
        unwritten_.told += each.told;
      }
    }
    held_.clear();
  }

  Output output_;
  bool holds_;
  std::vector<Held> held_;
  uint64_t got_ = 0;
  Unwritten unwritten_;
};

// Events are called by their times, from 1 on.
class FanOutTest : public testing::Test {
 protected:
  void write(FanOut& fan_out, size_t count) {
    std::vector<event_header> headers;
    for (size_t i = 0; i < count; ++i)
      headers.push_back({.kind = 999, .size = sizeof(event_header), .cpu = 0, .time_ns = ++last_});
    std::vector<Event> events;
    for (const event_header& header : headers) events.push_back({.header = &header, .type = &kType});
    fan_out.write(events, wall_);
  }

  // How many events are in all of these.
  static uint64_t in_all(const std::vector<FickleSink*>& sinks) {
    uint64_t count = 0;
    for (const uint64_t time : sinks.front()->times) {
      count += std::all_of(sinks.begin(), sinks.end(),
                           [time](const FickleSink* sink) { return sink->times.contains(time); });
    }
    return count;
  }

  StillClock clock_;
  WallTime wall_{clock_};
  uint64_t last_ = 0;
};

TEST_F(FanOutTest, WhatTwoOutputsLoseIsLostOnce) {
  FickleSink log(false), recording(true);
  FanOut fan_out({&log, &recording});
  log.takes = recording.takes = false;
  write(fan_out, 3);
  EXPECT_EQ(fan_out.not_written(), 3u) << "the log says so at once";
  fan_out.tick(wall_);
  EXPECT_EQ(fan_out.not_written(), 3u) << "the recording has lost the same";
  recording.takes = true;
  write(fan_out, 2);
  fan_out.tick(wall_);
  EXPECT_EQ(fan_out.not_written(), 5u);
  log.takes = true;
  write(fan_out, 1);
  fan_out.tick(wall_);
  EXPECT_EQ(fan_out.not_written(), 5u);
  EXPECT_EQ(log.times, (std::set<uint64_t>{6}));
  EXPECT_EQ(recording.times, (std::set<uint64_t>{4, 5, 6}));
  EXPECT_EQ(log.told, 5u);
  EXPECT_EQ(recording.told, 5u);
}

TEST_F(FanOutTest, DeliveredAndLostAreAllThereWereWhateverFails) {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    last_ = 0;
    FickleSink shown(false), log(false), recording(true), other(true);
    const std::vector<FickleSink*> sinks = {&shown, &log, &recording, &other};
    FanOut fan_out({&shown, &log, &recording, &other});
    for (int step = 0; step < 40; ++step) {
      for (FickleSink* sink : sinks) sink->takes = random() % 3 > 0;
      if (random() % 4 == 0)
        fan_out.tick(wall_);
      else
        write(fan_out, random() % 9);
    }
    for (FickleSink* sink : sinks) sink->takes = true;
    write(fan_out, 1);
    fan_out.tick(wall_);
    fan_out.tick(wall_);
    const uint64_t lost = fan_out.not_written();
    ASSERT_EQ(last_ - lost, in_all(sinks)) << "round " << round;
    for (const FickleSink* sink : sinks) ASSERT_EQ(sink->told, lost) << "round " << round;
  }
}

}  // namespace
}  // namespace sockeye
