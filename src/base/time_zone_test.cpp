// SPDX-License-Identifier: Apache-2.0
#include "base/time_zone.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>

namespace sockeye {
namespace {

constexpr int64_t kSummer = 1'784'000'000'000'000'000;  // 2026-07-14 03:33:20 UTC
constexpr int64_t kWinter = 1'768'000'000'000'000'000;  // 2026-01-09 23:06:40 UTC

std::string tzif(const std::string& rule, char version = '2') {
  return std::string("TZif") + version + std::string(39, '\0') + "\n\n\n" + rule + "\n";
}

// A root with the files of a machine's time zones; $TZ as the test finds it is put back.
class ZoneTest : public testing::Test {
 protected:
  ZoneTest() : root_(testing::TempDir() + "sockeye-zone-" + std::to_string(getpid())) {
    if (const char* tz = getenv("TZ")) before_ = tz;
    unsetenv("TZ");
  }
  ~ZoneTest() override {
    std::filesystem::remove_all(root_);
    before_.empty() ? unsetenv("TZ") : setenv("TZ", before_.c_str(), 1);
    unsetenv("TZDIR");
    tzset();
  }
  void put(const std::string& path, const std::string& bytes) const {
    std::filesystem::create_directories(std::filesystem::path(root_ + path).parent_path());
    std::ofstream(root_ + path, std::ios::binary) << bytes;
  }

  std::string root_;
  std::string before_;
};

TEST_F(ZoneTest, IsThatOfEtcLocaltime) {
  put("/etc/localtime", tzif("CET-1CEST,M3.5.0,M10.5.0/3"));
  EXPECT_EQ(zone_rule(kSummer, root_), "CET-1CEST,M3.5.0,M10.5.0/3");
}

TEST_F(ZoneTest, IsThatOfTheFileThatTzNames) {
  put("/usr/share/zoneinfo/Asia/Kathmandu", tzif("<+0545>-5:45"));
  put("/srv/zone", tzif("EST5"));
  put("/etc/localtime", tzif("CET-1"));
  for (const char* name : {"Asia/Kathmandu", ":Asia/Kathmandu"}) {
    setenv("TZ", name, 1);
    EXPECT_EQ(zone_rule(kSummer, root_), "<+0545>-5:45");
  }
  setenv("TZ", "/srv/zone", 1);
  EXPECT_EQ(zone_rule(kSummer, root_), "EST5");
}

TEST_F(ZoneTest, IsTzItselfWhereItIsARule) {
  setenv("TZ", "EST5EDT,M3.2.0,M11.1.0", 1);
  EXPECT_EQ(zone_rule(kSummer, root_), "EST5EDT,M3.2.0,M11.1.0");
}

TEST_F(ZoneTest, IsUtcWhereThereIsNone) {
  EXPECT_EQ(zone_rule(kSummer, root_), "UTC0");
  for (const char* name : {"", "Nowhere/Town", "no such zone"}) {
    setenv("TZ", name, 1);
    EXPECT_EQ(zone_rule(kSummer, root_), "UTC0") << name;
  }
  unsetenv("TZ");
  for (const std::string& file : {tzif(""), tzif("UTC0", '\0'), std::string("no zone"), tzif("../../etc/passwd")}) {
    put("/etc/localtime", file);
    EXPECT_EQ(zone_rule(kSummer, root_), "UTC0");
  }
}

TEST_F(ZoneTest, LeavesTheProcessAsItWas) {
  setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
  EXPECT_EQ(zone_rule(kSummer), "CET-1CEST,M3.5.0,M10.5.0/3");
  EXPECT_STREQ(getenv("TZ"), "CET-1CEST,M3.5.0,M10.5.0/3");
  EXPECT_EQ(getenv("TZDIR"), nullptr);
  EXPECT_STREQ(tzname[0], "CET");
}

TEST_F(ZoneTest, ARuleThatIsUsedGivesItsTimes) {
  const auto hour_of = [](int64_t wall_ns) {
    const time_t second = wall_ns / 1'000'000'000;
    tm parts;
    localtime_r(&second, &parts);
    return parts.tm_hour;
  };
  use_zone_rule("CET-1CEST,M3.5.0,M10.5.0/3");
  EXPECT_EQ(hour_of(kSummer), 5);
  EXPECT_EQ(hour_of(kWinter), 0);
}

// The zone has a table that says something else for now than its rule: what holds now is kept.
TEST_F(ZoneTest, IsTheOffsetOfNowWhereTheRuleDoesNotHoldNow) {
  // One transition, in the year 2106, from and to type 0, which is +01:00; the rule says +02:00.
  const auto head = [](char transitions) {
    return "TZif2" + std::string(30, '\0') + transitions + std::string("\0\0\0\1\0\0\0\4", 8);
  };
  const std::string type("\0\0\x0e\x10\0\0XXX\0", 10);
  const std::string transition("\0\0\0\1\0\0\0\0\0", 9);
  put("/zone", head(0) + type + head(1) + transition + type + "\n<+02>-2\n");
  setenv("TZ", (root_ + "/zone").c_str(), 1);
  tzset();
  EXPECT_EQ(zone_rule(kSummer), "<+0100>-01:00:00");
}

TEST(ZoneRule, IsToldFromNamesOfFiles) {
  for (const char* rule : {"UTC0", "CET-1CEST,M3.5.0,M10.5.0/3", "<+0545>-5:45", "<-0330>+03:30:00", "HST10"}) {
    EXPECT_TRUE(is_zone_rule(rule)) << rule;
  }
  for (const std::string& text : {std::string(), std::string("/etc/passwd"), std::string("UTC"), std::string(":UTC0"),
                                  std::string("../0"), std::string("Etc/GMT0"),
                                  std::string("A\0"
                                              "0",
                                              3),
                                  std::string("CET-1\n"), "A0" + std::string(200, '0')}) {
    EXPECT_FALSE(is_zone_rule(text)) << text;
  }
}

}  // namespace
}  // namespace sockeye
