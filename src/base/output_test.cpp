// SPDX-License-Identifier: Apache-2.0
#include "base/output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
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

TEST_F(OutputTest, AClosedPipeIsTheEndAndNoLoss) {
  signal(SIGPIPE, SIG_IGN);
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  const int reader = open(path_.c_str(), O_RDONLY | O_NONBLOCK);
  auto output = Output::file(path_, nullptr);
  close(reader);
  output->write("nobody\n");
  EXPECT_TRUE(output->is_closed());
  EXPECT_EQ(output->lost_lines(), 0u);
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
  auto output = Output::new_file(path_, nullptr);
  ASSERT_TRUE(output);
  output->write_whole("first", 1);
  const auto again = Output::new_file(path_, nullptr);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kUsage);
  std::filesystem::rename(path_, path_ + ".1");
  output->reopen();
  output->write_whole("second", 1);
  EXPECT_EQ(content(path_ + ".1"), "firstsecond");
  ASSERT_TRUE(Output::new_file(path_, nullptr));
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
