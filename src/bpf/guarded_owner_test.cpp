// SPDX-License-Identifier: Apache-2.0
// The kernel side's owner that several CPUs write and read, compiled for the host: threads in place of CPUs.
#include "bpf/guarded_owner.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

namespace sockeye {
namespace {

constexpr int kWrites = 200'000;

// All of it is made from one number.
owner made_of(uint32_t number) {
  owner who{};
  who.start_ns = who.cgroup_id = number;
  who.pid = who.tid = who.ppid = who.uid = who.ns_pid = number;
  memset(who.comm, static_cast<int>('a' + number % 26), sizeof who.comm - 1);
  memcpy(who.thread, who.comm, sizeof who.thread);
  who.source = OWNER_USE;
  return who;
}

bool is_whole(const owner& who) {
  if (who.source == OWNER_UNKNOWN) return true;
  const owner expected = made_of(who.pid);
  return memcmp(&who, &expected, sizeof who) == 0;
}

bool put(guarded_owner& whose, uint32_t number) {
  owner* place = begin_owner(&whose);
  if (!place) return false;
  *place = made_of(number);
  end_owner(&whose);
  return true;
}

TEST(GuardedOwner, TheLastOneIsShown) {
  guarded_owner whose{};
  for (const uint32_t number : {1u, 2u, 3u}) {
    EXPECT_TRUE(put(whose, number));
    EXPECT_EQ(shown_owner(&whose)->pid, number);
    owner copy{};
    copy_owner(&copy, &whose);
    EXPECT_TRUE(is_whole(copy));
    EXPECT_EQ(copy.pid, number);
  }
}

TEST(GuardedOwner, WhatInterruptsAWriterFindsTheOneBefore) {
  guarded_owner whose{};
  put(whose, 1);
  owner* place = begin_owner(&whose);
  ASSERT_TRUE(place);
  place->pid = 2;  // and no further yet
  owner copy{};
  copy_owner(&copy, &whose);
  EXPECT_TRUE(is_whole(copy));
  EXPECT_EQ(copy.pid, 1u);
  EXPECT_FALSE(put(whose, 3)) << "another one is at it";
  *place = made_of(2);
  end_owner(&whose);
  EXPECT_EQ(shown_owner(&whose)->pid, 2u);
  EXPECT_TRUE(put(whose, 3)) << "nobody is any more";
}

TEST(GuardedOwner, WritesThatNeverEndLeaveItUnknown) {
  guarded_owner whose{};
  put(whose, 1);
  whose.begun += 2;  // as two writers do between the looks of a reader
  owner copy = made_of(5);
  copy_owner(&copy, &whose);
  EXPECT_EQ(copy.source, OWNER_UNKNOWN);
  EXPECT_EQ(copy.pid, 0u);
}

// On one processor as on several: threads are put off in the middle of what they do.
TEST(GuardedOwner, NobodySeesHalfOfOne) {
  guarded_owner whose{};
  std::atomic<bool> is_over{false};
  std::atomic<uint64_t> copies{0}, halves{0}, written{0};
  std::vector<std::thread> writers, readers;
  for (uint32_t i = 0; i < 3; ++i) {
    writers.emplace_back([&, i] {
      for (uint32_t n = 1; n <= kWrites; ++n) written += put(whose, n * 3 + i);
    });
    readers.emplace_back([&] {
      while (!is_over) {
        owner copy{};
        copy_owner(&copy, &whose);
        halves += !is_whole(copy);
        ++copies;
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  is_over = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(halves, 0u) << "of " << copies << " copies";
  EXPECT_GT(copies, 0u);
  EXPECT_GT(written, 0u);
  EXPECT_TRUE(is_whole(*shown_owner(&whose)));
}

}  // namespace
}  // namespace sockeye
