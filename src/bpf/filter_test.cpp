// SPDX-License-Identifier: Apache-2.0
// The kernel side's evaluation of filters, compiled for the host.
#include "bpf/filter.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>
#include <random>

namespace sockeye {
namespace {

static_assert(offsetof(socket_id, laddr) % 8 == 0 && offsetof(socket_id, raddr) % 8 == 0, "read as words");
static_assert(offsetof(owner, comm) % 8 == 0, "read as words");

constexpr uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

void put_ipv4(__u8* address, uint8_t last) {
  const uint8_t ipv4[4] = {10, 0, 0, last};
  memcpy(address, kMapped, 12);
  memcpy(address + 12, ipv4, 4);
}

void put_ipv6(__u8* address, uint8_t last) {
  memset(address, 0, 16);
  address[0] = 0x20;
  address[15] = last;
}

filter_bytes bytes_entry(const __u8* bytes, size_t length) {
  filter_bytes entry{};
  memcpy(entry.value, bytes, length);
  memset(entry.mask, 0xff, length);
  return entry;
}

owner some_owner() {
  owner who{};
  who.pid = 100;
  who.uid = 1000;
  who.cgroup_id = 7;
  who.source = OWNER_CONNECT;
  strcpy(who.comm, "nginx");
  return who;
}

TEST(Filter, NoRulesPassEverything) {
  const filter_rules rules{};
  const socket_id socket{};
  const owner unknown{};
  EXPECT_TRUE(filter_passes(&rules, &socket, &unknown));
  EXPECT_TRUE(filter_passes(&rules, &socket, nullptr));
  for (__u8 from = 0; from < 16; ++from) {
    for (__u8 to = 0; to < 16; ++to) EXPECT_TRUE(filter_passes_transition(&rules, from, to));
  }
}

// Of a process without a socket nothing of a socket matches: it is not wanted, and not excluded.
TEST(Filter, AProcessWithoutASocket) {
  filter_rules rules{};
  const owner who = some_owner();
  EXPECT_TRUE(filter_passes_process(&rules, &who));
  rules.active = 1;
  rules.pids = {1, 1};
  rules.pid[0] = 100;
  EXPECT_TRUE(filter_passes_process(&rules, &who));
  for (filter_list* list : {&rules.ports[FILTER_EITHER], &rules.addresses[FILTER_DST], &rules.netns_inodes}) {
    *list = {1, 1};
    EXPECT_FALSE(filter_passes_process(&rules, &who));
    *list = {1, 0};
    EXPECT_TRUE(filter_passes_process(&rules, &who));
  }
  rules.family = AF_INET;
  EXPECT_FALSE(filter_passes_process(&rules, &who));
  rules.family = 0;
  rules.direction = FILTER_DIRECTION_IN;
  EXPECT_FALSE(filter_passes_process(&rules, &who));
  rules.direction = 0;
  rules.pid[0] = 101;
  EXPECT_FALSE(filter_passes_process(&rules, &who));
}

TEST(Filter, AFullListOfPids) {
  filter_rules rules{};
  rules.active = 1;
  rules.pids = {~0ull, ~0ull};
  for (unsigned i = 0; i < FILTER_PIDS; ++i) rules.pid[i] = 100 + i * 2;
  const socket_id socket{};
  owner who = some_owner();
  for (__u32 pid = 98; pid < 232; ++pid) {
    who.pid = pid;
    const bool listed = pid >= 100 && pid <= 226 && pid % 2 == 0;
    EXPECT_EQ(filter_passes(&rules, &socket, &who), listed) << pid;
    rules.pids.wanted = 0;
    EXPECT_EQ(filter_passes(&rules, &socket, &who), !listed) << pid;
    rules.pids.wanted = ~0ull;
  }
}

TEST(Filter, NumbersAreComparedWhole) {
  filter_rules rules{};
  rules.active = 1;
  rules.cgroups = {1, 1};
  const socket_id socket{};
  owner who = some_owner();
  for (const uint64_t id : {1ull, 0x8000'0000ull, 0x1'0000'0000ull, 0x8000'0000'0000'0000ull, ~0ull}) {
    rules.cgroup[0] = id;
    who.cgroup_id = id;
    EXPECT_TRUE(filter_passes(&rules, &socket, &who)) << id;
    for (unsigned bit = 0; bit < 64; ++bit) {
      who.cgroup_id = id ^ 1ull << bit;
      EXPECT_FALSE(filter_passes(&rules, &socket, &who)) << id << " bit " << bit;
    }
  }
}

TEST(Filter, WhatFollowsTheNulOfACommIsNotLookedAt) {
  filter_rules rules{};
  rules.active = 1;
  rules.comms = {1, 1};
  rules.comm[0] = bytes_entry(reinterpret_cast<const __u8*>("nginx"), 6);
  const socket_id socket{};
  owner who = some_owner();
  EXPECT_TRUE(filter_passes(&rules, &socket, &who));
  memcpy(who.comm, "nginx\0ld name", 13);
  EXPECT_TRUE(filter_passes(&rules, &socket, &who));
  for (const char* other : {"nginx2", "ngin", "Nginx", "", "xnginx"}) {
    memset(who.comm, 0, sizeof who.comm);
    strcpy(who.comm, other);
    EXPECT_FALSE(filter_passes(&rules, &socket, &who)) << other;
  }
}

TEST(Filter, AnUnknownOwnerIsNeitherWantedNorExcluded) {
  const socket_id socket{};
  const owner unknown{};
  owner kernel{};
  kernel.source = OWNER_KERNEL;
  for (const bool wanted : {true, false}) {
    filter_rules rules{};
    rules.active = 1;
    rules.uids = {1, wanted};  // root, whose number is that of a uid that is not known
    for (const owner* who : {&unknown, static_cast<const owner*>(&kernel), static_cast<const owner*>(nullptr)}) {
      EXPECT_EQ(filter_passes(&rules, &socket, who), !wanted);
    }
    owner root{};
    root.source = OWNER_ACCEPT;
    EXPECT_EQ(filter_passes(&rules, &socket, &root), wanted);
  }
}

TEST(Filter, FamilyIsWhatTheSocketCarries) {
  socket_id ipv4{};
  ipv4.family = AF_INET;
  put_ipv4(ipv4.laddr, 1);
  put_ipv4(ipv4.raddr, 2);
  socket_id mapped = ipv4;
  mapped.family = AF_INET6;
  socket_id ipv6{};
  ipv6.family = AF_INET6;
  put_ipv6(ipv6.laddr, 1);
  put_ipv6(ipv6.raddr, 2);
  socket_id half = ipv6;  // connect() to a mapped address, before the local one is chosen
  memset(half.laddr, 0, 16);
  put_ipv4(half.raddr, 2);
  socket_id listener{};
  listener.family = AF_INET6;
  for (const __u8 family : {AF_INET, AF_INET6}) {
    filter_rules rules{};
    rules.active = 1;
    rules.family = family;
    const bool want_ipv4 = family == AF_INET;
    EXPECT_EQ(filter_passes(&rules, &ipv4, nullptr), want_ipv4);
    EXPECT_EQ(filter_passes(&rules, &mapped, nullptr), want_ipv4);
    EXPECT_EQ(filter_passes(&rules, &half, nullptr), want_ipv4);
    EXPECT_EQ(filter_passes(&rules, &ipv6, nullptr), !want_ipv4);
    EXPECT_EQ(filter_passes(&rules, &listener, nullptr), !want_ipv4);
    for (int i = 0; i < 12; ++i) {  // next to ::ffff:0:0/96
      socket_id near = mapped;
      near.laddr[i] ^= 1;
      near.raddr[i] ^= 1;
      EXPECT_EQ(filter_passes(&rules, &near, nullptr), !want_ipv4) << i;
    }
  }
}

TEST(Filter, StatesAreThoseOfTheBitsAndAllWithoutBits) {
  filter_rules rules{};
  for (__u8 state = TCP_ESTABLISHED; state <= TCP_NEW_SYN_RECV; ++state) {
    EXPECT_TRUE(filter_passes_state(&rules, state)) << +state;
  }
  rules.states = 1 << TCP_LISTEN | 1 << TCP_NEW_SYN_RECV;
  for (__u8 state = TCP_ESTABLISHED; state <= TCP_NEW_SYN_RECV; ++state) {
    const bool wanted = state == TCP_LISTEN || state == TCP_NEW_SYN_RECV;
    EXPECT_EQ(filter_passes_state(&rules, state), wanted) << +state;
  }
  rules = {};
  rules.active_only = 1;
  EXPECT_TRUE(filter_passes_state(&rules, TCP_ESTABLISHED));
  EXPECT_FALSE(filter_passes_state(&rules, TCP_TIME_WAIT));
}

TEST(Filter, ActiveOnlyLeavesOutWhatIsOver) {
  filter_rules rules{};
  rules.active_only = 1;
  const auto is_over = [](__u8 state) {
    return state == TCP_FIN_WAIT2 || state == TCP_TIME_WAIT || state == TCP_CLOSING || state == TCP_LAST_ACK;
  };
  for (__u8 from = TCP_ESTABLISHED; from <= TCP_NEW_SYN_RECV; ++from) {
    for (__u8 to = TCP_ESTABLISHED; to <= TCP_NEW_SYN_RECV; ++to) {
      EXPECT_EQ(filter_passes_transition(&rules, from, to), !is_over(from) && !is_over(to) && to != TCP_CLOSE)
          << int{from} << " -> " << int{to};
    }
    // A derived row and the kernel's transition that it stands for share their fate.
    EXPECT_EQ(filter_passes_transition(&rules, from, TCP_CLOSE), filter_passes_transition(&rules, from, TCP_TIME_WAIT));
  }
  EXPECT_TRUE(filter_passes_transition(&rules, TCP_CLOSE, TCP_SYN_SENT));
  EXPECT_TRUE(filter_passes_transition(&rules, TCP_CLOSE, TCP_LISTEN));
  EXPECT_TRUE(filter_passes_transition(&rules, TCP_ESTABLISHED, TCP_FIN_WAIT1));
  EXPECT_TRUE(filter_passes_transition(&rules, TCP_ESTABLISHED, TCP_CLOSE_WAIT));
}

// A connection from port 39134 to port 8000, as each of its ends has it. Where src is who opened it the ends agree.
TEST(Filter, SrcIsTheLocalEndOrWhoOpenedTheConnection) {
  socket_id client{};
  put_ipv4(client.laddr, 1);
  put_ipv4(client.raddr, 2);
  client.lport = 39134;
  client.rport = 8000;
  client.role = ROLE_CLIENT;
  socket_id server = client;
  std::swap(server.laddr, server.raddr);
  std::swap(server.lport, server.rport);
  server.role = ROLE_SERVER;
  filter_rules rules{};
  EXPECT_FALSE(filter_names_printed_ends(&rules));
  rules.active = 1;
  rules.ports[FILTER_DST] = {1, 1};
  rules.port[FILTER_DST][0] = {8000, 8000};
  rules.addresses[FILTER_SRC] = {1, 1};
  rules.address[FILTER_SRC][0] = bytes_entry(client.laddr, 16);
  EXPECT_TRUE(filter_names_printed_ends(&rules));
  EXPECT_TRUE(filter_passes(&rules, &client, nullptr));
  EXPECT_FALSE(filter_passes(&rules, &server, nullptr));
  EXPECT_TRUE(filter_passes_by_opener(&rules, &client, nullptr, nullptr));
  EXPECT_TRUE(filter_passes_by_opener(&rules, &server, nullptr, nullptr));
  rules.port[FILTER_DST][0] = {39134, 39134};
  EXPECT_FALSE(filter_passes_by_opener(&rules, &client, nullptr, nullptr));
  EXPECT_FALSE(filter_passes_by_opener(&rules, &server, nullptr, nullptr));
}

// The same rules, evaluated the obvious way.
struct Reference {
  const filter_rules& rules;

