// SPDX-License-Identifier: Apache-2.0
#include "pipeline/pipeline.h"

#include <gtest/gtest.h>

#include "event/collector.h"
#include "pipeline/scripted_for_tests.h"

namespace sockeye {
namespace {

TEST_F(PipelineTest, NewsComesBeforeEachBatch) {
  source_.steps = {{.times = {10}}, {.times = {20}}};
  std::vector<size_t> left;
  PipelineOptions options = {.duration = {}, .count = 2, .end_record = false};
  options.read_news = [&] { left.push_back(source_.steps.size()); };
  run(options);
  ASSERT_GE(left.size(), 2u);
  EXPECT_EQ(left[0], 2u);
  EXPECT_EQ(left[1], 1u);
}

TEST_F(PipelineTest, DeliversInOrderOfTimeAndMarksWhatIsLate) {
  source_.steps = {{{30, 10, 20}, {}}, {{25, 40}, {}}};
  const RunTotals totals = run({});
  EXPECT_EQ(sink_->lines, (Lines{"10", "20", "30", "25 late", "40"}));
  EXPECT_EQ(totals.delivered, 5u);
  EXPECT_EQ(totals.late, 1u);
  EXPECT_TRUE(source_.stopped);
}

TEST_F(PipelineTest, TellsOfALossOnceAndAtItsPlace) {
  source_.steps = {{{10}, {}},
                   {{20}, lost(LossReason::kRingFull, 7)},
                   {{30}, lost(LossReason::kRingFull, 7)},
                   {{40}, lost(LossReason::kRingFull, 9)}};
  const RunTotals totals = run({.duration = {}, .count = {}, .end_record = true});
  EXPECT_EQ(sink_->lines,
            (Lines{"10", "20", "gap ring_full 7 11..21", "30", "40", "gap ring_full 2 31..41", "end 4 9"}));
  EXPECT_EQ(totals.losses.events(), 9u);
}

TEST_F(PipelineTest, AGapStandsAmongTheEventsOfABatchWhereItHappened) {
  source_.steps = {{{10}, lost(LossReason::kRingFull, 7, 25, 35)}, {{20, 30, 40, 50}, {}}};
  source_.steps[1].losses = source_.steps[0].losses;
  const RunTotals totals = run({});
  EXPECT_EQ(sink_->lines, (Lines{"10", "20", "30", "gap ring_full 7 25..35", "40", "50"}));
  EXPECT_EQ(totals.delivered, 5u);
}

TEST_F(PipelineTest, AGapWaitsForWhatTheRingStillHolds) {
  // As after a reader that stood still: the ring holds three batches, all from before the loss, and one from after it.
  const Losses losses = lost(LossReason::kRingFull, 7, 60, 80);
  source_.steps = {
      {{}, losses}, {{10, 20}, losses, true}, {{30, 40}, losses, true}, {{50, 90}, losses, true}, {{100}, losses}};
  run({});
  EXPECT_EQ(sink_->lines, (Lines{"10", "20", "30", "40", "50", "gap ring_full 7 60..80", "90", "100"}));
}

TEST_F(PipelineTest, WhatComesAfterAGapThatIsLaterIsLate) {
  const Losses losses = lost(LossReason::kRingFull, 7, 60, 80);
  source_.steps = {{{10}, losses}, {{50}, losses}, {{79, 81}, losses}};
  source_.before_step = [this](size_t) { source_.clock.now_ns = 100; };
  EXPECT_EQ(run({}).late, 1u);
  EXPECT_EQ(sink_->lines, (Lines{"10", "50", "gap ring_full 7 60..80", "79 late", "81"}));
}

TEST_F(PipelineTest, WhatCameWhileTheLossesWereLookedAtIsReadFirst) {
  // The reader stood still between reading the ring and asking for losses.
  const Losses losses = lost(LossReason::kRingFull, 7, 60, 80);
  source_.steps = {{{10}, losses}, {{20, 30, 90}, losses}};
  source_.before_step = [this](size_t) { source_.clock.now_ns = 85; };
  run({});
  EXPECT_EQ(sink_->lines, (Lines{"10", "20", "30", "gap ring_full 7 60..80", "90"}));
}

TEST_F(PipelineTest, GapsOfSeveralReasonsAreInOrderOfTime) {
  Losses losses = lost(LossReason::kRingFull, 7, 60, 80);
  losses[LossReason::kMissed] = 2;
  losses.to_ns[static_cast<size_t>(LossReason::kMissed)] = 15;
  source_.steps = {{{}, losses}, {{10, 20}, losses, true}, {{30, 90}, losses}};
  EXPECT_EQ(run({}).losses.events(), 9u);
  EXPECT_EQ(sink_->lines, (Lines{"10", "gap missed 2 1..15", "20", "30", "gap ring_full 7 60..80", "90"}));
}

TEST_F(PipelineTest, AGapThatNothingFollowsIsToldAtTheEnd) {
  const Losses losses = lost(LossReason::kRingFull, 7, 60, 80);
  source_.steps = {{{10}, losses, true}, {{20}, losses, true}};
  run({.duration = {}, .count = {}, .end_record = true});
  EXPECT_EQ(sink_->lines, (Lines{"10", "20", "gap ring_full 7 60..80", "end 2 7"}));
}

TEST_F(PipelineTest, OfABurstOnlyWhatIsNewIsToldEachTime) {
  source_.steps = {{{10}, lost(LossReason::kMalformed, 1)},
                   {{20}, lost(LossReason::kMalformed, 1)},
                   {{30}, lost(LossReason::kMalformed, 4)}};
  EXPECT_EQ(run({}).losses[LossReason::kMalformed], 4u);
  EXPECT_EQ(sink_->lines, (Lines{"10", "gap malformed 1 1..11", "20", "30", "gap malformed 3 21..31"}));
}

TEST_F(PipelineTest, WhatIsNotWantedIsNeitherDeliveredNorLost) {
  source_.steps = {{{10, 20, 30}, {}}, {{40, 50}, {}}};
  PipelineOptions options = {.duration = {}, .count = 2, .end_record = false};
  options.wanted = [](const Event& event) { return event.header->time_ns >= 30; };
  const RunTotals totals = run(options);
  EXPECT_EQ(sink_->lines, (Lines{"30", "40"}));
  EXPECT_EQ(totals.delivered, 2u);
  EXPECT_EQ(totals.filtered, 2u);
  EXPECT_EQ(totals.losses.events(), 0u);
}

TEST_F(PipelineTest, TellsHowManyEventsCameWithTheTimeWaitTableFull) {
  source_.steps = {{{10}, {}}};
  source_.with_table_full = 3;
  EXPECT_EQ(run({.duration = {}, .count = {}, .end_record = true}).table_full, 3u);
  EXPECT_EQ(sink_->lines, (Lines{"10", "end 1 0 table_full 3"}));
}

TEST_F(PipelineTest, AnIncompleteEventIsNoLostEvent) {
  source_.steps = {{{10}, lost(LossReason::kEntryAlloc, 3)}};
  EXPECT_EQ(run({}).losses.events(), 0u);
  EXPECT_EQ(sink_->lines, (Lines{"10", "gap record_alloc 3 1..11"}));
}

TEST_F(PipelineTest, EndsWithItsSource) {
  source_.ends = true;
  source_.steps = {{{10, 20}, {}, true}, {{30}, {}}};
  EXPECT_EQ(run({}).delivered, 3u);
  EXPECT_EQ(sink_->lines, (Lines{"10", "20", "30"}));
  EXPECT_FALSE(signals_.stop_requested());
}

TEST_F(PipelineTest, StopsAfterExactlySoManyEvents) {
  source_.steps = {{{10, 20, 30}, {}, true}, {{40, 50, 60}, {}}};
  EXPECT_EQ(run({.duration = {}, .count = 4, .end_record = false}).delivered, 4u);
  EXPECT_EQ(sink_->lines, (Lines{"10", "20", "30", "40"}));
}

TEST_F(PipelineTest, StopsAfterItsTime) {
  const auto start = std::chrono::steady_clock::now();
  source_.steps.resize(1'000'000);
  run({.duration = std::chrono::milliseconds(30), .count = {}, .end_record = false});
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(30));
  EXPECT_FALSE(source_.steps.empty());
}

// What a sink is told beside events.
class TickingSink : public Sink {
 public:
  explicit TickingSink(Output output) : output_(std::move(output)) {}
  void write(std::span<const Event> events, const WallTime& wall) override {
    for (const Event& event : events) {
      text += std::to_string(wall.of(event.header->time_ns)) + (event.type == &kGapType ? " gap; " : "; ");
    }
  }
  void tick(const WallTime& wall) override { text += "tick " + std::to_string(wall.boot_ns()) + "; "; }
  void close(const end_event& end, const Losses& losses, const WallTime&) override {
    text += "end " + std::to_string(end.header.time_ns) + " " + std::to_string(end.delivered) + " " +
            std::to_string(end.lost) + " " + std::to_string(losses.events());
  }
  Unwritten take_unwritten() override { return {}; }
  Output& output() override { return output_; }
  std::string text;

