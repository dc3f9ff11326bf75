// SPDX-License-Identifier: Apache-2.0
#include "enrich/interface_names.h"

#include <gtest/gtest.h>
#include <net/if.h>

#include <string>

#include "bpf/host.h"

namespace sockeye {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

class InterfaceNamesTest : public testing::Test {
 protected:
  std::string of(uint32_t netns, uint32_t index, uint64_t cookie = 1) {
    socket_id socket{};
    socket.netns = netns;
    socket.netns_cookie = cookie;
    socket.scope_id = index;
    const InterfaceName* name = names_.of(socket);
    return name ? name->name : "?";
  }

  uint64_t now_ns_ = 5 * kSecond;
  unsigned visits_ = 0;
  std::string prefix_ = "eth";
  uint32_t most_ = 2;
  InterfaceNames names_{[this](uint32_t netns) {
                          ++visits_;
                          std::vector<InterfaceName> found;
                          for (uint32_t i = 1; i <= most_; ++i)
                            found.push_back({netns, i, prefix_ + std::to_string(i)});
                          return found;
                        },
                        [this] { return now_ns_; }};
};

TEST_F(InterfaceNamesTest, AreReadOnceForAll) {
  EXPECT_EQ(of(7, 1), "eth1");
  EXPECT_EQ(of(7, 2), "eth2");
  EXPECT_EQ(visits_, 1u);
  EXPECT_EQ(of(8, 2), "eth2");
  EXPECT_EQ(visits_, 2u);
  EXPECT_EQ(of(8, 2, 2), "eth2") << "the same number, another namespace";
  EXPECT_EQ(visits_, 3u);
}

TEST_F(InterfaceNamesTest, WithoutAScopeNothingIsRead) {
  EXPECT_EQ(of(7, 0), "?");
  EXPECT_EQ(visits_, 0u);
}

TEST_F(InterfaceNamesTest, WhatIsMissingIsLookedForOnceASecond) {
  EXPECT_EQ(of(7, 3), "?");
  most_ = 3;
  EXPECT_EQ(of(7, 3), "?");
  EXPECT_EQ(visits_, 1u);
  now_ns_ += kSecond;
  EXPECT_EQ(of(7, 3), "eth3");
  EXPECT_EQ(visits_, 2u);
}

TEST_F(InterfaceNamesTest, AnotherNameIsSeen) {
  EXPECT_EQ(of(7, 1), "eth1");
  prefix_ = "lan";
  now_ns_ += 10 * kSecond;
  EXPECT_EQ(of(7, 1), "lan1");
}

TEST_F(InterfaceNamesTest, WhatIsGoneKeepsItsNames) {
  EXPECT_EQ(of(7, 1), "eth1");
  most_ = 0;
  now_ns_ += 60 * kSecond;
  EXPECT_EQ(of(7, 1), "eth1");
}

TEST_F(InterfaceNamesTest, VisitsAndNamespacesAreBounded) {
  for (uint32_t netns = 1; netns <= 20; ++netns) of(netns, 1);
  EXPECT_EQ(visits_, InterfaceNames::kVisitsPerBatch);
  EXPECT_EQ(of(20, 1), "?");
  names_.begin_batch();
  EXPECT_EQ(of(20, 1), "eth1");
  for (uint32_t netns = 100; netns < 1000; ++netns) {
    names_.begin_batch();
    of(netns, 1);
  }
  EXPECT_EQ(of(1, 1), "eth1") << "forgotten, and read again";
}

TEST(InterfaceNames, OfTheOwnNamespaceAreThose) {
  const uint32_t own = network_namespace_inode();
  bool has_lo = false;
  for (const InterfaceName& name : read_interfaces(own)) {
    EXPECT_EQ(name.netns, own);
    has_lo |= name.name == "lo" && name.index == if_nametoindex("lo");
  }
  EXPECT_TRUE(has_lo);
  EXPECT_TRUE(read_interfaces(1).empty()) << "there is no such namespace";
  EXPECT_EQ(network_namespace_inode(), own);
}

}  // namespace
}  // namespace sockeye
