// SPDX-License-Identifier: Apache-2.0
// A recording made by hand of all that a recording can hold, and what each format shows of it. The recording of each
// version of the format is kept (golden/recording.v<N>): src/source/ replays them all against the same text.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "collectors/states/states.event.h"
#include "event/collector.h"
#include "event/loss.h"
#include "event/sink.h"
#include "tests/support/events.h"
#include "tests/support/golden.h"
#include "tests/support/rendered.h"

namespace sockeye {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

// A clock that is set while the run goes on.
class SetClock : public FixedClock {
 public:
  uint64_t boot_ns() const override { return boot; }
  int64_t wall_ns() const override { return kBootWallNs + static_cast<int64_t>(boot) + set; }
  uint64_t boot = 2'000 * kSecond;
  int64_t set = 0;
};

states_event change(uint64_t time_ns, uint8_t old_state, uint8_t new_state) {
  states_event body = {};
  body.base = client_socket();
  body.base.header = {.kind = STATES_KIND, .size = sizeof body, .cpu = 1, .time_ns = time_ns};
  body.old_state = old_state;
  body.new_state = new_state;
  return body;
}

void write_gap(Sink& sink, const WallTime& wall, uint64_t time_ns) {
  const gap_event gap = {.header = {.kind = GAP_KIND, .size = sizeof gap, .cpu = 0, .time_ns = time_ns},
                         .from_ns = time_ns - kSecond,
                         .lost = 12,
                         .stage = static_cast<uint8_t>(LossReason::kRingFull),
                         .reason = static_cast<uint8_t>(LossReason::kRingFull),
                         ._pad = {}};
  const Event event{.header = &gap.header, .type = &kGapType};
  sink.write({&event, 1}, wall);
}

// As the pipeline does it.
void play(Sink& sink) {
  const EventType& type = find_collector("states")->event;
  const Context api = {.container = std::string(64, 'a'), .runtime = "containerd", .unit = "api.scope"};
  const Context shell = {.unit = "session-1.scope", .cgroup_path = "/user.slice\n"};
  SetClock clock;
  WallTime wall(clock);
  sink.write({}, wall);
  const states_event first = change(clock.boot + 1, TCP_CLOSE, TCP_SYN_SENT);
  const states_event second = change(clock.boot + 2, TCP_SYN_SENT, TCP_ESTABLISHED);
  const Event batch[] = {{&first.base.header, &type, &api, false}, {&second.base.header, &type, &shell, false}};
  sink.write(batch, wall);
  clock.boot += kSecond;
  sink.tick(wall);
  write_gap(sink, wall, clock.boot);
  clock.set = 3'600 * static_cast<int64_t>(kSecond);  // an hour forward
  wall.recheck();
  states_event late = change(clock.boot - 5, TCP_ESTABLISHED, TCP_FIN_WAIT1);
  late.duration_ns = 1'234'567;
  late.flags = STATES_DURATION_KNOWN;
  set_text(late.base.owner.comm, "a\n\033[31mb");
  const Event last{&late.base.header, &type, &api, true};
  sink.write({&last, 1}, wall);
  clock.boot += kSecond;
  const end_event end = {.header = {.kind = END_KIND, .size = sizeof end, .cpu = 0, .time_ns = clock.boot},
                         .delivered = 3,
                         .lost = 12,
                         .late = 1,
                         .incomplete = 0,
                         .table_full = 0};
  const Event event{.header = &end.header, .type = &kEndType};
  sink.write({&event, 1}, wall);
  Losses losses;
  losses[LossReason::kRingFull] = 12;
  sink.close(end, losses, wall);
}

std::string shown_as(std::string_view format) {
  char path[] = "/tmp/sockeye-recording-XXXXXX";
  close(mkstemp(path));
  SinkOptions options = in_format(format);
  options.types = {&find_collector("states")->event};
  options.facts = {{std::string(kVersionFact), "0.1.0"}, {std::string(kZoneFact), "<+0545>-5:45"}};
  play(*make_sink(std::move(*Output::file(path, nullptr)), options));
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  std::filesystem::remove(path);
  return text.str();
}

class StatesRecordingGolden : public testing::TestWithParam<const char*> {
 protected:
  StatesRecordingGolden() {
    setenv("TZ", "<+0545>-5:45", 1);
    tzset();
  }
  ~StatesRecordingGolden() override {
    setenv("TZ", "UTC", 1);
    tzset();
  }
};

TEST_P(StatesRecordingGolden, IsShown) {
  expect_golden(std::string("collectors/states/golden/recording.") + GetParam(), shown_as(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Formats, StatesRecordingGolden, testing::ValuesIn(kGoldenFormats),
                         [](const auto& format) { return std::string(format.param); });

// One that is there is never written again: it stands for the recordings that users have.
TEST(StatesRecordingKeptGolden, IsOfThisVersion) {
  const std::string bytes = shown_as("recording");
  ASSERT_GT(bytes.size(), 12u);
  expect_kept("collectors/states/golden/recording.v" + std::to_string(bytes[8]), bytes);
}

}  // namespace
}  // namespace sockeye
