// SPDX-License-Identifier: Apache-2.0
#include "pipeline/container_gate.h"

#include <gtest/gtest.h>

#include "base/fake_root_for_tests.h"
#include "event/section_fields.h"
#include "tests/support/events.h"
#include "tests/support/mute_daemon.h"

namespace sockeye {
namespace {

const std::string kId(64, 'a');
constexpr EventType kSocketType = {
    .name = "test", .kind = 999, .size = sizeof(socket_event), .common = std::span<const Field>(), .own = {}};

class ContainerGateTest : public testing::Test {
 protected:
  ContainerGateTest() {
    root_.mount_hybrid();
    type_.sections = kSocketSections;
    type_.common = kSocketFields;
    docker_ = root_.directory("/sys/fs/cgroup/unified/docker/" + kId);
    service_ = root_.directory("/sys/fs/cgroup/unified/system.slice/nginx.service");
    enricher_.emplace(root_.path());
  }

  bool passes(const std::function<bool(const Event&)>& wanted, uint64_t cgroup) {
    socket_event body = client_socket();
    body.owner.cgroup_id = cgroup;
    Event event{.header = &body.header, .type = &type_};
    event.context = enricher_->of(body.owner);
    return wanted(event);
  }

  FakeRoot root_;
  EventType type_ = kSocketType;
  std::optional<Enricher> enricher_;
  uint64_t docker_ = 0;
  uint64_t service_ = 0;
};

TEST_F(ContainerGateTest, WithoutAContainerThereIsNothingToDecide) {
  ContainerGate gate({}, *enricher_, -1);
  gate.seed();
  EXPECT_FALSE(gate.wanted());
  EXPECT_EQ(with_containers({}, {}, *enricher_).containers, 0);
  EXPECT_EQ(with_containers({}, {}, *enricher_).active, 0);
}

TEST_F(ContainerGateTest, DecidesByTheContextOfTheEvent) {
  ContainerGate wanting({{"aaaa"}, {}}, *enricher_, -1), excluding({{}, {"aaaa"}}, *enricher_, -1);
  EXPECT_TRUE(passes(wanting.wanted(), docker_));
  EXPECT_FALSE(passes(wanting.wanted(), service_));
  EXPECT_FALSE(passes(wanting.wanted(), 0x7fffffffffff)) << "a cgroup that cannot be named";
  EXPECT_FALSE(passes(excluding.wanted(), docker_));
  EXPECT_TRUE(passes(excluding.wanted(), service_));
}

TEST_F(ContainerGateTest, DecidesByName) {
  root_.file("/var/lib/docker/containers/" + kId + "/config.v2.json", R"({"Name":"/web"})");
  ContainerGate wanting({{"web"}, {}}, *enricher_, -1), excluding({{}, {"web"}}, *enricher_, -1);
  EXPECT_TRUE(passes(wanting.wanted(), docker_));
  EXPECT_FALSE(passes(wanting.wanted(), service_));
  EXPECT_FALSE(passes(excluding.wanted(), docker_));
  EXPECT_TRUE(passes(excluding.wanted(), service_));
}

TEST_F(ContainerGateTest, WhatMayBeExcludedDoesNotPassBeforeItsNameIsKnown) {
  root_.directory("/run");
  const MuteDaemon daemon(root_.path() + "/run/docker.sock");
  enricher_.emplace(root_.path());
  ContainerGate excluding({{}, {"web"}}, *enricher_, -1), by_id({{"aaaa"}, {}}, *enricher_, -1);
  EXPECT_FALSE(passes(excluding.wanted(), docker_));
  EXPECT_TRUE(passes(excluding.wanted(), service_));
  EXPECT_TRUE(passes(by_id.wanted(), docker_)) << "its id is enough";
}

TEST_F(ContainerGateTest, AUserHidesNothing) {
  if (!root_.give("/sys/fs/cgroup/unified/docker", 1000)) GTEST_SKIP() << "needs root";
  root_.directory("/run");
  const MuteDaemon daemon(root_.path() + "/run/docker.sock");
  enricher_.emplace(root_.path());
  ContainerGate excluding({{}, {"aaaa", "web"}}, *enricher_, -1);
  EXPECT_TRUE(passes(excluding.wanted(), docker_));
}

TEST_F(ContainerGateTest, ACgroupThatWasMadeIsKnownWhenItHasGone) {
  ContainerGate gate({{"aaaa"}, {}}, *enricher_, -1);
  const std::string path = "/sys/fs/cgroup/unified/docker/" + std::string(64, 'b');
  const std::string again = "/sys/fs/cgroup/unified/docker/aaaa" + std::string(60, 'b');
  gate.hear_of({.id = root_.directory(path), .pid = 0, .kind = CGROUP_V2});
  gate.hear_of({.id = 0x7fffffffffff, .pid = 0, .kind = CGROUP_V2});
  const uint64_t wanted = root_.directory(again);
  gate.hear_of({.id = wanted, .pid = 0, .kind = CGROUP_V2});
  gate.retry();
  std::filesystem::remove(root_.path() + again);
  EXPECT_TRUE(passes(gate.wanted(), wanted));
  EXPECT_EQ(enricher_->counters().lookups.unnamed, 2u) << "the one that is nowhere, and once again";
}

TEST_F(ContainerGateTest, WhatIsAboutNoSocketPasses) {
  ContainerGate gate({{"aaaa"}, {}}, *enricher_, -1);
  const event_header header = {};
  const EventType other = {.name = "gap", .kind = 1, .size = sizeof header, .common = {}, .own = {}};
  EXPECT_TRUE(gate.wanted()({.header = &header, .type = &other}));
}

TEST_F(ContainerGateTest, TheKernelSideIsToldWhatItNeeds) {
  const uint8_t both = FILTER_CONTAINERS | FILTER_CONTAINERS_BY_PROCESS;
  EXPECT_EQ(with_containers({}, {{}, {"a"}}, *enricher_).containers, both);
  EXPECT_EQ(with_containers({}, {{"a"}, {}}, *enricher_).containers, both | FILTER_CONTAINERS_WANTED);
  EXPECT_EQ(with_containers({}, {{"a"}, {}}, *enricher_).active, 1);
  FakeRoot pure;
  pure.mount_v2();
  EXPECT_EQ(with_containers({}, {{}, {"a"}}, Enricher(pure.path())).containers, FILTER_CONTAINERS);
}

}  // namespace
}  // namespace sockeye