  template <typename Matches>
  static bool list_passes(const filter_list& list, Matches matches) {
    bool any = false;
    for (unsigned i = 0; i < 64; ++i) {
      if (!(list.used >> i & 1) || !matches(i)) continue;
      if (!(list.wanted >> i & 1)) return false;
      any = true;
    }
    return any || list.wanted == 0;
  }
  static bool bytes_match(const filter_bytes& entry, const void* bytes) {
    __u8 value[16], mask[16];
    memcpy(value, entry.value, 16);
    memcpy(mask, entry.mask, 16);
    for (int i = 0; i < 16; ++i) {
      if ((static_cast<const __u8*>(bytes)[i] & mask[i]) != value[i]) return false;
    }
    return true;
  }
  bool end_passes(unsigned end, const __u8* address, __u16 port) const {
    return list_passes(rules.addresses[end], [&](unsigned i) { return bytes_match(rules.address[end][i], address); }) &&
           list_passes(rules.ports[end],
                       [&](unsigned i) { return rules.port[end][i].low <= port && port <= rules.port[end][i].high; });
  }
  bool either_passes(const socket_id& s) const {
    const unsigned end = FILTER_EITHER;
    const auto address_matches = [&](unsigned i) {
      return bytes_match(rules.address[end][i], s.laddr) || bytes_match(rules.address[end][i], s.raddr);
    };
    const auto port_matches = [&](unsigned i) {
      const filter_span& span = rules.port[end][i];
      return (span.low <= s.lport && s.lport <= span.high) || (span.low <= s.rport && s.rport <= span.high);
    };
    return list_passes(rules.addresses[end], address_matches) && list_passes(rules.ports[end], port_matches);
  }
  bool passes(const socket_id& s, const owner& o) const {
    if (!rules.active) return true;
    const bool known = o.source != OWNER_UNKNOWN && o.source != OWNER_KERNEL;
    const bool out = s.role == ROLE_CLIENT, in = s.role == ROLE_SERVER || s.role == ROLE_LISTENER;
    return (rules.direction == 0 || (rules.direction == FILTER_DIRECTION_OUT ? out : in)) &&
           list_passes(rules.pids, [&](unsigned i) { return known && rules.pid[i] == o.pid; }) &&
           list_passes(rules.uids, [&](unsigned i) { return known && rules.uid[i] == o.uid; }) &&
           list_passes(rules.cgroups, [&](unsigned i) { return known && rules.cgroup[i] == o.cgroup_id; }) &&
           list_passes(rules.netns_inodes, [&](unsigned i) { return rules.netns[i] == s.netns; }) &&
           list_passes(rules.comms, [&](unsigned i) { return known && bytes_match(rules.comm[i], o.comm); }) &&
           end_passes(FILTER_SRC, s.laddr, s.lport) && end_passes(FILTER_DST, s.raddr, s.rport) &&
           end_passes(FILTER_LOCAL, s.laddr, s.lport) && end_passes(FILTER_PEER, s.raddr, s.rport) && either_passes(s);
  }
};

// Values from small ranges, so that about as much passes as does not.
class Random {
 public:
  unsigned below(unsigned limit) { return static_cast<unsigned>(engine_() % limit); }

