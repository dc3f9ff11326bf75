// SPDX-License-Identifier: Apache-2.0
#include "cli/groups_text.h"

#include <gtest/gtest.h>

#include <string>

namespace sockeye {
namespace {

SocketGroup group(std::string name, int64_t established, int64_t time_wait, int64_t listening = 0) {
  SocketGroup group;
  group.name = std::move(name);
  group.sockets[TCP_ESTABLISHED] = established;
  group.sockets[TCP_TIME_WAIT] = time_wait;
  group.sockets[TCP_LISTEN] = listening;
  group.total = established + time_wait + listening;
  return group;
}

SocketGroup unnamed(SocketGroup::Kind kind, int64_t established) {
  SocketGroup made = group("", established, 0);
  made.kind = kind;
  return made;
}

std::string table(const GroupedSockets& grouped, int columns = 0) {
  Buffer out(4096);
  add_groups_table(out, grouped, columns);
  return std::string(out.view());
}

std::string json(const GroupedSockets& grouped) {
  Buffer out(4096);
  add_groups_json(out, grouped);
  return std::string(out.view());
}

GroupedSockets by_comm() {
  return {GroupBy::kComm,
          {group("nginx", 1000, 20000, 1), group("curl", 3, 40), unnamed(SocketGroup::Kind::kUnknown, 2)},
          0};
}

TEST(GroupsText, AColumnForEachStateThatOccurs) {
  EXPECT_EQ(table(by_comm()),
            "COMM   ESTABLISHED  TIME_WAIT  LISTEN  TOTAL\n"
            "nginx         1000      20000       1  21001\n"
            "curl             3         40       0     43\n"
            "?                2          0       0      2\n"
            "total         1005      20040       1  21046\n");
}

TEST(GroupsText, ATerminalGetsTheStatesThatFit) {
  EXPECT_EQ(table(by_comm(), 44), table(by_comm()));
  EXPECT_EQ(table(by_comm(), 43),
            "COMM   ESTABLISHED  TIME_WAIT  OTHER  TOTAL\n"
            "nginx         1000      20000      1  21001\n"
            "curl             3         40      0     43\n"
            "?                2          0      0      2\n"
            "total         1005      20040      1  21046\n");
  EXPECT_EQ(table(by_comm(), 31),
            "COMM   TIME_WAIT  OTHER  TOTAL\n"
            "nginx      20000   1001  21001\n"
            "curl          40      3     43\n"
            "?              0      2      2\n"
            "total      20040   1006  21046\n");
}

TEST(GroupsText, ALongNameIsShortenedOnATerminalOnly) {
  const GroupedSockets grouped = {GroupBy::kContainer, {group("a-container-with-a-long-name", 1, 0)}, 0};
  EXPECT_NE(table(grouped).find("a-container-with-a-long-name            1"), std::string::npos) << table(grouped);
  EXPECT_EQ(table(grouped, 36),
            "CONTAINER         ESTABLISHED  TOTAL\n"
            "a-conta~ong-name            1      1\n"
            "total                       1      1\n");
}

TEST(GroupsText, AContainersIdByItsHead) {
  const GroupedSockets grouped = {GroupBy::kContainer,
                                  {group("8f2b1c6d9e0a4b3c8f2b1c6d9e0a4b3c8f2b1c6d9e0a4b3c8f2b1c6d9e0a4b3c", 2, 0),
                                   unnamed(SocketGroup::Kind::kNoContainer, 1)},
                                  0};
  EXPECT_EQ(table(grouped),
            "CONTAINER     ESTABLISHED  TOTAL\n"
            "8f2b1c6d9e0a            2      2\n"
            "-                       1      1\n"
            "total                   3      3\n");
  EXPECT_EQ(json(grouped),
            "\"by\":\"container\",\"groups\":[{\"container\":"
            "\"8f2b1c6d9e0a4b3c8f2b1c6d9e0a4b3c8f2b1c6d9e0a4b3c8f2b1c6d9e0a4b3c\",\"sockets\":{\"ESTABLISHED\":2},"
            "\"total\":2},{\"container\":null,\"group\":\"no_container\",\"sockets\":{\"ESTABLISHED\":1},\"total\":1}],"
            "\"groups_folded\":0");
}

TEST(GroupsText, AContainersNameWhereThereIsOne) {
  SocketGroup named = group(std::string(64, 'a'), 2, 0);
  named.container_name = "we\nb";
  const GroupedSockets grouped = {GroupBy::kContainer, {named}, 0};
  EXPECT_EQ(table(grouped),
            "CONTAINER  ESTABLISHED  TOTAL\n"
            "we\\x0ab              2      2\n"
            "total                2      2\n");
  EXPECT_EQ(json(grouped), "\"by\":\"container\",\"groups\":[{\"container\":\"" + std::string(64, 'a') +
                               "\",\"container_name\":\"we\\u000ab\",\"sockets\":{\"ESTABLISHED\":2},\"total\":2}],"
                               "\"groups_folded\":0");
}

TEST(GroupsText, WhoSaysThatItIsAContainer) {
  SocketGroup claimed = group(std::string(64, 'a'), 2, 0);
  claimed.container_user = "1000";
  EXPECT_EQ(json({GroupBy::kContainer, {claimed}, 0}),
            "\"by\":\"container\",\"groups\":[{\"container\":\"" + std::string(64, 'a') +
                "\",\"container_user\":\"1000\",\"sockets\":{\"ESTABLISHED\":2},\"total\":2}],\"groups_folded\":0");
}

TEST(GroupsText, NamesObeyNobody) {
  const GroupedSockets grouped = {GroupBy::kComm, {group("a\033[31m\n\"b", 1, 0)}, 0};
  EXPECT_TRUE(table(grouped).find("a\\x1b[31m\\x0a\"b") != std::string::npos) << table(grouped);
  EXPECT_TRUE(json(grouped).find("\"a\\u001b[31m\\u000a\\\"b\"") != std::string::npos) << json(grouped);
}

TEST(GroupsText, NumbersAndTheRest) {
  SocketGroup https = group("", 1, 0);
  https.number = 443;
  EXPECT_EQ(
      json({GroupBy::kPort, {https, unnamed(SocketGroup::Kind::kOther, 5)}, 4}),
      "\"by\":\"port\",\"groups\":[{\"port\":443,\"sockets\":{\"ESTABLISHED\":1},\"total\":1},{\"port\":null,\"group\":"
      "\"other\",\"sockets\":{\"ESTABLISHED\":5},\"total\":5}],\"groups_folded\":4");
  https.number = 4026531840;
  https.netns_cookie = 1;
  SocketGroup old = https;
  old.netns_cookie = 0;
  EXPECT_EQ(json({GroupBy::kNetns, {https, old}, 0}),
            "\"by\":\"netns\",\"groups\":[{\"netns\":4026531840,\"netns_cookie\":\"1\",\"sockets\":{\"ESTABLISHED\":1},"
            "\"total\":1},{\"netns\":4026531840,\"netns_cookie\":null,\"sockets\":{\"ESTABLISHED\":1},\"total\":1}],"
            "\"groups_folded\":0");
}

TEST(GroupsText, NoSocketsAtAll) {
  EXPECT_EQ(table({GroupBy::kPort, {}, 0}), "PORT   TOTAL\ntotal      0\n");
  EXPECT_EQ(json({GroupBy::kPort, {}, 0}), "\"by\":\"port\",\"groups\":[],\"groups_folded\":0");
}

}  // namespace
}  // namespace sockeye