 private:
  Output output_;
};

// Events that went out once: out of order, gaps among them, with a clock of their own that is set in between.
class OldSource : public Source {
 public:
  class OldClock : public Clock {
   public:
    uint64_t boot_ns() const override { return boot; }
    int64_t wall_ns() const override { return static_cast<int64_t>(boot) + offset; }
    int64_t offset_ns() const override { return offset; }
    uint64_t boot = 5;
    int64_t offset = 1000;
  };

  int wake_fd() const override { return -1; }
  bool next(Batch& batch) override {
    if (ended()) return false;
    const event_header late = {.kind = 999, .size = sizeof late, .cpu = 0, .time_ns = 10};
    gap_event gap = {};
    gap.header = {.kind = GAP_KIND, .size = sizeof gap, .cpu = 0, .time_ns = 20};
    gap.lost = 3;
    gap.reason = step == 0 ? 0 : 200;  // of a later version
    batch.add(&gap.header, sizeof gap, &kGapType);
    batch.add(&late, sizeof late, &kType);
    batch.events().back().late = true;
    if (step == 1) clock.offset = 3'600'000'000'000;
    clock.boot = 30 + step;
    return ++step < 2;
  }
  bool ended() const override { return step == 2; }
  bool take_tick() override { return step == 1; }
  Losses losses(bool) override { return {}; }
  void stop() override {}

  OldClock clock;
  uint64_t step = 0;
};

TEST_F(PipelineTest, AReplayIsInTheOrderAndOfTheTimeThatItWas) {
  OldSource source;
  TickingSink sink(std::move(*Output::file("/dev/null", &signals_)));
  const RunTotals totals = Pipeline(source, {&sink}, signals_, source.clock, [](const std::string&) {}).run({});
  EXPECT_EQ(sink.text, "1020 gap; 1010; tick 30; 3600000000020 gap; 3600000000010; tick 31; end 31 2 6 6");
  EXPECT_EQ(totals.late, 2u);
  EXPECT_EQ(totals.losses[LossReason::kRingFull], 3u);
}

}  // namespace
}  // namespace sockeye
