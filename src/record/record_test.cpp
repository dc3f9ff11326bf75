// SPDX-License-Identifier: Apache-2.0
// What the writer makes the reader understands; what anybody else makes of it is found out.
#include <gtest/gtest.h>
#include <zstd.h>

#include <functional>

#include "record/memory_input_for_tests.h"
#include "record/reader.h"
#include "record/versions.h"
#include "record/writer.h"
#include "tests/support/events.h"

namespace sockeye::record {
namespace {

constexpr EventType kType = {.name = "test", .kind = 40, .size = sizeof(socket_event)};

Event of(const socket_event& body, const Context* context = nullptr, bool late = false) {
  return {.header = &body.header, .type = &kType, .context = context, .late = late};
}

socket_event event_at(uint64_t time_ns) {
  socket_event body = client_socket();
  body.header = {.kind = 40, .size = sizeof body, .cpu = 1, .time_ns = time_ns};
  return body;
}

std::string seal(Writer& writer) {
  std::string block(writer.seal());
  writer.sealed_block_was(true);
  return block;
}

const Context kApi = {
    .container = "8f2b1c6d9e0a", .runtime = "docker", .pod = "", .unit = "api", .cgroup_path = "/a\n"};

// Two blocks: the beginning with two events, then a tick and the end.
std::string small_recording() {
  Writer writer({{"sockeye", "0.1.0"}, {"zone", "UTC0"}}, {&kType, &kGapType});
  writer.set_clock(1000, 50);
  const socket_event first = event_at(1100), second = event_at(1050);
  EXPECT_TRUE(writer.add(of(first, &kApi)));
  EXPECT_TRUE(writer.add(of(second, nullptr, true)));
  std::string file = seal(writer);
  writer.set_clock(2000, 70);
  writer.add_tick(2000);
  end_event end{};
  end.header.time_ns = 3000;
  end.table_full = 4;
  Losses losses;
  losses[LossReason::kRingFull] = 7;
  writer.add_end(end, losses);
  return file + seal(writer);
}

// All that can be read of it, in words.
struct Told {
  std::vector<std::string> entries;
  std::optional<Damage> damage;
  Run run;
};

Told read_all(std::unique_ptr<Input> input) {
  Reader reader(std::move(input));
  Told told;
  while (true) {
    const Reader::Step step = reader.next_block();
    if (step == Reader::Step::kNothingYet) continue;
    if (step != Reader::Step::kBlock) break;
    told.run = reader.run();
    Entry entry;
    while (reader.next_entry(entry)) {
      std::string text;
      if (entry.type == EntryType::kEvent) {
        event_header header;
        memcpy(&header, entry.payload.data(), sizeof header);
        const Context* context = reader.context(entry.value);
        text = std::to_string(header.time_ns) + (entry.flags & kLateFlag ? " late" : "");
        if (context) text += " " + context->container + context->runtime + context->unit + context->cgroup_path;
        text += " " + std::string(entry.payload.size(), '.') +
                std::to_string(std::hash<std::string_view>()(
                    {reinterpret_cast<const char*>(entry.payload.data()), entry.payload.size()}));
      } else if (entry.type == EntryType::kClock) {
        text = "clock " + std::to_string(clock_point_of(entry).boot_ns) + " " +
               std::to_string(clock_point_of(entry).offset_ns);
      } else if (entry.type == EntryType::kTick) {
        text = "tick " + std::to_string(tick_of(entry));
      } else {
        const EndOfRun end = end_of(entry);
        text = "end " + std::to_string(end.boot_ns) + " " + std::to_string(end.table_full) + " " +
               std::to_string(end.losses.events());
      }
      told.entries.push_back(text);
    }
  }
  told.damage = reader.damage();
  return told;
}

Told read_all(const std::string& bytes) { return read_all(std::make_unique<MemoryInput>(bytes)); }

TEST(Recording, IsReadAsItWasWritten) {
  const std::string file = small_recording();
  const Told told = read_all(file);
  ASSERT_FALSE(told.damage) << told.damage->why;
  ASSERT_EQ(told.entries.size(), 6u);
  EXPECT_EQ(told.entries[0], "clock 1000 50");
  EXPECT_TRUE(told.entries[1].starts_with("1100 8f2b1c6d9e0adockerapi/a\n .")) << told.entries[1];
  EXPECT_TRUE(told.entries[2].starts_with("1050 late .")) << told.entries[2];
  EXPECT_EQ(told.entries[3], "clock 2000 70");
  EXPECT_EQ(told.entries[4], "tick 2000");
  EXPECT_EQ(told.entries[5], "end 3000 4 7");
  EXPECT_EQ(told.run.boot_ns, 1000u);
  EXPECT_EQ(told.run.fact("zone"), "UTC0");
  EXPECT_EQ(told.run.fact("kernel"), "");
  ASSERT_EQ(told.run.types.size(), 2u);
  EXPECT_EQ(told.run.types[0].name, "test");
  EXPECT_EQ(told.run.types[0].kind, 40);
  EXPECT_EQ(told.run.types[0].size, sizeof(socket_event));
  EXPECT_EQ(told.run.types[1].name, "gap");
}

TEST(Recording, MayComeInPieces) {
  const std::string file = small_recording();
  for (const size_t piece : {1u, 7u, 100u}) {
    EXPECT_EQ(read_all(std::make_unique<MemoryInput>(file, piece, true)).entries, read_all(file).entries);
  }
}

TEST(Recording, ThatWasCutIsReadToItsLastWholeBlock) {
  const std::string file = small_recording();
  const std::vector<std::string> whole = read_all(file).entries;
  for (size_t size = 0; size < file.size(); ++size) {
    const Told told = read_all(file.substr(0, size));
    ASSERT_LE(told.entries.size(), 3u) << size;
    EXPECT_TRUE(std::equal(told.entries.begin(), told.entries.end(), whole.begin())) << size;
    if (told.entries.size() == 3 && !told.damage) continue;  // right behind the first block
    ASSERT_TRUE(told.damage) << size;
    EXPECT_EQ(told.damage->block, told.entries.empty() ? 0u : 1u);
  }
}

// Every byte of it, every bit: nothing that was changed is taken for true. Inside of a frame a change may give another
// way to write the same bytes; in a header everything means something.
TEST(Recording, ThatWasChangedAnywhereIsRefusedThere) {
  const std::string file = small_recording();
  const std::vector<std::string> whole = read_all(file).entries;
  BlockHeader first;
  memcpy(&first, file.data() + sizeof(FileHeader), sizeof first);
  const size_t frame = sizeof(FileHeader) + sizeof first;
  const size_t second = frame + first.compressed_size;
  for (size_t at = 0; at < file.size(); ++at) {
    const bool is_of_header = at < frame || (at >= second && at < second + sizeof first);
    for (const int change : {1, 2, 4, 8, 16, 32, 64, 128, 255}) {
      std::string changed = file;
      changed[at] = static_cast<char>(changed[at] ^ change);
      const Told told = read_all(changed);
      if (!told.damage && !is_of_header) {
        EXPECT_EQ(told.entries, whole) << "byte " << at << " ^ " << change;
        continue;
      }
      ASSERT_TRUE(told.damage) << "byte " << at << " ^ " << change;
      EXPECT_LE(told.damage->position, at);
      ASSERT_LE(told.entries.size(), 3u);
      EXPECT_TRUE(std::equal(told.entries.begin(), told.entries.end(), whole.begin()));
    }
  }
}

TEST(Recording, FromWhichBytesWereTakenOrInWhichTheyWereSentTwiceIsRefused) {
  const std::string file = small_recording();
  for (size_t at = 0; at < file.size(); ++at) {
    EXPECT_TRUE(read_all(file.substr(0, at) + file.substr(at + 1)).damage) << at;
    EXPECT_TRUE(read_all(file.substr(0, at + 1) + file.substr(at)).damage) << at;
  }
  const Told twice = read_all(file + file);
  ASSERT_TRUE(twice.damage);
  EXPECT_EQ(twice.damage->why, "another recording begins here");
  EXPECT_EQ(twice.damage->position, file.size());
  EXPECT_EQ(twice.entries.size(), 6u);
}

TEST(Recording, SaysWhatAForeignFileIs) {
  const auto why = [](const std::string& bytes) {
    const Told told = read_all(bytes);
    return told.damage ? told.damage->why : "";
  };
  EXPECT_EQ(why(""), "it is empty");
  EXPECT_EQ(why("x"), "it is not a sockeye recording");
  EXPECT_EQ(why(std::string(100, '\0')), "it is not a sockeye recording");
  std::string text = small_recording();
  text.erase(4, 1);  // CR LF became LF
  EXPECT_EQ(why(text), "it was sent as text, which has changed it");
  std::string newer = small_recording();
  newer[8] = static_cast<char>(kCurrentVersion + 1);
  EXPECT_EQ(why(newer), "its format 3 is not known; this sockeye reads up to format 2");
}

// A block around entries that no writer of ours would make.
std::string block_of(const std::string& raw, uint32_t entries, uint64_t position, uint32_t raw_size) {
  std::string frame(ZSTD_compressBound(raw.size()), '\0');
  std::unique_ptr<ZSTD_CCtx, size_t (*)(ZSTD_CCtx*)> zstd(ZSTD_createCCtx(), ZSTD_freeCCtx);
  ZSTD_CCtx_setParameter(zstd.get(), ZSTD_c_checksumFlag, 1);
  frame.resize(ZSTD_compress2(zstd.get(), frame.data(), frame.size(), raw.data(), raw.size()));
  const BlockHeader header{kBlockMagic, static_cast<uint32_t>(frame.size()), raw_size, entries, position, 0};
  return std::string(reinterpret_cast<const char*>(&header), sizeof header) + frame;
}

std::string entry_of(EntryType type, uint32_t value, std::string payload, int size = -1) {
  const EntryHeader header{static_cast<uint8_t>(type), 0, static_cast<uint16_t>(size < 0 ? payload.size() : size),
                           value};
  payload.resize(padded(payload.size()));
  return std::string(reinterpret_cast<const char*>(&header), sizeof header) + payload;
}

TEST(Recording, WithEntriesThatMakeNoSenseIsRefused) {
  const std::string file = small_recording();
  const auto why = [&](const std::string& raw, uint32_t entries) {
    const Told told = read_all(file + block_of(raw, entries, file.size(), static_cast<uint32_t>(raw.size())));
    return told.damage ? told.damage->why : "fine";
  };
  const socket_event body = event_at(1);
  const std::string event(reinterpret_cast<const char*>(&body), sizeof body);
  EXPECT_EQ(why(entry_of(EntryType::kEvent, 0, event), 1), "fine");
  EXPECT_EQ(why(entry_of(EntryType::kEvent, 0, event), 2), "the block has another number of entries than it says");
  EXPECT_EQ(why(entry_of(EntryType::kEvent, 1, event), 1), "an event has a context that is not there");
  EXPECT_EQ(why(entry_of(EntryType::kEvent, 0, event.substr(8)), 1), "an event has an impossible size");
  EXPECT_EQ(why(entry_of(EntryType::kEvent, 0, event, 60000), 1), "an entry is cut off");
  EXPECT_EQ(why(entry_of(EntryType::kContext, 2, ""), 1), "contexts are not counted up");
  EXPECT_EQ(why(entry_of(EntryType::kContext, 1, std::string("\xff\xff\xff\xff", 4)), 1), "an entry is cut off");
  EXPECT_EQ(why(entry_of(EntryType::kClock, 0, "12345678"), 1), "an entry is cut off");
  EXPECT_EQ(why(entry_of(EntryType::kTick, 0, "1"), 1), "an entry is cut off");
  EXPECT_EQ(why(entry_of(EntryType::kEnd, 0, std::string(100, '\xff')), 1), "an entry is cut off");
  EXPECT_EQ(why(entry_of(EntryType::kRun, 0, std::string(16, '\0')), 1),
            "what made the recording is not told at its beginning");
  EXPECT_EQ(why(entry_of(static_cast<EntryType>(200), 9, "of a later version"), 1), "fine");
  EXPECT_EQ(why(std::string("\1\2\3", 3), 1), "the header of the block makes no sense");
}

TEST(Recording, ThatWouldUnpackToMoreThanItSaysIsRefused) {
  const std::string file = small_recording();
  const Told told = read_all(file + block_of(std::string(1 << 20, '\0'), 1, file.size(), 4096));
  ASSERT_TRUE(told.damage);
  EXPECT_EQ(told.damage->why, "the frame of the block is damaged");
}

TEST(Recorder, BlocksAreFullAtSomePointAndStandAlone) {
  Writer writer({}, {&kType});
  writer.set_clock(1, 2);
  std::string file = seal(writer);
  writer.set_clock(1, 2);
  writer.begin_batch();
  uint64_t added = 0;
  const Context other = {.container = "other"};
  for (socket_event body = event_at(0); writer.add(of(body, added % 2 ? &kApi : &other)); body = event_at(++added)) {
  }
  EXPECT_EQ(writer.events(), added);
  EXPECT_GT(added, 1000u);
  file += seal(writer);
  EXPECT_TRUE(writer.is_empty());
  const socket_event body = event_at(7);
  EXPECT_TRUE(writer.add(of(body, &kApi)));
  file += seal(writer);
  const Told told = read_all(file);
  ASSERT_FALSE(told.damage);
  EXPECT_EQ(told.entries.size(), 1 + 1 + added + 1 + 1);
  EXPECT_TRUE(told.entries.back().starts_with("7 8f2b1c6d9e0a")) << told.entries.back();
}

// The same pointer is another context in another batch.
TEST(Recorder, ContextsAreThoseOfTheirBatch) {
  Writer writer({}, {&kType});
  writer.set_clock(1, 2);
  Context context = {.container = "one"};
  const socket_event body = event_at(5);
  writer.begin_batch();
  writer.add(of(body, &context));
  context.container = "two";
  writer.begin_batch();
  writer.add(of(body, &context));
  const Told told = read_all(seal(writer));
  ASSERT_EQ(told.entries.size(), 3u);
  EXPECT_TRUE(told.entries[1].starts_with("5 one "));
  EXPECT_TRUE(told.entries[2].starts_with("5 two "));
}

// A disk was full: what follows is a recording all the same, from its very beginning.
// An entry's size is 16 bits. What a hostile recording may hold, another one has room for.
TEST(Recorder, AContextAsLargeAsARecordingMayHoldIsWrittenWhole) {
  Context large;
  size_t room = UINT16_MAX;
  for (const ContextMember& member : kContextMembers) {
    const size_t names = 4 + member.name.size();
    if (room < names) break;
    (large.*member.member).assign(std::min(kMaxText, room - names), 'x');
    room -= names + (large.*member.member).size();
  }
  ASSERT_EQ(room, 0u) << "it fills an entry";
  ASSERT_TRUE(large.pod_namespace.empty()) << "and there are members that found no room";
  const auto written = [](const Context& context) {
    Writer writer({}, {&kType});
    writer.set_clock(1, 0);
    EXPECT_TRUE(writer.add(of(event_at(1), &context)));
    return seal(writer);
  };
  const std::string file = written(large);
  Reader reader(std::make_unique<MemoryInput>(file));
  ASSERT_EQ(reader.next_block(), Reader::Step::kBlock) << reader.damage()->why;
  const Context* read = reader.context(1);
  for (const ContextMember& member : kContextMembers) EXPECT_EQ(read->*member.member, large.*member.member);

  Context too_large = large;
  too_large.pod_namespace.assign(kMaxText, 'y');
  EXPECT_EQ(written(too_large), file) << "what has no room is left out";
}

TEST(Recorder, ABlockThatWasNotWrittenLeavesNoHole) {
  Writer writer({{"zone", "UTC0"}}, {&kType});
  writer.set_clock(1, 2);
  const socket_event lost = event_at(5), kept = event_at(6);
  writer.add(of(lost));
  writer.seal();
  writer.sealed_block_was(false);
  writer.add(of(kept));
  std::string file = seal(writer);
  writer.add(of(lost));
  writer.seal();
  writer.sealed_block_was(false);
  writer.add_tick(9);
  file += seal(writer);
  const Told told = read_all(file);
  ASSERT_FALSE(told.damage) << told.damage->why;
  EXPECT_EQ(told.run.fact("zone"), "UTC0");
  ASSERT_EQ(told.entries.size(), 4u);
  EXPECT_TRUE(told.entries[1].starts_with("6 "));
  EXPECT_EQ(told.entries[3], "tick 9");
}

}  // namespace
}  // namespace sockeye::record
