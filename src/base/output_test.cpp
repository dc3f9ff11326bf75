// SPDX-License-Identifier: Apache-2.0
#include "base/output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

namespace sockeye {
namespace {

class OutputTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/sockeye-output-XXXXXX";
    directory_ = mkdtemp(pattern);
    path_ = directory_ + "/log";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  static std::string content(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }

  // A pipe at path_, and somebody who reads it.
  Fd read_fifo() {
    signal(SIGPIPE, SIG_IGN);
    EXPECT_EQ(mkfifo(path_.c_str(), 0600), 0);
    return reader_of_fifo();
  }
  Fd reader_of_fifo() const { return Fd(open(path_.c_str(), O_RDONLY | O_NONBLOCK)); }

  std::string directory_, path_;
};

// No file of this process may become longer: writes stop in the middle of a line, as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit = {bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_;
};

TEST_F(OutputTest, AppendsAndReopensByPath) {
  auto output = Output::file(path_, nullptr);
  ASSERT_TRUE(output);
  output->write("one\n");
  std::filesystem::rename(path_, path_ + ".1");
  output->write("two\n");
  output->reopen();
  output->write("three\n");
  EXPECT_EQ(content(path_ + ".1"), "one\ntwo\n");
  EXPECT_EQ(content(path_), "three\n");
}

TEST_F(OutputTest, KeepsTheOldFileWhereItCannotBeReopened) {
  auto output = Output::file(path_, nullptr);
  std::filesystem::rename(directory_, directory_ + ".moved");
  output->reopen();
  output->write("kept\n");
  EXPECT_NE(output->take_complaint().find("the old file is kept"), std::string::npos);
  EXPECT_EQ(content(directory_ + ".moved/log"), "kept\n");
  std::filesystem::rename(directory_ + ".moved", directory_);
}

TEST_F(OutputTest, TakesBackHalfALineAndCountsWhatIsLost) {
  auto output = Output::file(path_, nullptr);
  {
    const FileSizeLimit limit(12);
    output->write("first\nsecond\nthird\n");
    EXPECT_EQ(content(path_), "first\n");
    EXPECT_EQ(output->lost_lines(), 2u);
    EXPECT_NE(output->take_complaint().find("File too large"), std::string::npos);
    output->write("fourth is too long\n");
    EXPECT_EQ(output->lost_lines(), 3u);
    EXPECT_EQ(output->take_complaint(), "") << "said once";
    output->write("fits\n");
    output->write("sixth is too long\n");
    EXPECT_EQ(output->lost_lines(), 4u);
    EXPECT_EQ(output->take_complaint(), "") << "though a line was written in between";
  }
  output->write("last\n");
  EXPECT_EQ(content(path_), "first\nfits\nlast\n");
}

TEST_F(OutputTest, SaysThatADeviceIsFull) {
  auto output = Output::file("/dev/full", nullptr);
  ASSERT_TRUE(output);
  output->write("a\nb\n");
  EXPECT_EQ(output->lost_lines(), 2u);
  EXPECT_NE(output->take_complaint().find("No space left on device"), std::string::npos);
}

TEST_F(OutputTest, APipeThatNobodyReadsLosesLinesUntilSomebodyDoes) {
  Fd reader = read_fifo();
  auto output = Output::file(path_, nullptr);
  ASSERT_TRUE(output);
  reader.reset();
  EXPECT_EQ(output->write("nobody\n"), 0u);
  EXPECT_FALSE(output->is_closed());
  EXPECT_EQ(output->lost_lines(), 1u);
  EXPECT_NE(output->take_complaint().find("nobody reads it any more"), std::string::npos);
  reader = reader_of_fifo();
  EXPECT_EQ(output->write("somebody\n"), 9u);
  char text[64];
  EXPECT_EQ(read(reader.get(), text, sizeof text), 9);
}

