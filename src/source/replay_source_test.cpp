// SPDX-License-Identifier: Apache-2.0
#include "source/replay_source.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/time_zone.h"
#include "event/sink.h"
#include "record/memory_input_for_tests.h"
#include "record/versions.h"
#include "record/writer.h"
#include "tests/support/events.h"
#include "tests/support/golden.h"

namespace sockeye {
namespace {

using record::MemoryInput;
using record::Writer;

const Collector& states() { return *find_collector("states"); }

// An event of `states` as any version may have made it: so many bytes, of this kind.
struct Raw {
  alignas(8) uint8_t bytes[256] = {};
  const event_header* header() const { return reinterpret_cast<const event_header*>(bytes); }

  Raw(uint16_t kind, uint16_t size, uint64_t time_ns, uint16_t rport = 8000, uint8_t old_state = TCP_ESTABLISHED,
      uint8_t new_state = TCP_FIN_WAIT1) {
    socket_event body = client_socket();
    body.header = {.kind = kind, .size = size, .cpu = 0, .time_ns = time_ns};
    body.socket.rport = rport;
    memset(bytes, 0xee, sizeof bytes);  // behind a short event lies something else
    memcpy(bytes, &body, sizeof body);
    memset(bytes + sizeof body, 0, 16);
    bytes[find_field(states().event, "old_state")->offset] = old_state;
    bytes[find_field(states().event, "new_state")->offset] = new_state;
  }
};

class ReplayTest : public testing::Test {
 protected:
  ReplayTest() { use_types({&states().event, &kGapType}); }

  void use_types(std::vector<const EventType*> types) {
    types_ = types;
    writer_ = std::make_unique<Writer>(RunFacts{{"sockeye", "9.9"}}, types);
    writer_->set_clock(1000, 50);
  }
  void add(const Raw& raw, const EventType& type = states().event, bool late = false) {
    writer_->add({.header = raw.header(), .type = &type, .context = nullptr, .late = late});
  }
  void add_gap(uint64_t time_ns, uint64_t lost, uint8_t reason) {
    const gap_event gap = {.header = {.kind = GAP_KIND, .size = sizeof gap, .cpu = 0, .time_ns = time_ns},
                           .from_ns = 0,
                           .lost = lost,
                           .stage = reason,
                           .reason = reason,
                           ._pad = {}};
    writer_->add({.header = &gap.header, .type = &kGapType});
  }
  void add_end(uint64_t time_ns, Losses losses = {}) {
    end_event end{};
    end.header.time_ns = time_ns;
    end.table_full = 9;
    writer_->add_end(end, losses);
  }
  void seal() {
    file_ += writer_->seal();
    writer_->sealed_block_was(true);
  }
  Result<std::unique_ptr<ReplaySource>> open(const ReplayOptions& options = {}) {
    if (!writer_->is_empty()) seal();
    return ReplaySource::open(std::make_unique<MemoryInput>(file_), options);
  }

  // Times of all events, with "late", "gap"; the clock's offset of each batch that has another one; "tick".
  static std::string told(ReplaySource& source) {
    std::string text;
    Batch batch;
    int64_t offset = 50;
    while (!source.ended()) {
      batch.clear();
      source.next(batch);
      if (source.clock().offset_ns() != offset) {
        offset = source.clock().offset_ns();
        text += "+" + std::to_string(offset) + " ";
      }
      for (const Event& event : batch.events()) {
        text += event.type == &kGapType ? "gap " : std::to_string(event.header->time_ns) + " ";
        if (event.late) text += "late ";
      }
      if (source.take_tick()) text += "tick ";
    }
    return text;
  }

