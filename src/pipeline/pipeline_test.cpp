// SPDX-License-Identifier: Apache-2.0
#include "pipeline/pipeline.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <deque>

#include "event/collector.h"
#include "tests/support/records.h"

namespace sockeye {
namespace {

constexpr EventType kType = {.name = "test", .kind = 999, .size = sizeof(event_header)};

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
    const Step step = steps.front();
    steps.pop_front();
    losses_ = step.losses;
    for (const uint64_t time : step.times) {
      const event_header header = {.kind = 999, .size = sizeof header, .cpu = 0, .time_ns = time};
      batch.add(&header, sizeof header, &kType);
    }
    return step.more;
  }
  bool ended() const override { return ends && steps.empty(); }
  Losses losses(bool) override { return losses_; }
  uint64_t table_full() const override { return with_table_full; }
  void stop() override { stopped = true; }

  std::deque<Step> steps;
  uint64_t with_table_full = 0;
  bool stopped = false;
  bool ends = false;

 private:
  Losses losses_;
};

class RecordingSink : public Sink {
 public:
  explicit RecordingSink(Output output) : output_(std::move(output)) {}
  void write(std::span<const Record> records, const WallTime&) override {
    for (const Record& record : records) {
      if (record.type == &kGapType) {
        const auto& gap = *reinterpret_cast<const gap_event*>(record.header);
        lines.push_back("gap " + std::string(name_of(static_cast<LossReason>(gap.reason)).reason) + " " +
                        std::to_string(gap.lost));
      } else if (record.type == &kEndType) {
        const auto& end = *reinterpret_cast<const end_event*>(record.header);
        lines.push_back("end " + std::to_string(end.delivered) + " " + std::to_string(end.lost) +
                        (end.table_full ? " table_full " + std::to_string(end.table_full) : ""));
      } else {
        lines.push_back(std::to_string(record.header->time_ns) + (record.late ? " late" : ""));
      }
      output_.write(lines.back() + "\n");
    }
  }
  Output& output() override { return output_; }

  std::vector<std::string> lines;

 private:
  Output output_;
};

class PipelineTest : public testing::Test {
 protected:
  RunTotals run(const PipelineOptions& options, const char* path = "/dev/null") {
    auto output = Output::file(path, &signals_);
    sink_ = std::make_unique<RecordingSink>(std::move(*output));
    Pipeline pipeline(source_, enricher_, {sink_.get()}, signals_, clock_,
                      [this](const std::string& line) { complaints_.push_back(line); });
    return pipeline.run(options);
  }

  static Losses lost(LossReason reason, uint64_t count) {
    Losses losses;
    losses[reason] = count;
    return losses;
  }

  Signals signals_;
  FixedClock clock_;
  ScriptedSource source_;
  Enricher enricher_;
  std::unique_ptr<RecordingSink> sink_;
  std::vector<std::string> complaints_;
};

using Lines = std::vector<std::string>;

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
  EXPECT_EQ(sink_->lines, (Lines{"10", "20", "gap ring_full 7", "30", "40", "gap ring_full 2", "end 4 9"}));
  EXPECT_EQ(totals.losses.events(), 9u);
}

TEST_F(PipelineTest, TellsHowManyEventsCameWithTheTimeWaitTableFull) {
  source_.steps = {{{10}, {}}};
  source_.with_table_full = 3;
  EXPECT_EQ(run({.duration = {}, .count = {}, .end_record = true}).table_full, 3u);
  EXPECT_EQ(sink_->lines, (Lines{"10", "end 1 0 table_full 3"}));
}

TEST_F(PipelineTest, AnIncompleteRecordIsNoLostEvent) {
  source_.steps = {{{10}, lost(LossReason::kRecordAlloc, 3)}};
  EXPECT_EQ(run({}).losses.events(), 0u);
  EXPECT_EQ(sink_->lines, (Lines{"10", "gap record_alloc 3"}));
}

TEST_F(PipelineTest, EndsWithItsSource) {
  source_.ends = true;
  source_.steps = {{{10, 20}, {}, true}, {{30}, {}}};
  EXPECT_EQ(run({}).delivered, 3u);
  EXPECT_EQ(sink_->lines, (Lines{"10", "20", "30"}));
  EXPECT_FALSE(signals_.stop_requested());
}

TEST_F(PipelineTest, StopsAfterExactlySoManyRecords) {
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

TEST_F(PipelineTest, AFullDiskIsSaidOnceCountedAndNotAnEndlessTale) {
  source_.steps = {{{10, 20}, {}}, {{30}, {}}, {{}, {}}, {{}, {}}};
  const RunTotals totals = run({}, "/dev/full");
  EXPECT_EQ(totals.losses[LossReason::kWriteFailed], 3u);
  EXPECT_EQ(sink_->lines, (Lines{"10", "20", "gap write_failed 2", "30", "gap write_failed 1"}));
  ASSERT_EQ(complaints_.size(), 1u);
  EXPECT_NE(complaints_[0].find("No space left on device"), std::string::npos);
}

}  // namespace
}  // namespace sockeye
