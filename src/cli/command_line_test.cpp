// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace sockeye {
namespace {

Result<Work> parse(std::vector<const char*> words) {
  words.insert(words.begin(), "sockeye");
  return parse_command_line(static_cast<int>(words.size()), words.data());
}

TEST(ParseCommandLine, DoesNothingYet) {
  const std::string file = testing::TempDir() + "sockeye-not-made";
  const auto work = parse({"replay", "/nowhere/recording", "--record", file.c_str(), "--log-file", file.c_str()});
  ASSERT_TRUE(work) << work.error().what;
  EXPECT_TRUE(*work);
  EXPECT_FALSE(std::filesystem::exists(file));
  for (const char* word : {"states", "who", "counts", "doctor", "list", "--help", "--version"}) {
    EXPECT_TRUE(parse({word})) << word;
  }
  EXPECT_TRUE(parse({"states", "--with", "retransmits"}));
  EXPECT_TRUE(parse({"retransmits", "--totals", "--by", "container", "--interval", "2s"}));
  EXPECT_TRUE(parse({"retransmits", "--by", "process"}));
  EXPECT_TRUE(parse({"trace", "execs,connections", "-p", "1", "--port", "80"}));
  EXPECT_TRUE(parse({"trace", "states,retransmits", "--totals", "--interval", "2s"}));
  EXPECT_TRUE(parse({"trace", "states,retransmit_totals"}));
  EXPECT_TRUE(parse({"trace", "lifetimes,drops", "--active-only"}));
  EXPECT_TRUE(parse({"retransmits", "--totals", "--active-only"}));
}

TEST(ParseCommandLine, MeansStatesWithoutACommand) {
  for (const auto& words :
       {std::vector<const char*>{}, {"--duration", "3s"}, {"-4"}, {"--dst-port", "443", "--json"}}) {
    EXPECT_TRUE(parse(words)) << words.size();
  }
  EXPECT_EQ(parse({"--ring-size", "3M"}).error().what, "--ring-size 3M: this is not a power of two from 64K to 1024M");
  EXPECT_EQ(parse({"--durtion", "3s"}).error().hint, "did you mean --duration? (sockeye states --help)");
  const auto late = parse({"--json", "who"});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().what, "unexpected word who: this is a command");
}

// Every option of every command that takes one value.
TEST(ParseCommandLine, RefusesEmptyValues) {
  const std::vector<const char*> output = {"--format", "--log-file", "--record", "--count", "--color", "--timestamps"};
  const std::vector<const char*> run = {"--duration", "--btf", "--ring-size", "--ready-fd", "--direction"};
  std::vector<std::vector<const char*>> lines;
  for (const char* option : output) {
    lines.push_back({"states", option, ""});
    lines.push_back({"who", option, ""});
    lines.push_back({"replay", "file", option, ""});
  }
  for (const char* option : run) lines.push_back({"trace", "states,drops", option, ""});
  for (const char* option : {"--watch", "--by", "--duration", "--btf", "--ready-fd"}) {
    lines.push_back({"counts", option, ""});
  }
  for (const char* option : {"--by", "--interval"}) lines.push_back({"retransmits", option, ""});
  lines.push_back({"doctor", "--btf", ""});
  lines.push_back({"--record", ""});
  for (const auto& words : lines) {
    const auto work = parse(words);
    ASSERT_FALSE(work) << words.front() << " " << words[words.size() - 2];
    EXPECT_EQ(work.error().code, ErrorCode::kUsage);
    EXPECT_EQ(work.error().what, std::string(words[words.size() - 2]) + ": it needs a value");
  }
  EXPECT_EQ(parse({"replay", ""}).error().what, "file: it needs a value");
  EXPECT_FALSE(parse({"trace", ""}));
  EXPECT_FALSE(parse({"states", "--with", ""}));
  EXPECT_FALSE(parse({"states", "--port", ""}));
}

TEST(ParseCommandLine, TakesOptionsThatNeedNoValue) {
  EXPECT_TRUE(parse({"states", "--format", "table", "-T"}));
  EXPECT_TRUE(parse({"states", "-T", "--format", "table"}));
  EXPECT_TRUE(parse({"counts", "--watch"}));
  EXPECT_TRUE(parse({"counts", "--watch", "2s", "--strict"}));
  EXPECT_FALSE(parse({"counts", "--watch", "soon"}));
}