  std::vector<const EventType*> types_;
  std::unique_ptr<Writer> writer_;
  std::string file_;
};

constexpr uint16_t kKind = 16;
constexpr uint16_t kSize = 192;

TEST_F(ReplayTest, GivesWhatWentOutInItsOrder) {
  add(Raw(kKind, kSize, 1100));
  add(Raw(kKind, kSize, 1050), states().event, true);
  writer_->add_tick(2000);
  add_gap(2100, 5, 0);
  seal();
  writer_->set_clock(2200, 70);
  add(Raw(kKind, kSize, 2300));
  writer_->set_clock(2200, 90);
  add(Raw(kKind, kSize, 2400));
  add_end(3000);
  const auto source = open();
  ASSERT_TRUE(source) << source.error().what;
  EXPECT_EQ((*source)->clock().boot_ns(), 1000u);
  EXPECT_EQ(told(**source), "1100 1050 late tick gap +70 2300 +90 2400 ");
  EXPECT_EQ((*source)->clock().boot_ns(), 3000u);
  EXPECT_EQ((*source)->events(), 5u);
  EXPECT_FALSE((*source)->damage());
  EXPECT_EQ((*source)->table_full(), 9u);
  EXPECT_EQ((*source)->losses(true).events(), 0u);
}

TEST_F(ReplayTest, SaysWhereARecordingIsCutOff) {
  add(Raw(kKind, kSize, 1100));
  seal();
  const size_t first = file_.size();
  add(Raw(kKind, kSize, 1200));
  add_end(1300);
  seal();
  const std::string whole = file_;
  for (const size_t size : {first, first + 1, whole.size() - 1}) {
    file_ = whole.substr(0, size);
    const auto source = open();
    ASSERT_TRUE(source);
    EXPECT_EQ(told(**source), "1100 ");
    ASSERT_TRUE((*source)->damage());
    EXPECT_EQ((*source)->damage()->position, first);
    EXPECT_EQ((*source)->damage()->block, 1u);
  }
}

TEST_F(ReplayTest, TellsOfLossesWhoseGapEventIsMissing) {
  add_gap(1100, 5, 0);
  Losses losses;
  losses[LossReason::kRingFull] = 8;
  losses[LossReason::kWriteFailed] = 2;
  add_end(1300, losses);
  const auto source = open();
  EXPECT_EQ(told(**source), "gap ");
  EXPECT_EQ((*source)->losses(true)[LossReason::kRingFull], 3u);
  EXPECT_EQ((*source)->losses(true)[LossReason::kWriteFailed], 2u);
}

TEST_F(ReplayTest, ShowsWhatPassesTheFilters) {
  add(Raw(kKind, kSize, 1, 80));
  add(Raw(kKind, kSize, 2, 443));
  add(Raw(kKind, kSize, 3, 443, TCP_FIN_WAIT1, TCP_FIN_WAIT2));
  add_gap(4, 1, 0);
  add_end(5);
  ReplayOptions options;
  options.filters.active = 1;
  options.filters.ports[FILTER_DST] = {1, 1};
  options.filters.port[FILTER_DST][0] = {443, 443};
  auto source = open(options);
  EXPECT_EQ(told(**source), "2 3 gap ");
  EXPECT_EQ((*source)->table_full(), 0u) << "that is of what passed";
  options.filters.active_only = 1;
  source = open(options);
  EXPECT_EQ(told(**source), "2 gap ");
}

TEST_F(ReplayTest, EndsAfterItsTime) {
  for (const uint64_t time : {1100, 1400, 1300, 1600, 1500}) add(Raw(kKind, kSize, time));
  add_end(9000, Losses{{7}});
  ReplayOptions options;
  options.duration = std::chrono::nanoseconds(500);
  const auto source = open(options);
  EXPECT_EQ(told(**source), "1100 1400 1300 ");
  EXPECT_EQ((*source)->clock().boot_ns(), 1500u);
  EXPECT_EQ((*source)->losses(true).events(), 0u) << "the end was not reached";
  EXPECT_FALSE((*source)->damage());
}

// Numbers of kinds are another version's; structs only ever become longer.
TEST_F(ReplayTest, ReadsEventsOfOlderAndNewerVersions) {
  EventType older = states().event;
  older.kind = 77;
  older.size = 180;
  EventType newer = states().event;
  newer.kind = 77;
  newer.size = 240;
  for (const EventType* type : {&older, &newer}) {
    file_.clear();
    use_types({type});
    add(Raw(77, type->size, 1), *type);
    add_end(2);
    const auto source = open();
    ASSERT_TRUE(source);
    Batch batch;
    (*source)->next(batch);
    ASSERT_EQ(batch.events().size(), 1u);
    const Event& event = batch.events()[0];
    EXPECT_EQ(event.header->kind, kKind);
    EXPECT_EQ(event.header->size, kSize);
    const Field& last = *find_field(states().event, "new_state");
    EXPECT_EQ(number_of(last, event), type == &older ? 0 : TCP_FIN_WAIT1);
    EXPECT_EQ(number_of(*find_field(states().event, "rport"), event), 8000u);
  }
}

TEST_F(ReplayTest, LeavesOutWhatItDoesNotKnowAndCountsIt) {
  constexpr EventType kDns = {.name = "of_the_future", .kind = 99, .size = kSize};
  use_types({&states().event, &kDns});
  add(Raw(kKind, kSize, 1));
  add(Raw(99, kSize, 2), kDns);
  add(Raw(55, kSize, 3), kDns);  // of no kind that was announced
  add_end(4);
  const auto source = open();
  EXPECT_EQ(told(**source), "1 ");
  EXPECT_EQ((*source)->unknown(), 2u);
  EXPECT_EQ((*source)->unknown_collectors(), std::vector<std::string>{"of_the_future"});
}

TEST_F(ReplayTest, RefusesWhatItCannotShow) {
  add_end(4);
  ReplayOptions options;
  options.collectors = {find_collector("who")};
  auto source = open(options);
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().code, ErrorCode::kUsage);
  EXPECT_EQ(source.error().hint, "it holds those of states");
  file_.clear();
  constexpr EventType kDns = {.name = "of_the_future", .kind = 99, .size = kSize};
  use_types({&kDns});
  source = open();
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().code, ErrorCode::kFailed);
  file_ = "no recording";
  source = ReplaySource::open(std::make_unique<MemoryInput>(file_), {});
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().what, "it is not a sockeye recording");
}

