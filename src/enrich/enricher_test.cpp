// SPDX-License-Identifier: Apache-2.0
#include "enrich/enricher.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "base/fake_root_for_tests.h"

namespace sockeye {
namespace {

constexpr uint64_t kStart = 5'000'000'000;
constexpr uint64_t kNobody = 0x7fffffffffff;
const std::string kId(64, 'a');

::owner owner_in(uint64_t cgroup, uint8_t hierarchy = CGROUP_V2, uint32_t pid = 42, uint64_t start_ns = kStart) {
  ::owner who = {};
  who.cgroup_id = cgroup;
  who.cgroup_hierarchy = hierarchy;
  who.pid = pid;
  who.start_ns = start_ns;
  who.source = OWNER_CONNECT;
  return who;
}

TEST(Enricher, NamesTheContainer) {
  FakeRoot root;
  root.mount_hybrid();
  const uint64_t v1 = root.directory("/sys/fs/cgroup/memory/docker/" + kId);
  const uint64_t v2 = root.directory("/sys/fs/cgroup/unified/system.slice/nginx.service");
  Enricher enricher(root.path());
  const Context* docker = enricher.of(owner_in(v1, CGROUP_V1_MEMORY));
  ASSERT_TRUE(docker);
  EXPECT_EQ(docker->container, kId);
  EXPECT_EQ(docker->runtime, "docker");
  EXPECT_EQ(docker->cgroup_path, "/docker/" + kId);
  const Context* nginx = enricher.of(owner_in(v2));
  ASSERT_TRUE(nginx);
  EXPECT_EQ(nginx->unit, "nginx.service");
  EXPECT_EQ(nginx->container, "");
}

TEST(Enricher, LooksUpACgroupOnce) {
  FakeRoot root;
  root.mount_v2();
  const uint64_t id = root.directory("/sys/fs/cgroup/a.service");
  Enricher enricher(root.path());
  const Context* first = enricher.of(owner_in(id));
  ASSERT_TRUE(first);
  std::filesystem::remove(root.path() + "/sys/fs/cgroup/a.service");
  enricher.begin_batch();
  EXPECT_EQ(enricher.of(owner_in(id, CGROUP_V2, 43)), first) << "known after the cgroup has gone, for any process";
  EXPECT_EQ(enricher.counters().lookups.by_walk, 1u);
}

TEST(Enricher, KnowsWhatPeopleCallTheContainer) {
  FakeRoot root;
  root.mount_v2();
  root.file("/var/lib/docker/containers/" + kId + "/config.v2.json", R"({"Name":"/web","Config":{"Image":"nginx"}})");
  const uint64_t outer = root.directory("/sys/fs/cgroup/system.slice/docker-" + kId + ".scope");
  const uint64_t inner = root.directory("/sys/fs/cgroup/system.slice/docker-" + kId + ".scope/init.scope");
  Enricher enricher(root.path());
  for (const uint64_t cgroup : {outer, inner}) {
    const Context* context = enricher.of(owner_in(cgroup));
    ASSERT_TRUE(context);
    EXPECT_EQ(context->container_name + " " + context->container_image, "web nginx");
  }
  std::string seen;
  enricher.each_cgroup([&](const container_key&, const Context& context) { seen += context.container_name; });
  EXPECT_EQ(seen, "webweb");
}

// What the enricher says of a cgroup: container|pod|who says so.
std::string told(const FakeRoot& root, const std::string& path) {
  Enricher enricher(root.path());
  const Context* context = enricher.of(owner_in(root.directory("/sys/fs/cgroup" + path)));
  return context ? context->container + "|" + context->pod + "|" + context->container_user : "nothing";
}

TEST(Enricher, SaysWhoSaysThatItIsAContainer) {
  FakeRoot root;
  root.mount_v2();
  const std::string mine = "/user.slice/user@1000.service", id = std::string(64, 'b'),
                    scope = "/docker-" + id + ".scope";
  EXPECT_EQ(told(root, scope), id + "||");
  root.directory("/sys/fs/cgroup" + mine);
  root.directory("/sys/fs/cgroup/docker-" + kId + ".scope");
  if (!root.give("/sys/fs/cgroup" + mine, 1000) || !root.give("/sys/fs/cgroup/docker-" + kId + ".scope", 1001))
    GTEST_SKIP() << "needs root";
  EXPECT_EQ(told(root, mine + scope), id + "||1000");
  EXPECT_EQ(told(root, mine + "/pod" + std::string(32, 'c')), "|" + std::string(32, 'c') + "|1000");
  EXPECT_EQ(told(root, mine + "/app.slice"), "||") << "that is no container";
  EXPECT_EQ(told(root, "/docker-" + kId + ".scope"), kId + "||") << "given to somebody, and still what root says";
  EXPECT_EQ(told(root, "/docker-" + kId + ".scope" + scope), kId + "||") << "what is in it cannot get out of it";
}

TEST(Enricher, LearnsOfACgroupBeforeItsFirstEvent) {
  FakeRoot root;
  root.mount_v2();
  Enricher enricher(root.path());
  const container_key nowhere = {.id = kNobody, .pid = 0, .kind = CGROUP_V2};
  EXPECT_EQ(enricher.learn(nowhere), nullptr);
  const uint64_t id = root.directory("/sys/fs/cgroup/docker-" + kId + ".scope");
  const container_key made = {.id = id, .pid = 0, .kind = CGROUP_V2};
  const Context* context = enricher.learn(made);
  ASSERT_TRUE(context);
  EXPECT_EQ(context->container, kId);
  EXPECT_EQ(enricher.learn(made), context);
  std::filesystem::remove(root.path() + "/sys/fs/cgroup/docker-" + kId + ".scope");
  enricher.begin_batch();
  EXPECT_EQ(enricher.of(owner_in(id)), context) << "it had gone when its first event was read";
}

TEST(Enricher, WhatCannotBeLearntIsLookedUpWithItsFirstEvent) {
  FakeRoot root;
  Enricher enricher(root.path());
  EXPECT_EQ(enricher.learn({.id = 77, .pid = 0, .kind = CGROUP_V2}), nullptr);
  root.process(42, kStart, "0::/docker/" + kId + "\n");
  const Context* context = enricher.of(owner_in(77));
  ASSERT_TRUE(context);
  EXPECT_EQ(context->container, kId);
}

TEST(Enricher, KnowsNothingWithoutACgroup) {
  FakeRoot root;
  root.mount_v2();
  Enricher enricher(root.path());
  EXPECT_EQ(enricher.of(::owner{}), nullptr);
  EXPECT_EQ(enricher.counters().unresolved, 0u);
}

TEST(Enricher, RemembersFailuresUntilAnotherProcessComes) {
  FakeRoot root;
  Enricher enricher(root.path());
  EXPECT_EQ(enricher.of(owner_in(77)), nullptr);
  EXPECT_EQ(enricher.of(owner_in(77)), nullptr);
  EXPECT_EQ(enricher.counters().unresolved, 1u);
  root.process(43, kStart, "0::/docker/" + kId + "\n");
  EXPECT_EQ(enricher.of(owner_in(77)), nullptr) << "the same process as before is not asked again";
  const Context* context = enricher.of(owner_in(77, CGROUP_V2, 43));
  ASSERT_TRUE(context);
  EXPECT_EQ(context->container, kId);
  EXPECT_EQ(enricher.of(owner_in(77)), context);
  EXPECT_EQ(enricher.counters().unresolved, 1u);
}

TEST(Enricher, TriesAFailureAgainOnlySoOften) {
  FakeRoot root;
  Enricher enricher(root.path());
  for (uint32_t pid = 1; pid <= 100; ++pid) EXPECT_EQ(enricher.of(owner_in(77, CGROUP_V2, pid)), nullptr);
  EXPECT_EQ(enricher.counters().unresolved, Enricher::kMaxTries);
}

TEST(Enricher, TheRootOfV2) {
  FakeRoot root;
  root.mount_v2();
  root.process(42, kStart, "0::/\n");
  Enricher enricher(root.path());
  const Context* context = enricher.of(owner_in(1));
  ASSERT_TRUE(context);
  EXPECT_EQ(context->cgroup_path, "/");
  EXPECT_EQ(context->unit + context->container + context->pod, "");
}

TEST(Enricher, InTheRootBesideV1AsksTheProcess) {
  FakeRoot root;
  root.mount_hybrid();
  root.process(42, kStart, "4:memory:/docker/" + kId + "\n1:name=systemd:/docker/" + kId + "\n0::/\n");
  root.process(43, kStart, "4:memory:/\n1:name=systemd:/system.slice/sshd.service\n0::/\n");
  root.process(44, kStart, "4:memory:/\n1:name=systemd:/\n0::/\n");
  Enricher enricher(root.path());
  const Context* docker = enricher.of(owner_in(1, CGROUP_V2, 42));
  const Context* sshd = enricher.of(owner_in(1, CGROUP_V1_MEMORY, 43));
  const Context* nothing = enricher.of(owner_in(1, CGROUP_V2, 44));
  const Context* reused = enricher.of(owner_in(1, CGROUP_V2, 42, kStart * 2));
  const Context* unknown = enricher.of(owner_in(1, CGROUP_V2, 42, 0));
  ASSERT_TRUE(docker && sshd && nothing && reused && unknown);
  EXPECT_EQ(docker->container, kId);
  EXPECT_EQ(sshd->unit, "sshd.service");
  EXPECT_EQ(nothing->cgroup_path, "/");
  EXPECT_EQ(reused->cgroup_path, "/");
  EXPECT_EQ(unknown->cgroup_path, "/");
  EXPECT_EQ(enricher.of(owner_in(1, CGROUP_V2, 42)), docker);
}

TEST(Enricher, VisitsEveryCgroupOfBothHierarchies) {
  FakeRoot root;
  root.mount_hybrid();
  const uint64_t docker = root.directory("/sys/fs/cgroup/memory/docker/" + kId);
  const uint64_t slice = root.directory("/sys/fs/cgroup/unified/system.slice");
  const uint64_t nginx = root.directory("/sys/fs/cgroup/unified/system.slice/nginx.service");
  Enricher enricher(root.path());
  std::map<std::pair<uint32_t, uint64_t>, std::string> found;
  enricher.each_cgroup([&found](const container_key& key, const Context& context) {
    EXPECT_EQ(key.pid, 0u);
    EXPECT_TRUE(found.emplace(std::pair(key.kind, key.id), context.container + context.cgroup_path).second);
  });
  EXPECT_EQ(found.size(), 6u) << "two roots, docker/ and what is made here";
  EXPECT_EQ((found[{CGROUP_V1_MEMORY, docker}]), kId + "/docker/" + kId);
  EXPECT_EQ((found[{CGROUP_V2, slice}]), "/system.slice");
  EXPECT_EQ((found[{CGROUP_V2, nginx}]), "/system.slice/nginx.service");
  for (const auto& [key, path] : found) EXPECT_EQ(key.first == CGROUP_V2 || key.first == CGROUP_V1_MEMORY, true);
}

TEST(Enricher, OwnersWithOneKeyHaveOneContext) {
  FakeRoot root;
  root.mount_hybrid();
  const Enricher enricher(root.path());
  const auto key = [&](uint64_t cgroup, uint32_t pid, uint64_t start_ns) {
    return enricher.key_of(owner_in(cgroup, CGROUP_V2, pid, start_ns));
  };
  EXPECT_EQ(key(77, 42, kStart), key(77, 43, kStart * 2));
  EXPECT_FALSE(key(1, 42, kStart) == key(1, 43, kStart)) << "in the root beside v1 each process is looked up";
  EXPECT_FALSE(key(1, 42, kStart) == key(1, 42, kStart * 2));
  EXPECT_EQ(key(1, 42, 0), key(1, 43, 0));
}

class EnricherEviction : public testing::Test {
 protected:
  static constexpr size_t kCapacity = 16;