TEST(ParseCommandLine, SaysWhatIsWrong) {
  for (const auto& [words, what, hint] : {
           std::tuple(std::vector{"states", "--formt", "json"}, "unknown option --formt", "did you mean --format?"),
           std::tuple(std::vector{"sates"}, "unknown command sates", "did you mean states?"),
           std::tuple(std::vector{"states", "\033[31m"}, "unexpected word \\x1b[31m", "see sockeye states --help"),
           std::tuple(std::vector{"states", "--count", "-1"}, "--count -1: this is not a number", "such as --count"),
           std::tuple(std::vector{"who", "--count", "18446744073709551616"},
                      "--count 18446744073709551616: this goes from 1 to 18446744073709551615", "such as --count"),
           std::tuple(std::vector{"states", "--ready-fd", "0x1"}, "--ready-fd 0x1: this is not a number", "open it"),
           std::tuple(std::vector{"who", "--port", "0"}, "--port 0: this goes from 1 to 65535", "such as 443"),
           std::tuple(std::vector{"states", "--with", "who"}, "--with who: it has no lines of the form of states",
                      "it is a command of its own: sockeye who"),
           std::tuple(std::vector{"states", "--with", "retransmit"}, "there is no collector retransmit",
                      "did you mean retransmits?"),
           std::tuple(std::vector{"trace", "states,drops", "--by", "process"}, "--by: none of these collectors counts",
                      "those that do: retransmits"),
           std::tuple(std::vector{"trace", "states,who"}, "who is no stream of events",
                      "it is a command of its own: sockeye who"),
           std::tuple(std::vector{"retransmits", "--interval", "soon"}, "--interval soon: not a duration", "such as"),
           std::tuple(std::vector{"trace", "lifetimes,connections", "--active-only"},
                      "--active-only: events of lifetimes and connections have no state to go by", "leave it out"),
           std::tuple(std::vector{"execs", "--comm", "sh", "--port", "80"},
                      "--port: events of execs are about no socket", "--pid, --comm"),
           std::tuple(std::vector{"execs", "-6"}, "-6: events of execs are about no socket", "--pid, --comm"),
           std::tuple(std::vector{"counts", "--by", "x"}, "--by x: sockets cannot be grouped by this", "it is one of"),
       }) {
    const auto work = parse(words);
    ASSERT_FALSE(work) << words[0];
    EXPECT_EQ(work.error().code, ErrorCode::kUsage);
    EXPECT_EQ(work.error().what, what);
    EXPECT_EQ(work.error().hint.substr(0, std::string_view(hint).size()), hint);
  }
}

TEST(NearestWord, FindsTheWordThatWasMeant) {
  const std::vector<std::string> words = {"--dst-port", "--src-port", "--duration", "--format"};
  EXPECT_EQ(nearest_word("--dts-port", words), "--dst-port") << "letters swapped";
  EXPECT_EQ(nearest_word("--duratoin", words), "--duration");
  EXPECT_EQ(nearest_word("--fromat", words), "--format");
  EXPECT_EQ(nearest_word("--dst-prt", words), "--dst-port");
}

TEST(NearestWord, IsSilentWhereNothingIsNear) {
  EXPECT_EQ(nearest_word("--colour-of-the-sea", {"--dst-port", "--format"}), "");
  EXPECT_EQ(nearest_word("x", {"states", "list"}), "");
  EXPECT_EQ(nearest_word("states", {}), "");
}

TEST(NoSuchCollector, NamesTheNearestThatMayBeAskedFor) {
  const auto all = [](const Collector&) { return true; };
  const auto streams = [](const Collector& collector) { return collector.has_stream; };
  EXPECT_EQ(no_such_collector("count", all).hint, "did you mean counts?");
  EXPECT_EQ(no_such_collector("count", streams).hint, "see sockeye list");
  EXPECT_EQ(no_such_collector("sta\x1btes", streams).what, "there is no collector sta\\x1btes");
}

}  // namespace
}  // namespace sockeye