// ---- the recordings that users have ----

std::string bytes_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::string replayed(const std::string& recording, const char* format) {
  char path[] = "/tmp/sockeye-replay-XXXXXX";
  close(mkstemp(path));
  auto source = ReplaySource::open(std::make_unique<MemoryInput>(bytes_of(recording)), {});
  EXPECT_TRUE(source) << recording << ": " << source.error().what;
  if (!source) return {};
  use_zone_rule(std::string((*source)->run().fact(kZoneFact)));
  const auto sink = make_sink(std::move(*Output::file(path, nullptr)), {format, {&states().event}, false});
  WallTime wall((*source)->clock());
  sink->write({}, wall);
  Batch batch;
  uint64_t delivered = 0, late = 0;
  while (!(*source)->ended()) {
    batch.clear();
    (*source)->next(batch);
    wall.recheck();
    sink->write(batch.events(), wall);
    for (const Event& event : batch.events()) {
      if (event.type == &kGapType) continue;
      ++delivered;
      late += event.late;
    }
  }
  EXPECT_FALSE((*source)->damage());
  end_event end = {};
  end.header = {.kind = END_KIND, .size = sizeof end, .cpu = 0, .time_ns = (*source)->clock().boot_ns()};
  end.delivered = delivered;
  end.lost = 12;
  end.late = late;
  const Event event{.header = &end.header, .type = &kEndType};
  sink->write({&event, 1}, wall);
  std::string text = bytes_of(path);
  std::filesystem::remove(path);
  return text;
}

TEST(ReplayGolden, RecordingsOfEveryVersionAreShownAsTheRunWas) {
  for (const record::Version& version : record::kVersions) {
    const std::string folder = "collectors/states/golden/";
    const std::string file = folder + "recording.v" + std::to_string(version.number);
    for (const char* format : {"line", "table", "json"}) {
      expect_golden(folder + "recording." + format, replayed(file, format));
    }
  }
  unsetenv("TZDIR");
  setenv("TZ", "UTC", 1);
  tzset();
}

}  // namespace
}  // namespace sockeye
