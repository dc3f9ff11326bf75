// SPDX-License-Identifier: Apache-2.0
#include "enrich/container_api.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "base/fake_root_for_tests.h"
#include "base/fd.h"
#include "enrich/enricher.h"
#include "tests/support/mute_daemon.h"

namespace sockeye {
namespace {

const std::string kId(64, 'a');
constexpr std::chrono::milliseconds kPatience(20'000);

std::string words(const ContainerLabels& labels) {
  return labels.name + "|" + labels.image + "|" + labels.pod_name + "|" + labels.pod_namespace;
}

// Answers the requests that come to a socket, one after the other, each with the next of `answers`; keeps their first
// lines. Empty: it closes without a word.
class FakeDaemon {
 public:
  FakeDaemon(const std::string& path, std::vector<std::string> answers) : listener_(listen_at(path)) {
    thread_ = std::thread([this, answers = std::move(answers)] {
      for (const std::string& answer : answers) serve(answer);
    });
  }
  ~FakeDaemon() { finish(); }

  // After the last answer.
  const std::vector<std::string>& requests() {
    finish();
    return requests_;
  }

  static std::string ok(const std::string& body) {
    return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\nConnection: close\r\n\r\n" + body;
  }

 private:
  void serve(const std::string& answer) {
    pollfd comes = {listener_.get(), POLLIN, 0};
    ASSERT_EQ(::poll(&comes, 1, static_cast<int>(kPatience.count())), 1) << "nobody asks";
    const Fd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    std::string request;
    char bytes[1024];
    for (ssize_t n; request.find("\r\n\r\n") == std::string::npos;) {
      n = ::read(client.get(), bytes, sizeof bytes);
      if (n <= 0) break;
      request.append(bytes, static_cast<size_t>(n));
    }
    requests_.push_back(request.substr(0, request.find('\r')));
    for (size_t at = 0; at < answer.size();) {
      const ssize_t n = ::send(client.get(), answer.data() + at, answer.size() - at, MSG_NOSIGNAL);
      if (n <= 0) return;
      at += static_cast<size_t>(n);
    }
  }
  void finish() {
    if (thread_.joinable()) thread_.join();
  }

  Fd listener_;
  std::thread thread_;
  std::vector<std::string> requests_;
};

class ContainerApiTest : public testing::Test {
 protected:
  ContainerApiTest() {
    root_.directory("/run/podman");
    root_.mount_v2();
  }

  std::string docker() const { return root_.path() + "/run/docker.sock"; }
  std::string podman() const { return root_.path() + "/run/podman/podman.sock"; }

  // What is known once every question has been answered.
  std::string answer() {
    ContainerApi api(root_.path());
    EXPECT_TRUE(api.ask(kId));
    api.wait(kPatience);
    std::string told = "nothing";
    api.take([&](const std::string& id, const ContainerLabels& labels) {
      EXPECT_EQ(id, kId);
      told = words(labels);
    });
    return told;
  }

  FakeRoot root_;
};

TEST_F(ContainerApiTest, WhereNobodyListensNobodyIsAsked) {
  root_.file("/run/docker.sock", "no socket");
  ContainerApi api(root_.path());
  EXPECT_TRUE(api.daemons().empty());
  EXPECT_FALSE(api.ask(kId));
  api.wait(kPatience);
}

TEST_F(ContainerApiTest, AsksDocker) {
  FakeDaemon daemon(docker(), {FakeDaemon::ok(R"([{"Id":")" + kId + R"(","Names":["/web"],"Image":"nginx:1.25"}])")});
  EXPECT_EQ(answer(), "web|nginx:1.25||");
  EXPECT_EQ(daemon.requests(), std::vector<std::string>{"GET /containers/json?all=true&filters=%7B%22id%22%3A%5B%22" +
                                                        kId + "%22%5D%7D HTTP/1.1"});
}

TEST_F(ContainerApiTest, AsksPodmanWhatDockerDoesNotKnow) {
  FakeDaemon first(docker(), {FakeDaemon::ok("[]")});
  FakeDaemon second(podman(), {FakeDaemon::ok(R"([{"Id":")" + kId +
                                              R"(","Names":["web"],"Image":"localhost/web:1","PodName":"shop"}])")});
  EXPECT_EQ(answer(), "web|localhost/web:1|shop|");
  EXPECT_NE(second.requests().at(0).find("/libpod/containers/json?"), std::string::npos);
}

TEST_F(ContainerApiTest, WhatIsNoAnswerIsNone) {
  const std::string big(2 * ContainerApi::kMaxAnswer, ' ');
  for (const std::string& bad :
       {std::string(), std::string("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"),
        std::string("rubbish\r\n\r\n"), FakeDaemon::ok("{\"message\":"), FakeDaemon::ok(big)}) {
    ::unlink(docker().c_str());
    FakeDaemon daemon(docker(), {bad});
    EXPECT_EQ(answer(), "|||") << bad.substr(0, 40);
  }
}

TEST_F(ContainerApiTest, AMuteDaemonIsGivenUp) {
  const MuteDaemon daemon(docker());
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(answer(), "|||");
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT_GE(took, std::chrono::milliseconds(ContainerApi::kAnswerMs));
  EXPECT_LT(took, kPatience);
}

TEST_F(ContainerApiTest, AMuteDaemonIsLeftAlone) {
  const MuteDaemon daemon(docker());
  ContainerApi api(root_.path());
  constexpr size_t kMany = 64;
  for (size_t i = 0; i < kMany; ++i) EXPECT_TRUE(api.ask(kId));
  api.wait(kPatience);
  size_t answers = 0;
  api.take([&](const std::string&, const ContainerLabels& labels) {
    ++answers;
    EXPECT_EQ(words(labels), "|||");
  });
  EXPECT_EQ(answers, kMany) << "in turn it would take two minutes";
}

TEST_F(ContainerApiTest, AnAnswerIsAwaitedForLongerThanItIsWaitedFor) {
  const MuteDaemon first(docker()), second(podman());
  ContainerNames names(root_.path());
  Context one = {.container = kId}, other = {.container = std::string(64, 'b')};
  names.complete(&one);
  names.complete(&other);
  EXPECT_TRUE(names.is_due(other));
  names.wait(ContainerNames::kDue + std::chrono::milliseconds(100));  // the second question is not over before eight
  EXPECT_TRUE(names.is_awaited(other));
  EXPECT_FALSE(names.is_due(other));
}

TEST_F(ContainerApiTest, WhatIsAskedForIsNotForgotten) {
  const MuteDaemon daemon(docker());
  ContainerNames names(root_.path());
  Context first = {.container = kId};
  names.complete(&first);
  for (size_t i = 0; i <= ContainerNames::kCapacity; ++i) {
    const std::string number = std::to_string(i);
    Context other = {.container = std::string(64 - number.size(), 'b') + number};
    names.complete(&other);
  }
  EXPECT_TRUE(names.is_awaited(first));
  names.wait(kPatience);
  EXPECT_TRUE(names.take_answers());
  EXPECT_FALSE(names.is_awaited(first)) << "it was told that nobody knows";
}

TEST_F(ContainerApiTest, OfWhatUsersSayNobodyIsAsked) {
  const MuteDaemon daemon(docker());
  ContainerNames names(root_.path());
  Context claimed = {.container = kId, .container_user = "1000"};
  Context of_nobody = {.container = std::string(64, 'b'), .container_user = "unknown"};
  for (Context* context : {&claimed, &of_nobody}) names.complete(context);
  EXPECT_FALSE(names.is_awaited(claimed));
  EXPECT_TRUE(names.is_awaited(of_nobody));
}

TEST_F(ContainerApiTest, TheEndDoesNotWaitForAMuteDaemon) {
  const MuteDaemon daemon(docker());
  const auto start = std::chrono::steady_clock::now();
  {
    ContainerApi api(root_.path());
    for (size_t i = 0; i < ContainerApi::kMaxWaiting / 2; ++i) EXPECT_TRUE(api.ask(kId));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, kPatience) << "128 answers would take four minutes";
}

TEST_F(ContainerApiTest, WhatFindsNoRoomIsAwaited) {
  const MuteDaemon daemon(docker());
  constexpr size_t kMany = ContainerApi::kMaxWaiting + 2;  // one is being asked at most
  ContainerNames names(root_.path());
  std::vector<Context> all(kMany);
  for (size_t i = 0; i < kMany; ++i) {
    const std::string number = std::to_string(i);
    all[i].container = std::string(64 - number.size(), 'a') + number;
    names.complete(&all[i]);
    EXPECT_TRUE(names.is_awaited(all[i])) << i;
  }
}

TEST_F(ContainerApiTest, AnEnricherTakesTheNameWithTheBatchAfterTheAnswer) {
  const uint64_t cgroup = root_.directory("/sys/fs/cgroup/docker-" + kId + ".scope");
  FakeDaemon daemon(docker(), {FakeDaemon::ok(R"([{"Id":")" + kId + R"(","Names":["/web"],"Image":"nginx"}])")});
  Enricher enricher(root_.path());
  ::owner who = {};
  who.cgroup_id = cgroup;
  const Context* context = enricher.of(who);
  ASSERT_TRUE(context);
  EXPECT_EQ(context->container_name, "");
  EXPECT_TRUE(enricher.is_name_awaited(*context));
  enricher.prepare(kPatience);
  context = enricher.of(who);
  EXPECT_EQ(context->container_name + " " + context->container_image, "web nginx");
  EXPECT_FALSE(enricher.is_name_awaited(*context));
}

}  // namespace
}  // namespace sockeye
