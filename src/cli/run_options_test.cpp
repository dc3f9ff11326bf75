// SPDX-License-Identifier: Apache-2.0
#include "cli/run_options.h"

#include <gtest/gtest.h>

namespace sockeye {
namespace {

using namespace std::chrono_literals;

TEST(ParseDuration, TakesTheUsualUnits) {
  EXPECT_EQ(*parse_duration("--duration", "10s"), 10s);
  EXPECT_EQ(*parse_duration("--duration", "500ms"), 500ms);
  EXPECT_EQ(*parse_duration("--duration", "2m"), 2min);
  EXPECT_EQ(*parse_duration("--duration", "1h"), 1h);
  EXPECT_EQ(*parse_duration("--duration", "1.5"), 1500ms);
  EXPECT_EQ(*parse_duration("--duration", "0.000000001"), 1ns);
}

TEST(ParseDuration, RefusesTheRestInOneLine) {
  for (const char* text : {"", "s", "-1s", "0", "10 s", "10days", "nan", "inf", "1e99", "10s10s", "0.0000000001"}) {
    const auto duration = parse_duration("--duration", text);
    ASSERT_FALSE(duration) << text;
    EXPECT_EQ(duration.error().code, ErrorCode::kUsage) << text;
    EXPECT_EQ(duration.error().what.find('\n'), std::string::npos) << text;
  }
}

TEST(ParseRingSize, IsAPowerOfTwoInBounds) {
  EXPECT_EQ(*parse_ring_size("4M"), 4u << 20);
  EXPECT_EQ(*parse_ring_size("64K"), 64u << 10);
  EXPECT_EQ(*parse_ring_size("1048576"), 1u << 20);
  EXPECT_EQ(*parse_ring_size("1024MiB"), 1u << 30);
  for (const char* text : {"", "3M", "32K", "2048M", "4G", "-4M", "M", "4.1M", "64k", "65536.5"}) {
    EXPECT_FALSE(parse_ring_size(text)) << text;
  }
}

TEST(ParseRunOptions, SaysWhatIsWrong) {
  RunWords words;
  words.format = "xml\n";
  auto options = parse_run_options(words);
  ASSERT_FALSE(options);
  EXPECT_EQ(options.error().what, "--format xml\\x0a: there is no such format");

  words = {};
  words.json = true;
  words.format = "line";
  EXPECT_FALSE(parse_run_options(words));

  words = {};
  words.ready_fd = "987";
  options = parse_run_options(words);
  ASSERT_FALSE(options);
  EXPECT_EQ(options.error().what, "--ready-fd 987: this descriptor is not open");

  words = {};
  words.colour = "yes";
  EXPECT_FALSE(parse_run_options(words));
}

TEST(ParseRunOptions, NumbersAreDecimal) {
  RunWords words;
  EXPECT_FALSE(parse_run_options(words)->spec.count);
  EXPECT_EQ(parse_run_options(words)->ready_fd, -1);
  words.count = "010";
  words.ready_fd = "00";
  EXPECT_EQ(parse_run_options(words)->spec.count, 10u);
  EXPECT_EQ(parse_run_options(words)->ready_fd, 0);
  words.count = "18446744073709551615";
  EXPECT_EQ(parse_run_options(words)->spec.count, UINT64_MAX);
  for (const char* text : {"", "-1", "+1", "0x10", "1e3", "1.5", " 1", "1 ", "many"}) {
    words.count = text;
    const auto options = parse_run_options(words);
    ASSERT_FALSE(options) << text;
    EXPECT_EQ(options.error().what, "--count" + (*text ? " " + std::string(text) : "") + ": this is not a number");
  }
  for (const char* text : {"0", "18446744073709551616", "99999999999999999999999999"}) {
    words.count = text;
    const auto options = parse_run_options(words);
    ASSERT_FALSE(options) << text;
    EXPECT_EQ(options.error().what, "--count " + std::string(text) + ": this goes from 1 to 18446744073709551615");
  }
  words.count.reset();
  for (const char* text : {"-1", "0x1", "2147483648"}) {
    words.ready_fd = text;
    EXPECT_FALSE(parse_run_options(words)) << text;
  }
}

TEST(ParseRunOptions, TimesAreForTables) {
  RunWords words;
  words.format = "table";
  EXPECT_FALSE(parse_run_options(words)->spec.sinks.front().times);
  words.times = "delta";
  EXPECT_EQ(parse_run_options(words)->spec.sinks.front().times, TimeStyle::kDelta);
  words.times = "yesterday";
  EXPECT_EQ(parse_run_options(words).error().what, "-T yesterday: unknown value");
  words.times = "boot";
  words.format = "line";
  EXPECT_EQ(parse_run_options(words).error().what, "-T boot: the line format has one way to write times");
}

TEST(ParseRunOptions, JsonIsAFormat) {
  RunWords words;
  words.json = true;
  EXPECT_EQ(parse_run_options(words)->spec.sinks.front().format, "json");
}

}  // namespace
}  // namespace sockeye
