// SPDX-License-Identifier: Apache-2.0
#include "cli/filter_options.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

#include "bpf/filter.h"

namespace sockeye {
namespace {

using Words = std::vector<std::string>;

// What the words of a command line become.
Result<filter_rules> parse(Words words, const std::string& netns_directory = "/run/netns") {
  CLI::App app("test");
  FilterOptions options;
  options.netns_directory = netns_directory;
  add_filter_options(app, options);
  std::reverse(words.begin(), words.end());
  try {
    app.parse(words);
  } catch (const CLI::ParseError& e) {
    return Error{ErrorCode::kUsage, std::string("CLI11: ") + e.what(), ""};
  }
  return parse_filter(options);
}

struct Tuple {
  const char* laddr = "10.0.0.1";
  uint16_t lport = 40000;
  const char* raddr = "10.0.0.2";
  uint16_t rport = 5432;
  uint8_t role = ROLE_CLIENT;
};

void put_address(__u8* to, const char* text) {
  const std::string mapped = strchr(text, ':') ? text : std::string("::ffff:") + text;
  ASSERT_EQ(inet_pton(AF_INET6, mapped.c_str(), to), 1) << text;
}

bool passes(const Words& words, const Tuple& tuple, const char* comm = "psql", uint32_t pid = 4711) {
  const auto rules = parse(words);
  if (!rules) {
    ADD_FAILURE() << rules.error().what;
    return false;
  }
  socket_id socket{};
  put_address(socket.laddr, tuple.laddr);
  put_address(socket.raddr, tuple.raddr);
  socket.lport = tuple.lport;
  socket.rport = tuple.rport;
  socket.role = tuple.role;
  socket.family = AF_INET6;
  socket.netns = 4026531840;
  owner who{};
  who.source = OWNER_CONNECT;
  who.pid = pid;
  who.uid = 1000;
  who.cgroup_id = 4312;
  strncpy(who.comm, comm, sizeof who.comm - 1);
  return filter_passes(&*rules, &socket, &who);
}

std::string joined(const Words& words) {
  std::string line;
  for (const std::string& word : words) line += word + " ";
  return line;
}

TEST(FilterOptions, NothingGivenIsNoFilter) {
  const auto rules = parse({});
  ASSERT_TRUE(rules);
  const filter_rules none{};
  EXPECT_EQ(memcmp(&*rules, &none, sizeof none), 0);
}

TEST(FilterOptions, WhatPasses) {
  // The socket is 10.0.0.1:40000 -> 10.0.0.2:5432, a client, pid 4711, uid 1000, psql, netns 4026531840, cgroup 4312.
  const struct {
    Words words;
    bool passes;
  } cases[] = {
      {{"--pid", "4711"}, true},
      {{"--pid", "1", "2", "4711"}, true},
      {{"--pid", "1,4711", "--pid", "3"}, true},
      {{"--pid", "1\n4711\n3"}, true},
      {{"--pid=1", "4711"}, true},
      {{"--pid", "4712"}, false},
      {{"--pid", "!4711"}, false},
      {{"--pid", "!4712"}, true},
      {{"--pid", "4711,!4711"}, false},
      {{"--pid", "04711"}, true},
      {{"--comm", "psql"}, true},
      {{"--comm", "psq"}, false},
      {{"--comm", "curl, psql"}, true},
      {{"--comm", "psql 2"}, false},
      {{"--comm", "!curl"}, true},
      {{"--comm", "!psql"}, false},
      {{"--comm", "[psql]"}, false},
      {{"--uid", "1000"}, true},
      {{"--uid", "root"}, false},
      {{"--uid", "!root"}, true},
      {{"--netns", "4026531840"}, true},
      {{"--netns", "4026531841"}, false},
      {{"--cgroup", "4312"}, true},
      {{"--cgroup", "!4312"}, false},
      {{"--src-ip", "10.0.0.1"}, true},
      {{"--src-ip", "10.0.0.2"}, false},
      {{"--dst-ip", "10.0.0.2"}, true},
      {{"--dst-ip", "10.0.0.1"}, false},
      {{"--local-ip", "10.0.0.1"}, true},
      {{"--local-ip", "10.0.0.2"}, false},
      {{"--peer-ip", "10.0.0.2"}, true},
      {{"--peer-ip", "10.0.0.1"}, false},
      {{"--ip", "10.0.0.1"}, true},
      {{"--ip", "10.0.0.2"}, true},
      {{"--ip", "10.0.0.3"}, false},
      {{"--ip", "!10.0.0.1"}, false},
      {{"--ip", "!10.0.0.2"}, false},
      {{"--ip", "!10.0.0.3"}, true},
      {{"--ip", "::ffff:10.0.0.2"}, true},
      {{"--ip", "::ffff:10.0.0.0/104"}, true},
      {{"--peer-ip", "10.9.9.9/8"}, true},
      {{"--peer-ip", "10.0.0.2/31"}, true},
      {{"--peer-ip", "10.0.0.0/31"}, false},
      {{"--peer-ip", "0.0.0.0/0"}, true},
      {{"--peer-ip", "2000::/3"}, false},
      {{"--peer-ip", "10.0.0.0/8,!10.0.0.2"}, false},
      {{"--peer-ip", "10.0.0.0/8", "--peer-ip", "!10.0.0.3"}, true},
      {{"--src-port", "40000"}, true},
      {{"--src-port", "5432"}, false},
      {{"--dst-port", "5432"}, true},
      {{"--dst-port", "40000"}, false},
      {{"--local-port", "39999-40001"}, true},
      {{"--peer-port", "39999-40001"}, false},
      {{"--peer-port", "80,443,5432"}, true},
      {{"--port", "5432"}, true},
      {{"--port", "40000"}, true},
      {{"--port", "5433-39999"}, false},
      {{"--port", "1-65535"}, true},
      {{"--port", "!22,!53"}, true},
      {{"--port", "!22", "!40000"}, false},
      {{"--dst-port", "!5000-6000"}, false},
      {{"-4"}, true},
      {{"-6"}, false},
      {{"--direction", "out"}, true},
      {{"--direction", "in"}, false},
      {{"--active-only"}, true},
      // Different options have to hold all.
      {{"--dst-port", "5432", "--comm", "psql", "-4", "--direction=out"}, true},
      {{"--dst-port", "5432", "--comm", "curl"}, false},
      {{"--src-ip", "10.0.0.1", "--local-ip", "10.0.0.2"}, false},
      {{"--ip", "10.0.0.1", "--port", "5432"}, true},
  };
  for (const auto& c : cases) EXPECT_EQ(passes(c.words, {}), c.passes) << joined(c.words);
}

TEST(FilterOptions, AnUnknownLocalPortMatchesNothing) {
  const Tuple unbound{.lport = 0};
  EXPECT_FALSE(passes({"--local-port", "1-65535"}, unbound));
  EXPECT_FALSE(passes({"--src-port", "40000"}, unbound));
  EXPECT_TRUE(passes({"--local-port", "!40000"}, unbound));
  EXPECT_TRUE(passes({"--port", "5432"}, unbound));
}

TEST(FilterOptions, ListenersAndServersComeIn) {
  const Tuple listener{.laddr = "::", .lport = 80, .raddr = "::", .rport = 0, .role = ROLE_LISTENER};
  EXPECT_TRUE(passes({"--direction", "in", "--local-port", "80"}, listener));
  EXPECT_FALSE(passes({"--direction", "out"}, listener));
  EXPECT_FALSE(passes({"--dst-port", "80"}, listener));
  EXPECT_TRUE(passes({"--dst-port", "!443"}, listener));
  EXPECT_TRUE(passes({"-6"}, listener));
  EXPECT_TRUE(passes({"--direction", "in"}, {.role = ROLE_SERVER}));
  for (const char* direction : {"in", "out"}) EXPECT_FALSE(passes({"--direction", direction}, {.role = ROLE_UNKNOWN}));
}

TEST(FilterOptions, Ipv6Networks) {
  const Tuple tuple{.laddr = "2001:db8::1", .raddr = "2001:db8:0:1::2"};
  EXPECT_TRUE(passes({"--ip", "2001:db8::1"}, tuple));
  EXPECT_TRUE(passes({"--peer-ip", "2001:db8::/32"}, tuple));
  EXPECT_FALSE(passes({"--peer-ip", "2001:db8::/64"}, tuple));
  EXPECT_TRUE(passes({"--peer-ip", "2001:db8:0:1::/64"}, tuple));
  EXPECT_FALSE(passes({"--ip", "0.0.0.0/0"}, tuple));
  EXPECT_TRUE(passes({"-6", "--ip", "!10.0.0.0/8"}, tuple));
  // Every length of prefix, with the first bit after it and the last bit in it turned.
  for (int prefix = 4; prefix <= 128; ++prefix) {
    const Words words = {"--ip", "2fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/" + std::to_string(prefix)};
    for (const bool inside : {true, false}) {
      uint8_t address[16];
      memset(address, 0xff, sizeof address);
      address[0] = 0x2f;
      const int bit = inside ? prefix : prefix - 1;
      if (bit < 128) address[bit / 8] ^= static_cast<uint8_t>(0x80 >> bit % 8);
      char text[INET6_ADDRSTRLEN];
      inet_ntop(AF_INET6, address, text, sizeof text);
      EXPECT_EQ(passes(words, {.laddr = text}), inside) << text << words[1];
    }
  }
}

TEST(FilterOptions, CommsOfFifteenBytes) {
  EXPECT_TRUE(passes({"--comm", "fifteen-bytes-x"}, {}, "fifteen-bytes-x"));
  EXPECT_FALSE(passes({"--comm", "fifteen-bytes-x"}, {}, "fifteen-bytes-y"));
  EXPECT_TRUE(passes({"--comm=-bash"}, {}, "-bash"));
  EXPECT_TRUE(passes({"--comm", "[kthread]"}, {}, "[kthread]"));
  EXPECT_TRUE(passes({"--comm", "Web Content,x"}, {}, "Web Content"));
  EXPECT_FALSE(passes({"--comm", "!Web Content"}, {}, "Web Content"));
}

TEST(FilterOptions, Limits) {
  Words pids = {"--pid"}, ports = {"--port"};
  for (int i = 1; i <= FILTER_PIDS; ++i) pids.push_back(std::to_string(i));
  for (int i = 1; i <= FILTER_VALUES; ++i) ports.push_back(std::to_string(i));
  EXPECT_TRUE(passes(pids, {}, "x", FILTER_PIDS));
  EXPECT_TRUE(passes(ports, {.rport = FILTER_VALUES}));
  pids.push_back("!65");
  ports.push_back("17");
  EXPECT_EQ(parse(pids).error().what, "--pid: 65 values, and there is room for 64");
  EXPECT_EQ(parse(pids).error().hint, "--comm takes all processes of a name");
  EXPECT_EQ(parse(ports).error().what, "--port: 17 values, and there is room for 16");
}

TEST(FilterOptions, ActiveIsSetByWhatConcernsSockets) {
  EXPECT_TRUE(parse({"--active-only"})->active_only);
  EXPECT_FALSE(parse({"--active-only"})->active);
  for (const Words& words : {Words{"-4"}, Words{"-6"}, Words{"--direction", "in"}, Words{"--pid", "1"},
                             Words{"--comm", "x"}, Words{"--uid", "0"}, Words{"--netns", "1"}, Words{"--cgroup", "1"},
                             Words{"--ip", "!::1"}, Words{"--src-port", "1"}}) {
    EXPECT_TRUE(parse(words)->active) << joined(words);
    EXPECT_FALSE(parse(words)->active_only) << joined(words);
  }
}

TEST(FilterOptions, WhatIsRefused) {
  const struct {
    Words words;
    const char* what;
  } cases[] = {
      {{"--pid", "abc"}, "--pid abc: this is not a number"},
      {{"--pid", "-5"}, "--pid -5: this is not a number"},
      {{"--pid", "1.5"}, "--pid 1.5: this is not a number"},
      {{"--pid", "0x10"}, "--pid 0x10: this is not a number"},
      {{"--pid", "0"}, "--pid 0: this goes from 1 to 4194304"},
      {{"--pid", "4194305"}, "--pid 4194305: this goes from 1 to 4194304"},
      {{"--pid", "!99999999999999999999999"}, "--pid !99999999999999999999999: this goes from 1 to 4194304"},
      {{"--pid", "1,2,x"}, "--pid x: this is not a number"},
      {{"--pid"}, "--pid: it needs a value"},
      {{"--pid", "--comm", "x"}, "--pid: it needs a value"},
      {{"--pid", ""}, "--pid: it needs a value"},
      {{"--pid="}, "--pid: it needs a value"},
      {{"--pid", "1,,2"}, "--pid 1,,2: an item of the list is empty"},
      {{"--pid", "1,"}, "--pid 1,: an item of the list is empty"},
      {{"--pid", ",1"}, "--pid ,1: an item of the list is empty"},
      {{"--pid", "1, ,2"}, "--pid 1, ,2: an item of the list is empty"},
      {{"--pid", "!"}, "--pid !: nothing stands after the !"},
      {{"--pid", "! 5"}, "--pid !: nothing stands after the !"},
      {{"--pid", "!!5"}, "--pid !!5: this is not a number"},
      {{"--comm", "!"}, "--comm !: nothing stands after the !"},
      {{"--comm", "sixteen-bytes-xy"}, "--comm sixteen-bytes-xy: the kernel keeps 15 bytes of a name"},
      {{"--comm", "!sixteen-bytes-xy"}, "--comm !sixteen-bytes-xy: the kernel keeps 15 bytes of a name"},
      {{"--comm", std::string("a\0b", 3)}, "--comm a\\x00b: it has a NUL byte in it"},
      {{"--comm", "evil\x1b[31m-long-name"}, "--comm evil\\x1b[31m-long-name: the kernel keeps 15 bytes of a name"},
      {{"--uid", "no-such-user-here"}, "--uid no-such-user-here: there is no such user"},
      {{"--uid", "4294967295"}, "--uid 4294967295: this goes from 0 to 4294967294"},
      {{"--netns", "0"}, "--netns 0: this goes from 1 to 4294967295"},
      {{"--netns", "4294967296"}, "--netns 4294967296: this goes from 1 to 4294967295"},
      {{"--netns", "/no/such/file"}, "--netns /no/such/file: No such file or directory"},
      {{"--cgroup", "0"}, "--cgroup 0: this goes from 1 to 18446744073709551615"},
      {{"--cgroup", "18446744073709551616"}, "--cgroup 18446744073709551616: this goes from 1 to 18446744073709551615"},
      {{"--cgroup", "/system.slice"}, "--cgroup /system.slice: this is not a number"},
      {{"--ip", "10.0.0"}, "--ip 10.0.0: this is not an IP address"},
      {{"--ip", "10.0.0.256"}, "--ip 10.0.0.256: this is not an IP address"},
      {{"--ip", "db.example.com"}, "--ip db.example.com: this is not an IP address"},
      {{"--ip", "10.0.0.5:80"}, "--ip 10.0.0.5:80: this is not an IP address"},
      {{"--ip", ":::"}, "--ip :::: this is not an IP address"},
      {{"--ip", "/8"}, "--ip /8: this is not an IP address"},
      {{"--ip", "fe80::1%none:0"}, "--ip fe80::1%none:0: there is no interface none:0 in this network namespace"},
      {{"--ip", "10.0.0.1%lo"}, "--ip 10.0.0.1%lo: only a link-local address (fe80::/10) has an %interface"},
      {{"--ip", "10.0.0.0/33"}, "--ip 10.0.0.0/33: the prefix goes from 0 to 32"},
      {{"--ip", "2001:db8::/129"}, "--ip 2001:db8::/129: the prefix goes from 0 to 128"},
      {{"--ip", "10.0.0.0/"}, "--ip 10.0.0.0/: the prefix goes from 0 to 32"},
      {{"--ip", "10.0.0.0/-1"}, "--ip 10.0.0.0/-1: the prefix goes from 0 to 32"},
      {{"--ip", "10.0.0.0/8/8"}, "--ip 10.0.0.0/8/8: the prefix goes from 0 to 32"},
      {{"--ip", "::/0"}, "--ip ::/0: all of IPv4 is in this network, as ::ffff:0.0.0.0/96"},
      {{"--ip", "!::1/64"}, "--ip !::1/64: all of IPv4 is in this network, as ::ffff:0.0.0.0/96"},
      {{"--ip", "::ffff:10.0.0.0/8"}, "--ip ::ffff:10.0.0.0/8: all of IPv4 is in this network, as ::ffff:0.0.0.0/96"},
      {{"-4", "--dst-ip", "2001:db8::1"}, "--dst-ip 2001:db8::1: this contradicts -4"},
      {{"-6", "--dst-ip", "10.0.0.0/8"}, "--dst-ip 10.0.0.0/8: this contradicts -6"},
      {{"--port", "0"}, "--port 0: this goes from 1 to 65535"},
      {{"--port", "65536"}, "--port 65536: this goes from 1 to 65535"},
      {{"--port", "0-10"}, "--port 0-10: this goes from 1 to 65535"},
      {{"--port", "1-70000"}, "--port 1-70000: this goes from 1 to 65535"},
      {{"--port", "2000-1000"}, "--port 2000-1000: this range ends before it begins"},
      {{"--port", "1000-"}, "--port 1000-: this is not a number"},
      {{"--port", "-1000"}, "--port -1000: this is not a number"},
      {{"--port", "1-2-3"}, "--port 1-2-3: this is not a number"},
      {{"--port", "https"}, "--port https: this is not a number"},
      {{"-4", "-6"}, "-4: this contradicts -6"},
      {{"--direction", "both"}, "--direction both: there is no such direction"},
      {{"--direction", ""}, "--direction: there is no such direction"},
  };
  for (const auto& c : cases) {
    const auto rules = parse(c.words);
    ASSERT_FALSE(rules) << joined(c.words);
    EXPECT_EQ(rules.error().what, c.what);
    EXPECT_EQ(rules.error().code, ErrorCode::kUsage);
    EXPECT_FALSE(rules.error().hint.empty()) << c.what;
    EXPECT_EQ((rules.error().what + rules.error().hint).find('\n'), std::string::npos) << c.what;
  }
  EXPECT_EQ(parse({"--comm", "!sixteen-bytes-xy"}).error().hint, "did you mean --comm '!sixteen-bytes-x'?");
}

TEST(FilterOptions, NetworkNamespacesByNameAndPath) {
  const std::string directory = testing::TempDir() + "sockeye-netns-" + std::to_string(getpid());
  std::filesystem::create_directories(directory);
  std::filesystem::create_symlink("/proc/self/ns/net", directory + "/blue");
  std::filesystem::create_symlink("/proc/self/ns/mnt", directory + "/mount");
  std::ofstream(directory + "/file") << "x";
  struct stat status {};
  ASSERT_EQ(stat("/proc/self/ns/net", &status), 0);
  for (const char* given : {"blue", "/proc/self/ns/net"}) {
    const auto rules = parse({"--netns", given}, directory);
    ASSERT_TRUE(rules) << rules.error().what;
    EXPECT_EQ(rules->netns[0], status.st_ino);
    EXPECT_EQ(rules->netns_inodes.wanted, 1u);
  }
  EXPECT_EQ(parse({"--netns", "!blue"}, directory)->netns_inodes.wanted, 0u);
  for (const char* given : {"mount", "file", ".", ".."}) {
    EXPECT_EQ(parse({"--netns", given}, directory).error().what,
              std::string("--netns ") + given + ": this is not a network namespace");
  }
  EXPECT_EQ(parse({"--netns", "red"}, directory).error().what,
            "--netns red: " + directory + "/red: No such file or directory");
  std::filesystem::remove_all(directory);
}

// What CLI11 does with words that come after a list, where a command has positional arguments as `trace` does.
TEST(FilterOptions, ListsLeaveRequiredPositionalsAlone) {
  for (Words words : {Words{"--pid", "1", "2", "states"}, Words{"states", "--pid", "1", "2"},
                      Words{"--pid", "1", "2", "--", "states"}}) {
    CLI::App app("test");
    FilterOptions options;
    Words names;
    app.add_option("names", names)->required();
    add_filter_options(app, options);
    const std::string line = joined(words);
    std::reverse(words.begin(), words.end());
    app.parse(words);
    EXPECT_EQ(options.pid, (Words{"1", "2"})) << line;
    EXPECT_EQ(names, Words{"states"}) << line;
  }
}

TEST(FilterOptions, GarbageIsRefusedOrGivesSoundRules) {
  std::mt19937 random(7);
  const std::string_view alphabet = "0123456789.:/-!, fx%[]";
  for (int i = 0; i < 20000; ++i) {
    std::string word;
    for (unsigned length = random() % 24; word.size() < length;) word += alphabet[random() % alphabet.size()];
    FilterOptions options;
    (i % 4 == 0 ? options.pid : i % 4 == 1 ? options.comm : i % 4 == 2 ? options.ip : options.port) = {word};
    const auto rules = parse_filter(options);
    if (!rules) continue;
    for (const filter_span& span : rules->port[FILTER_EITHER]) EXPECT_LE(span.low, span.high) << word;
    for (const filter_bytes& entry : rules->address[FILTER_EITHER]) {
      EXPECT_EQ(entry.value[0] & ~entry.mask[0], 0u) << word;
      EXPECT_EQ(entry.value[1] & ~entry.mask[1], 0u) << word;
    }
    const filter_list& list = i % 4 == 0   ? rules->pids
                              : i % 4 == 1 ? rules->comms
                              : i % 4 == 2 ? rules->addresses[FILTER_EITHER]
                                           : rules->ports[FILTER_EITHER];
    EXPECT_NE(list.used, 0u) << word;
    EXPECT_EQ(list.used & (list.used + 1), 0u) << word;
    EXPECT_EQ(list.wanted & ~list.used, 0u) << word;
  }
}

}  // namespace
}  // namespace sockeye