// Where other outputs wait with it. What it takes are whole lines.
TEST_F(OutputTest, AReaderThatTakesNothingIsWaitedForOnce) {
  Fd reader = read_fifo();
  auto output = Output::file(path_, nullptr);
  ASSERT_TRUE(output);
  output->wait_at_most(std::chrono::milliseconds(1));
  const std::string line = std::string(999, 'x') + "\n", lines = line + line + line;
  size_t taken = 0;
  while (output->lost_lines() == 0) taken += output->write(lines);
  EXPECT_NE(output->take_complaint().find("its reader takes nothing"), std::string::npos);
  while (const size_t more = output->write(line)) taken += more;  // into the room that three lines did not fit in
  std::string got;
  char text[4096];
  for (ssize_t n; (n = read(reader.get(), text, sizeof text)) > 0;) got.append(text, static_cast<size_t>(n));
  EXPECT_EQ(got.size(), taken);
  EXPECT_EQ(taken % line.size(), 0u);
  EXPECT_EQ(output->write("again\n"), 6u);
  EXPECT_EQ(read(reader.get(), text, sizeof text), 6);
  EXPECT_EQ(output->take_complaint(), "");
  EXPECT_TRUE(output->settle());
}

// The rest of a block goes first once somebody reads again, and the block is not lost.
TEST_F(OutputTest, ABlockThatAReaderHasHalfOfIsFinishedLater) {
  Fd reader = read_fifo();
  auto output = Output::file(path_, nullptr);
  ASSERT_TRUE(output);
  output->wait_at_most(std::chrono::milliseconds(1));
  const std::string block(300'000, 'b');
  EXPECT_TRUE(output->write_whole(block, 5)) << "a pipe has room for a part of it";
  EXPECT_FALSE(output->write_whole(block, 7));
  EXPECT_EQ(output->lost_lines(), 7u);
  EXPECT_FALSE(output->settle());
  size_t got = 0;
  char text[65536];
  while (got < block.size()) {
    const ssize_t n = read(reader.get(), text, sizeof text);
    if (n > 0) got += static_cast<size_t>(n);
    if (n < 0) output->settle();  // which writes what there is room for
  }
  EXPECT_TRUE(output->settle());
  EXPECT_TRUE(output->write_whole("next", 1));
  EXPECT_EQ(read(reader.get(), text, sizeof text), 4);
}

TEST_F(OutputTest, AnotherReaderGetsNoRestOfABlock) {
  Fd reader = read_fifo();
  auto output = Output::file(path_, nullptr);
  ASSERT_TRUE(output);
  output->wait_at_most(std::chrono::milliseconds(1));
  const std::string block(300'000, 'b');
  EXPECT_TRUE(output->write_whole(block, 5));
  reader.reset();
  EXPECT_FALSE(output->write_whole("another", 7));
  reader = reader_of_fifo();
  EXPECT_FALSE(output->write_whole("another", 7)) << "which has no beginning for the new reader";
  char text[65536];
  while (read(reader.get(), text, sizeof text) > 0) continue;  // what the pipe holds of it
  EXPECT_TRUE(output->settle());
  EXPECT_EQ(read(reader.get(), text, sizeof text), -1) << "the rest was written";
}

TEST_F(OutputTest, HalfARecordingInAPipeIsItsEnd) {
  Fd reader = read_fifo();
  auto output = Output::new_file(path_, nullptr);
  ASSERT_TRUE(output);
  reader.reset();
  EXPECT_FALSE(output->write_whole("block", 2));
  reader = reader_of_fifo();
  EXPECT_FALSE(output->write_whole("another", 3)) << "which has no beginning for the new reader";
  EXPECT_EQ(output->lost_lines(), 5u);
}

TEST_F(OutputTest, AFifoThatNobodyReadsIsRefusedAtOnce) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  const auto output = Output::file(path_, nullptr);
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().what, path_ + ": nobody reads this pipe");
}

// What its directory's owner may have put there: why it is refused.
TEST_F(OutputTest, WhatOthersMayChangeIsRefused) {
  const std::string other = directory_ + "/other";
  std::ofstream(other) << "kept";
  std::filesystem::create_symlink(other, path_);
  EXPECT_EQ(Output::file(path_, nullptr).error().what, path_ + ": it is a symbolic link, which is not followed");
  EXPECT_EQ(Output::new_file(path_, nullptr).error().code, ErrorCode::kUsage);
  std::filesystem::remove(path_);
  std::filesystem::create_symlink(directory_ + "/nothing", path_);
  EXPECT_FALSE(Output::new_file(path_, nullptr));
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/nothing")) << "made behind a link";
  std::filesystem::remove(path_);
  std::filesystem::create_hard_link(other, path_);
  EXPECT_EQ(Output::file(path_, nullptr).error().what, path_ + ": it has 2 names (hard links)");
  std::filesystem::remove(path_);
  chmod(other.c_str(), 0602);
  EXPECT_EQ(Output::file(other, nullptr).error().what, other + ": everybody may write to it");
  chmod(other.c_str(), 0600);
  EXPECT_TRUE(Output::file(other, nullptr));
  EXPECT_EQ(content(other), "kept");
}

