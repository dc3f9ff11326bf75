// SPDX-License-Identifier: Apache-2.0
// The kernel side on the kernel that runs: every collector alone, all together, and filtered, loads and attaches.
#include <bpf/libbpf.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "base/fd.h"
#include "bpf/object.h"
#include "bpf/snapshot.h"
#include "collectors/who/who.event.h"
#include "event/collector.h"
#include "tests/load/full_filters.h"
#include "tests/load/kernel_test.h"

namespace sockeye {
namespace {

class LoadTest : public KernelTest {
 protected:
  static std::unique_ptr<Object> loaded(const ObjectOptions& options) {
    auto object = Object::start(options, [](Object&) { return Ok{}; });
    EXPECT_TRUE(object) << object.error().what;
    return object ? std::move(*object) : nullptr;
  }

  // What costs every system call where no trampoline is to be had: only who asks for it has it there.
  static void expect_methods(const Object& object, bool accept_owner = false) {
    for (const Choice& choice : object.plan().choices) {
      if (choice.hook == "accepted" && !accept_owner) continue;
      std::string why;
      for (const Refusal& refusal : choice.refused) why += refusal.method + ": " + refusal.why + "; ";
      EXPECT_FALSE(choice.method.empty()) << choice.hook << ": " << why;
    }
  }
};

TEST_F(LoadTest, EachCollectorAlone) {
  for (const Collector* collector : collectors()) {
    SCOPED_TRACE(collector->event.name);
    ObjectOptions options;
    options.collectors = {collector->event.name};
    options.connect_errors = true;
    const auto object = loaded(options);
    ASSERT_TRUE(object);
    expect_methods(*object);
    for (const Handler& handler : handlers()) {
      if (handler.collector != collector->event.name) continue;
      EXPECT_TRUE(object->has(handler.hook)) << handler.hook;
    }
  }
}

// With as many values as docs/limitations.md says that all collectors take in one run.
TEST_F(LoadTest, AllTogetherFiltered) {
  ObjectOptions options;
  options.accept_owner = options.connect_errors = options.new_cgroups = true;
  for (const Collector* collector : collectors()) options.collectors.push_back(collector->event.name);
  options.filters = full_filters(8);
  const auto object = loaded(options);
  ASSERT_TRUE(object);
  expect_methods(*object, true);
}

TEST_F(LoadTest, AcceptsAreSeenWhereThatIsCheapOrAskedFor) {
  const auto options_of = [](bool asked) {
    ObjectOptions options;
    options.collectors = {"states"};
    options.accept_owner = asked;
    return options;
  };
  const auto asked = loaded(options_of(true)), not_asked = loaded(options_of(false));
  ASSERT_TRUE(asked && not_asked);
  EXPECT_TRUE(asked->has("accepted"));
  for (const Choice& choice : not_asked->plan().choices) {
    if (choice.hook != "accepted") continue;
    EXPECT_NE(choice.method, "sys_exit");
    if (choice.method.empty()) {
      EXPECT_EQ(choice.refused.back().why, "it slows every system call down");
    }
  }
}

TEST_F(LoadTest, AMethodThatTheKernelRefusesIsReplacedByTheNext) {
  ObjectOptions options;
  options.collectors = {"states"};
  options.refused = {{"syn_sent__sockops", "for the test", "none"}, {"sent__tp_btf", "for the test", ""}};
  const auto object = loaded(options);
  ASSERT_TRUE(object);
  for (const Choice& choice : object->plan().choices) {
    if (choice.hook != "syn_sent") continue;
    EXPECT_NE(choice.method, "sockops");
    ASSERT_FALSE(choice.refused.empty());
    EXPECT_EQ(choice.refused[0].why, "for the test");
    EXPECT_EQ(choice.refused[0].remedy, "none");
  }
}

TEST_F(LoadTest, WithoutWhatItIsAboutACollectorIsNotLoaded) {
  ObjectOptions options;
  options.collectors = {"states"};
  options.refused = {{"set_state__tp_btf", "for the test", ""}};
  const auto object = Object::load(options);
  ASSERT_FALSE(object);
  EXPECT_EQ(object.error().code, ErrorCode::kNotPossible);
  EXPECT_EQ(object.error().what, "states cannot work: no change of a socket's state is seen, for the test");
}

TEST_F(LoadTest, ASnapshotFindsOurOwnSocket) {
  const Fd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(listen(listener.get(), 1), 0);
  ObjectOptions options;
  options.collectors = {"states"};
  const auto object = loaded(options);
  ASSERT_TRUE(object);
  const SnapshotReport report = take_snapshot(*object);
  EXPECT_GE(report.owned, 1u) << report.limitation;
  EXPECT_GT(report.took_us, 0u);
}

TEST_F(LoadTest, ASnapshotAttachesNothing) {
  ObjectOptions options;
  options.collectors = {"who"};
  const auto object = loaded(options);
  ASSERT_TRUE(object);
  for (const Choice& choice : object->plan().choices) EXPECT_TRUE(choice.method.starts_with("iter")) << choice.hook;
  take_snapshot(*object);
  const auto iterator = object->open_iterator("visit_socket");
  ASSERT_TRUE(iterator) << iterator.error().what;
  std::vector<std::byte> room(Object::kIteratorBytes);
  ssize_t n;
  while ((n = Object::read_iterator(*iterator, room)) > 0) {
    EXPECT_EQ(static_cast<size_t>(n) % sizeof(who_visit), 0u) << "events come whole";
  }
  EXPECT_EQ(n, 0);
}

// Of a connection on loopback, which ends at once; both ends.
void connect_once(const sockaddr_in& server, const Fd& listener) {
  const Fd client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(connect(client.get(), reinterpret_cast<const sockaddr*>(&server), sizeof server), 0);
  const Fd accepted(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  char byte = 'x';
  for (int i = 0; i < 20; ++i) {  // uses look for the entry each time, and are no events
    ASSERT_EQ(send(client.get(), &byte, 1, 0), 1);
    ASSERT_EQ(recv(accepted.get(), &byte, 1, 0), 1);
  }
}

TEST_F(LoadTest, AnEventThatThereIsNoEventForIsCountedOnce) {
  ObjectOptions options;
  options.collectors = {"states"};
  options.most_sockets = 4;
  const auto object = loaded(options);
  ASSERT_TRUE(object);
  const Fd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in server = {.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
  socklen_t size = sizeof server;
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<const sockaddr*>(&server), size), 0);
  ASSERT_EQ(listen(listener.get(), 1), 0);
  ASSERT_EQ(getsockname(listener.get(), reinterpret_cast<sockaddr*>(&server), &size), 0);
  std::vector<Fd> holding;  // more listeners than there is room for
  for (int i = 0; i < 8; ++i) {
    holding.emplace_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(listen(holding.back().get(), 1), 0);
  }
  for (int i = 0; i < 30; ++i) connect_once(server, listener);
  object->detach();
  struct Seen {
    uint64_t events = 0, without = 0;
  } seen;
  const auto count = [](void* to, void* data, size_t) {
    auto& seen = *static_cast<Seen*>(to);
    const auto& event = *static_cast<const socket_event*>(data);
    ++seen.events;
    seen.without += event.owner.source == OWNER_UNKNOWN && event.socket.role == ROLE_UNKNOWN;
    return 0;
  };
  ring_buffer* ring = ring_buffer__new(object->ring_fd(), count, &seen, nullptr);
  ASSERT_TRUE(ring);
  ring_buffer__consume(ring);
  ring_buffer__free(ring);
  EXPECT_GT(seen.without, 30u) << "of " << seen.events;
  EXPECT_EQ(object->losses(true)[LossReason::kEntryAlloc], seen.without) << "of " << seen.events;
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