  EnricherEviction() {
    root_.mount_v2();
    for (size_t i = 0; i < 3 * kCapacity; ++i)
      ids_.push_back(root_.directory("/sys/fs/cgroup/" + std::to_string(i) + ".service"));
  }

  FakeRoot root_;
  std::vector<uint64_t> ids_;
};

TEST_F(EnricherEviction, NeverWithinABatch) {
  Enricher enricher(root_.path(), kCapacity);
  std::vector<const Context*> contexts;
  for (size_t i = 0; i < kCapacity; ++i) contexts.push_back(enricher.of(owner_in(ids_[i])));
  for (size_t i = kCapacity; i < ids_.size(); ++i) EXPECT_EQ(enricher.of(owner_in(ids_[i])), nullptr);
  EXPECT_EQ(enricher.counters().no_room, ids_.size() - kCapacity);
  EXPECT_EQ(enricher.counters().evicted, 0u);
  for (size_t i = 0; i < kCapacity; ++i) {
    ASSERT_TRUE(contexts[i]);
    EXPECT_EQ(contexts[i]->unit, std::to_string(i) + ".service");
  }
  enricher.begin_batch();
  EXPECT_EQ(enricher.counters().evicted, kCapacity / 2) << "all of the same age";
  EXPECT_TRUE(enricher.of(owner_in(ids_.back())));
}

TEST_F(EnricherEviction, TheLeastRecentlyUsedGo) {
  Enricher enricher(root_.path(), kCapacity);
  const size_t full = kCapacity - kCapacity / 4;
  for (size_t i = 0; i < full + 1; ++i) {
    ASSERT_TRUE(enricher.of(owner_in(ids_[i])));
    if (i < full) enricher.begin_batch();
  }
  EXPECT_EQ(enricher.counters().evicted, 0u);
  ASSERT_TRUE(enricher.of(owner_in(ids_[0])));
  enricher.begin_batch();
  EXPECT_EQ(enricher.counters().evicted, full + 1 - kCapacity / 2);
  const uint64_t walks = enricher.counters().lookups.by_walk;
  EXPECT_TRUE(enricher.of(owner_in(ids_[0])));
  EXPECT_TRUE(enricher.of(owner_in(ids_[full])));
  EXPECT_EQ(enricher.counters().lookups.by_walk, walks) << "both are still known";
  EXPECT_TRUE(enricher.of(owner_in(ids_[1])));
  EXPECT_EQ(enricher.counters().lookups.by_walk, walks + 1);
}

TEST_F(EnricherEviction, FailuresAreEvictedToo) {
  Enricher enricher(root_.path(), kCapacity);
  for (uint64_t round = 0; round < 10; ++round) {
    for (uint64_t i = 0; i < kCapacity; ++i) EXPECT_EQ(enricher.of(owner_in(kNobody + round * 1000 + i)), nullptr);
    enricher.begin_batch();
  }
  EXPECT_TRUE(enricher.of(owner_in(ids_[0])));
  EXPECT_GE(enricher.counters().evicted, 9 * kCapacity / 2);
}

}  // namespace
}  // namespace sockeye