  filter_list list(unsigned room) {
    if (below(3) != 0) return {};
    const unsigned used = 1 + below(below(4) == 0 ? room : 3);
    const uint64_t all = used == 64 ? ~0ull : (1ull << used) - 1;
    const unsigned kind = below(3);
    return {all, kind == 0 ? all : kind == 1 ? 0 : engine_() & all};
  }
  filter_bytes network() {
    __u8 address[16];
    below(2) ? put_ipv4(address, static_cast<uint8_t>(below(8))) : put_ipv6(address, static_cast<uint8_t>(below(8)));
    filter_bytes entry = bytes_entry(address, 16);
    const __u8 mask = static_cast<__u8>(0xff << below(4));
    reinterpret_cast<__u8*>(entry.mask)[15] = mask;
    reinterpret_cast<__u8*>(entry.value)[15] &= mask;
    return entry;
  }
  filter_span span() {
    const auto low = static_cast<__u16>(1 + below(8));
    return {low, static_cast<__u16>(below(8) ? low + below(3) : 65535)};
  }
  filter_rules rules() {
    filter_rules rules{};
    rules.active = below(20) != 0;
    rules.direction = static_cast<__u8>(below(6) < 4 ? 0 : 1 + below(2));
    rules.pids = list(FILTER_PIDS);
    for (auto& pid : rules.pid) pid = 1 + below(8);
    for (filter_list* l : {&rules.uids, &rules.netns_inodes, &rules.cgroups, &rules.comms}) *l = list(FILTER_VALUES);
    for (unsigned i = 0; i < FILTER_VALUES; ++i) {
      rules.uid[i] = below(4);
      rules.netns[i] = below(4);
      rules.cgroup[i] = below(4);
      const __u8 name[2] = {static_cast<__u8>('a' + below(4)), 0};
      rules.comm[i] = bytes_entry(name, 2);
    }
    for (unsigned end = 0; end < FILTER_ENDS; ++end) {
      rules.addresses[end] = list(FILTER_VALUES);
      rules.ports[end] = list(FILTER_VALUES);
      for (auto& entry : rules.address[end]) entry = network();
      for (auto& entry : rules.port[end]) entry = span();
    }
    return rules;
  }
  socket_id socket() {
    socket_id socket{};
    for (__u8* address : {socket.laddr, socket.raddr}) {
      const auto last = static_cast<uint8_t>(below(8));
      below(2) ? put_ipv4(address, last) : put_ipv6(address, last);
    }
    socket.netns = below(4);
    socket.lport = static_cast<__u16>(below(10));
    socket.rport = static_cast<__u16>(below(10) ? below(10) : 65535);
    socket.role = static_cast<__u8>(below(4));
    return socket;
  }
  owner process() {
    owner who{};
    who.source = static_cast<__u8>(below(8));
    who.pid = 1 + below(8);
    who.uid = below(4);
    who.cgroup_id = below(4);
    who.comm[0] = static_cast<char>('a' + below(4));
    return who;
  }

 private:
  std::mt19937_64 engine_{20260321};
};

TEST(Filter, AgreesWithTheObviousEvaluation) {
  Random random;
  unsigned passed = 0;
  constexpr unsigned kRules = 4000, kSockets = 25;
  for (unsigned i = 0; i < kRules; ++i) {
    const filter_rules rules = random.rules();
    for (unsigned j = 0; j < kSockets; ++j) {
      const socket_id socket = random.socket();
      const owner who = random.process();
      const bool passes = filter_passes(&rules, &socket, &who);
      ASSERT_EQ(passes, (Reference{rules}.passes(socket, who))) << "rules " << i << " socket " << j;
      passed += passes;
    }
  }
  EXPECT_GT(passed, kRules * kSockets / 20);
  EXPECT_LT(passed, kRules * kSockets * 19 / 20);
}

}  // namespace
}  // namespace sockeye
