// SPDX-License-Identifier: Apache-2.0
// The kernel side on the kernel that runs: every collector alone, all together, and filtered, loads and attaches.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "base/fd.h"
#include "bpf/object.h"
#include "bpf/snapshot.h"
#include "event/collector.h"

namespace sockeye {
namespace {

class LoadTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root: BPF programs are loaded";
    const auto features = Features::detect();
    if (!features) GTEST_SKIP() << features.error().what;
  }

  static std::unique_ptr<Object> loaded(const ObjectOptions& options) {
    auto object = Object::load(options);
    EXPECT_TRUE(object) << object.error().what;
    if (!object) return nullptr;
    const auto attached = (*object)->attach();
    EXPECT_TRUE(attached) << attached.error().what;
    return attached ? std::move(*object) : nullptr;
  }

  static void expect_rungs(const Object& object) {
    for (const Choice& choice : object.choices()) {
      std::string why;
      for (const Refusal& refusal : choice.refused) why += refusal.rung + ": " + refusal.why + "; ";
      EXPECT_FALSE(choice.rung.empty()) << choice.moment << ": " << why;
    }
  }
};

TEST_F(LoadTest, EachCollectorAlone) {
  for (const Collector* collector : collectors()) {
    SCOPED_TRACE(collector->event.name);
    ObjectOptions options;
    options.collectors = {collector->event.name};
    const auto object = loaded(options);
    ASSERT_TRUE(object);
    expect_rungs(*object);
    for (const Handler& handler : handlers()) {
      if (handler.collector != collector->event.name) continue;
      EXPECT_TRUE(object->has(handler.moment)) << handler.moment;
    }
  }
}

TEST_F(LoadTest, AllTogetherFiltered) {
  ObjectOptions options;
  for (const Collector* collector : collectors()) options.collectors.push_back(collector->event.name);
  memset(&options.filters, 0xff, sizeof options.filters);  // no list is dead code
  options.filters.family = FAMILY_IPV4;
  options.filters.direction = FILTER_DIRECTION_OUT;
  const auto object = loaded(options);
  ASSERT_TRUE(object);
  expect_rungs(*object);
}

TEST_F(LoadTest, ASnapshotFindsOurOwnSocket) {
  const Fd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(listen(listener.get(), 1), 0);
  ObjectOptions options;
  options.collectors = {"states"};
  const auto object = loaded(options);
  ASSERT_TRUE(object);
  const SnapshotReport report = take_snapshot(*object);
  EXPECT_GE(report.owned, 1u) << report.shortcoming;
  EXPECT_GT(report.took_us, 0u);
}

TEST_F(LoadTest, ASnapshotAttachesNothing) {
  ObjectOptions options;
  options.collectors = {"who"};
  const auto object = loaded(options);
  ASSERT_TRUE(object);
  for (const Choice& choice : object->choices()) EXPECT_TRUE(choice.rung.starts_with("iter")) << choice.moment;
  take_snapshot(*object);
  const auto iterator = object->open_iterator("tick_socket");
  ASSERT_TRUE(iterator) << iterator.error().what;
  std::vector<std::byte> room(Object::kIteratorBytes);
  ssize_t n;
  while ((n = Object::read_iterator(*iterator, room)) > 0) {
    EXPECT_EQ(static_cast<size_t>(n) % find_collector("who")->event.size, 0u) << "records come whole";
  }
  EXPECT_EQ(n, 0);
}

TEST_F(LoadTest, NothingIsLostWhereNothingHappens) {
  ObjectOptions options;
  options.collectors = {"states"};
  const auto object = loaded(options);
  ASSERT_TRUE(object);
  object->detach();
  EXPECT_EQ(object->losses(true).events(), 0u);
}

}  // namespace
}  // namespace sockeye