TEST_F(OutputTest, ALinkOfProcLeadsToADescriptor) {
  const Fd file(open(path_.c_str(), O_WRONLY | O_CREAT, 0600));
  auto output = Output::file("/proc/self/fd/" + std::to_string(file.get()), nullptr);
  ASSERT_TRUE(output) << output.error().what;
  output->write("here\n");
  EXPECT_EQ(content(path_), "here\n");
}

TEST_F(OutputTest, AFileThatNobodyKeepsGoesAgain) {
  { EXPECT_TRUE(Output::new_file(path_, nullptr)); }
  EXPECT_FALSE(std::filesystem::exists(path_));
  {
    auto output = Output::new_file(path_, nullptr);
    output->keep();
  }
  EXPECT_TRUE(std::filesystem::exists(path_));
  { EXPECT_TRUE(Output::file(path_, nullptr)); }
  EXPECT_TRUE(std::filesystem::exists(path_)) << "it was there before";
}

TEST_F(OutputTest, ARecordingIsWrittenByOneAlone) {
  const auto recording = Output::new_file(path_, nullptr);
  ASSERT_TRUE(recording);
  const auto second = Output::new_file(path_, nullptr), lines = Output::file(path_, nullptr);
  ASSERT_FALSE(second);
  ASSERT_FALSE(lines);
  EXPECT_NE(second.error().what.find("writes to it"), std::string::npos) << second.error().what;
  const auto log = Output::file(path_ + ".log", nullptr), shared = Output::file(path_ + ".log", nullptr);
  ASSERT_TRUE(log);
  ASSERT_TRUE(shared);
  EXPECT_TRUE(log->is_same_file(*shared));
  EXPECT_FALSE(log->is_same_file(*recording));
  const auto device = Output::file("/dev/null", nullptr), again = Output::file("/dev/null", nullptr);
  EXPECT_FALSE(device->is_same_file(*again));
}

// A reader that does not read, once the run is told to stop: half a second for all that is left.
TEST_F(OutputTest, OneDeadlineForAllThatIsLeft) {
  const Fd reader = read_fifo();
  Signals signals;
  auto output = Output::file(path_, &signals);
  ASSERT_TRUE(output);
  kill(getpid(), SIGTERM);
  const auto start = std::chrono::steady_clock::now();
  const std::string lines(200'000, '\n');
  for (int i = 0; i < 20; ++i) output->write(lines);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(3));
  EXPECT_TRUE(output->has_given_up());
  EXPECT_EQ(output->lost_lines(), 20 * lines.size() - 65'536);
  EXPECT_NE(output->take_complaint().find("nobody reads it"), std::string::npos);
}

TEST_F(OutputTest, WritesAllOrNothing) {
  auto output = Output::new_file(path_, nullptr);
  ASSERT_TRUE(output);
  EXPECT_TRUE(output->write_whole("first", 3));
  {
    const FileSizeLimit limit(8);
    EXPECT_FALSE(output->write_whole("second", 4));
    EXPECT_EQ(content(path_), "first");
  }
  EXPECT_EQ(output->lost_lines(), 4u);
  EXPECT_NE(output->take_complaint(), "");
  EXPECT_TRUE(output->write_whole("third", 1));
  EXPECT_EQ(content(path_), "firstthird");
}

TEST_F(OutputTest, ANewFileHoldsNothingYetAndStaysOne) {
  std::ofstream(path_).close();
  std::optional<Output> output = std::move(*Output::new_file(path_, nullptr));
  output->write_whole("first", 1);
  std::filesystem::rename(path_, path_ + ".1");
  output->reopen();
  output->write_whole("second", 1);
  EXPECT_EQ(content(path_ + ".1"), "firstsecond");
  output.reset();
  const auto again = Output::new_file(path_ + ".1", nullptr);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().what, path_ + ".1 is there already");
  output = std::move(*Output::new_file(path_, nullptr));
  struct stat info;
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07, 0u);
}

TEST_F(OutputTest, RefusesWhatItCannotOpen) {
  const auto output = Output::file(directory_ + "/no/such/directory", nullptr);
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().code, ErrorCode::kUsage);
  EXPECT_NE(output.error().what.find("No such file or directory"), std::string::npos);
}

}  // namespace
}  // namespace sockeye
