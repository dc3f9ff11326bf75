// SPDX-License-Identifier: Apache-2.0
// What does not get through an output, or not in time.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include "pipeline/pipeline.h"
#include "pipeline/scripted_for_tests.h"

namespace sockeye {
namespace {

TEST_F(PipelineTest, AFullDiskIsSaidOnceAndCounted) {
  source_.steps = {{{10, 20}, {}}, {{30}, {}}, {{}, {}}, {{}, {}}};
  const RunTotals totals = run({}, "/dev/full");
  EXPECT_EQ(totals.losses[LossReason::kWriteFailed], 3u);
  EXPECT_EQ(totals.delivered, 0u);
  ASSERT_EQ(complaints_.size(), 1u);
  EXPECT_NE(complaints_[0].find("No space left on device"), std::string::npos);
}

// The ring of a process that was stopped, of the largest size: writing all of it takes seconds.
TEST_F(PipelineTest, WhatIsStillInTheRingWhenTimeIsUpIsLost) {
  source_.steps = {{{10, 20}, {}, true}, {{30}, {}, true}, {{40, 50}, {}, true}, {{60}, {}}};
  source_.before_step = [&](size_t left) {
    if (left == 4) kill(getpid(), SIGTERM);
    if (left == 2) std::this_thread::sleep_for(std::chrono::milliseconds(550));  // a slow output
  };
  const RunTotals totals = run({.duration = {}, .count = {}, .end_record = true});
  EXPECT_EQ(sink_->lines, (Lines{"10", "20", "30", "gap write_failed 3 40..60", "end 3 3"}));
  EXPECT_EQ(totals.losses[LossReason::kWriteFailed], 3u);
  EXPECT_EQ(totals.delivered, 3u);
  EXPECT_EQ(complaints_.size(), 1u);
}

// A file that may grow as far as it is let.
class LimitedFile {
 public:
  LimitedFile() : path_(testing::TempDir() + "sockeye-limited-XXXXXX") {
    close(mkstemp(path_.data()));
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
  }
  ~LimitedFile() {
    let_grow(before_.rlim_cur);
    unlink(path_.c_str());
  }
  void let_grow(rlim_t bytes) {
    const rlimit limit = {bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  const std::string& path() const { return path_; }
  Lines lines() const {
    std::ifstream file(path_);
    Lines lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }

 private:
  std::string path_;
  rlimit before_;
};

TEST_F(PipelineTest, AFileThatTakesLinesAgainSaysFirstWhatItLost) {
  LimitedFile file;
  file.let_grow(3);  // one line
  source_.steps = {{{10}, {}}, {{20, 30}, {}}, {{40}, {}}, {{50}, {}}, {{60}, {}}};
  source_.before_step = [&](size_t left) {
    if (left == 2) file.let_grow(1 << 20);
  };
  const RunTotals totals = run({.duration = {}, .count = {}, .end_record = true}, file.path().c_str());
  EXPECT_EQ(file.lines(), (Lines{"10", "gap write_failed 3 20..40", "50", "60", "end 3 3"}));
  EXPECT_EQ(totals.delivered, 3u);
}

TEST_F(PipelineTest, WhatOneOfTwoOutputsLostIsToldByBoth) {
  LimitedFile file;
  file.let_grow(6);  // two lines
  auto limited = Output::file(file.path(), &signals_), whole = Output::file("/dev/null", &signals_);
  RecordingSink log(std::move(*limited)), shown(std::move(*whole));
  Pipeline pipeline(source_, enricher_, {&shown, &log}, signals_, source_.clock, [](const std::string&) {});
  source_.steps = {{{10, 20, 30, 40}, {}}, {{50}, {}}, {{60}, {}}};
  source_.before_step = [&](size_t left) {
    if (left == 1) file.let_grow(1 << 20);
  };
  const RunTotals totals = pipeline.run({.duration = {}, .count = {}, .end_record = true});
  EXPECT_EQ(shown.lines, (Lines{"10", "20", "30", "40", "gap write_failed 2 10..40", "50", "gap write_failed 1 50..50",
                                "60", "end 3 3"}));
  EXPECT_EQ(file.lines(), (Lines{"10", "20", "gap write_failed 3 10..50", "60", "end 3 3"}));
  EXPECT_EQ(totals.delivered + totals.losses.events(), 6u);
}

}  // namespace
}  // namespace sockeye
