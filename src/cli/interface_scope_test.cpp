// SPDX-License-Identifier: Apache-2.0
#include "cli/interface_scope.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <net/if.h>

#include <cstring>

#include "bpf/filter.h"
#include "bpf/host.h"
#include "cli/filter_options.h"

namespace sockeye {
namespace {

constexpr uint32_t kNetns = 4026531840;

bool passes(const filter_rules& rules, const char* laddr, uint32_t scope, uint32_t netns = kNetns) {
  socket_id socket{};
  inet_pton(AF_INET6, laddr, socket.laddr);
  inet_pton(AF_INET6, "fe80::99", socket.raddr);
  socket.family = AF_INET6;
  socket.scope_id = scope;
  socket.netns = netns;
  return filter_passes(&rules, &socket, nullptr) != 0;
}

filter_rules rules_of(FilterOptions options) {
  const auto rules = parse_filter(options);
  EXPECT_TRUE(rules) << rules.error().what;
  return rules ? *rules : filter_rules{};
}

std::string refusal_of(const std::string& address) {
  FilterOptions options;
  options.ip = {address};
  const auto rules = parse_filter(options);
  return rules ? "" : rules.error().what;
}

TEST(InterfaceScope, IsWhatStandsBehindThePercent) {
  EXPECT_EQ(zone_of("fe80::1"), "");
  EXPECT_EQ(zone_of("fe80::1/64"), "");
  EXPECT_EQ(zone_of("fe80::1%eth0"), "eth0");
  EXPECT_EQ(zone_of("fe80::1%eth0/64"), "eth0");
  EXPECT_EQ(zone_of("fe80::1%"), "%");
  EXPECT_EQ(zone_of("fe80::1%/64"), "%");
}

TEST(InterfaceScope, AnIndexIsOneInAnyNamespace) {
  FilterOptions options;
  options.local_ip = {"fe80::1%3"};
  const filter_rules rules = rules_of(options);
  EXPECT_TRUE(passes(rules, "fe80::1", 3));
  EXPECT_TRUE(passes(rules, "fe80::1", 3, 7));
  for (const uint32_t other : {0u, 1u, 2u, 4u, 0x103u, 0x80000003u}) EXPECT_FALSE(passes(rules, "fe80::1", other));
  EXPECT_FALSE(passes(rules, "fe80::2", 3));
}

TEST(InterfaceScope, WithoutOneAnyMatches) {
  FilterOptions options;
  options.local_ip = {"fe80::1"};
  for (const uint32_t any : {0u, 1u, 2u, UINT32_MAX}) EXPECT_TRUE(passes(rules_of(options), "fe80::1", any));
}

TEST(InterfaceScope, ListsMixThem) {
  FilterOptions options;
  options.ip = {"fe80::1%3,fe80::2,!fe80::%4/64"};
  const filter_rules rules = rules_of(options);
  EXPECT_TRUE(passes(rules, "fe80::1", 3));
  EXPECT_FALSE(passes(rules, "fe80::1", 5));
  EXPECT_TRUE(passes(rules, "fe80::2", 5));
  EXPECT_FALSE(passes(rules, "fe80::2", 4)) << "excluded";
}

TEST(InterfaceScope, ANameIsOneOfTheOwnNamespace) {
  FilterOptions options;
  options.ip = {"fe80::1%lo"};
  const filter_rules rules = rules_of(options);
  const uint32_t own = network_namespace_inode(), index = if_nametoindex("lo");
  EXPECT_TRUE(passes(rules, "fe80::1", index, own));
  EXPECT_FALSE(passes(rules, "fe80::1", index, own + 1));
  EXPECT_FALSE(passes(rules, "fe80::1", index + 1, own));
}

TEST(InterfaceScope, ANameIsLookedForInTheNamespacesThatAreGiven) {
  FilterOptions options;
  options.ip = {"fe80::1%lo"};
  options.netns = {std::to_string(network_namespace_inode())};
  EXPECT_TRUE(passes(rules_of(options), "fe80::1", if_nametoindex("lo"), network_namespace_inode()));
  options.netns = {"1"};
  const auto rules = parse_filter(options);
  ASSERT_FALSE(rules);
  EXPECT_EQ(rules.error().what, "--ip fe80::1%lo: there is no interface lo in these network namespaces");
}

TEST(InterfaceScope, OfAnotherMachineNamesAreNumbered) {
  FilterOptions options;
  options.by_numbers = true;
  options.ip = {"fe80::1%wan,fe80::1%3", "!fe80::2%lan"};
  options.src_ip = {"fe80::1%lan"};
  EXPECT_EQ(named_interfaces(options), (std::vector<std::string>{"lan", "wan"}));
  const filter_rules rules = rules_of(options);
  EXPECT_EQ(rules.scope[FILTER_SRC][0].value, uint64_t{1} << 32);
  EXPECT_EQ(rules.scope[FILTER_EITHER][0].value, uint64_t{2} << 32);
  EXPECT_EQ(rules.scope[FILTER_EITHER][1].value, 3u);
  EXPECT_EQ(rules.scope[FILTER_EITHER][2].value, uint64_t{1} << 32);
  for (const filter_scope& scope : {rules.scope[FILTER_SRC][0], rules.scope[FILTER_EITHER][0]})
    EXPECT_EQ(scope.mask, UINT64_MAX << 32);
}

TEST(InterfaceScope, SaysWhatMakesNoSense) {
  const std::string only = "only a link-local address (fe80::/10) has an %interface";
  for (const char* address : {"10.0.0.1%lo", "::1%lo", "fec0::1%lo", "fe7f::1%lo", "fe80::%lo/9", "::ffff:1.2.3.4%lo"})
    EXPECT_EQ(refusal_of(address), "--ip " + std::string(address) + ": " + only);
  for (const char* address : {"fe80::1%0", "fe80::1%2147483648", "fe80::1%99999999999999999999"})
    EXPECT_EQ(refusal_of(address), "--ip " + std::string(address) + ": no interface has this index");
  EXPECT_EQ(refusal_of("fe80::1%"), "--ip fe80::1%: nothing stands after the %");
  EXPECT_EQ(refusal_of("febf::1%3"), "");
  EXPECT_EQ(refusal_of("fe80::%3/10"), "");
}

}  // namespace
}  // namespace sockeye
