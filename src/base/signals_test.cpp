// SPDX-License-Identifier: Apache-2.0
#include "base/signals.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

namespace sockeye {
namespace {

TEST(Signals, AHangupEndsARunThatHasNothingToReopen) {
  Signals signals;
  kill(getpid(), SIGHUP);
  signals.poll();
  EXPECT_TRUE(signals.stop_requested());
  EXPECT_FALSE(signals.take_reopen_request());
}

TEST(Signals, AHangupReopensFilesOnce) {
  Signals signals(Signals::Hangup::kReopens);
  kill(getpid(), SIGHUP);
  signals.poll();
  EXPECT_FALSE(signals.stop_requested());
  EXPECT_TRUE(signals.take_reopen_request());
  EXPECT_FALSE(signals.take_reopen_request());
}

TEST(Signals, AHangupThatWasIgnoredAtTheStartEndsNothing) {
  signal(SIGHUP, SIG_IGN);
  Signals signals;
  kill(getpid(), SIGHUP);
  signals.poll();
  EXPECT_FALSE(signals.stop_requested());
  signal(SIGHUP, SIG_DFL);
}

TEST(Signals, TheGraceOfReadersBeginsWithTheFirstRequestToStop) {
  Signals signals;
  const auto whole = signals.grace_left();
  kill(getpid(), SIGTERM);
  signals.poll();
  while (signals.grace_left() == whole) continue;
  const auto left = signals.grace_left();
  kill(getpid(), SIGINT);
  signals.poll();
  EXPECT_LE(signals.grace_left(), left) << "a second request gives no more time";
}

}  // namespace
}  // namespace sockeye
