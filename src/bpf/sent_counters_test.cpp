// SPDX-License-Identifier: Apache-2.0
// Who connected, by what a socket has counted. A socket is played here as the kernel counts it.
#include "bpf/sent_counters.h"

#include <gtest/gtest.h>

namespace sockeye {
namespace {

struct Played {
  sent_counters c = {};

  static Played client() {
    Played played;
    played.c.snd_una = played.c.snd_nxt = played.c.write_seq = 0xfffffff0;
    played.c.state = TCP_ESTABLISHED;
    ++played.c.write_seq, ++played.c.snd_nxt;
    return played.acked(1);
  }
  static Played server() {
    Played played;
    played.c.snd_una = played.c.snd_nxt = played.c.write_seq = 0xfffffff0;
    played.c.state = TCP_ESTABLISHED;
    return played;
  }
  Played& write(uint32_t bytes) { return c.write_seq += bytes, *this; }
  Played& send(uint32_t bytes) { return c.snd_nxt += bytes, c.bytes_sent += bytes, *this; }
  Played& again(uint32_t bytes) { return c.bytes_sent += bytes, c.bytes_retrans += bytes, *this; }
  Played& acked(uint32_t bytes) { return c.snd_una += bytes, c.bytes_acked += bytes, *this; }
  Played& fin(uint8_t state, bool is_sent = true) {
    c.state = state;
    c.snd_nxt += is_sent;
    return ++c.write_seq, *this;
  }
  Played& state(uint8_t state) { return c.state = state, *this; }
  uint8_t role() const { return role_of_counters(&c); }
};

class SentCounters : public testing::TestWithParam<uint8_t> {
 protected:
  Played begin() const { return GetParam() == ROLE_CLIENT ? Played::client() : Played::server(); }
};

TEST_P(SentCounters, TellTheRoleAllAlong) {
  Played played = begin();
  EXPECT_EQ(played.role(), GetParam());
  EXPECT_EQ(played.write(1).role(), GetParam());
  EXPECT_EQ(played.send(1).role(), GetParam());
  EXPECT_EQ(played.again(1).role(), GetParam());
  EXPECT_EQ(played.acked(1).role(), GetParam());
  EXPECT_EQ(played.write(5000).send(3000).acked(1000).role(), GetParam());
  EXPECT_EQ(played.state(TCP_CLOSE_WAIT).role(), GetParam());
  EXPECT_EQ(played.fin(TCP_LAST_ACK, false).role(), GetParam()) << "the FIN waits behind data";
}

TEST_P(SentCounters, TellItOnceTheFinIsSent) {
  Played played = begin().write(10).send(10).acked(10);
  EXPECT_EQ(played.fin(TCP_FIN_WAIT1).role(), GetParam());
  EXPECT_EQ(played.acked(1).state(TCP_FIN_WAIT2).role(), GetParam());
  Played crossed = begin().fin(TCP_CLOSING);
  EXPECT_EQ(crossed.role(), GetParam());
}

TEST_P(SentCounters, SayNothingOfWhatDoesNotComeOutEven) {
  Played repaired = begin().write(100).send(100).acked(100);
  repaired.c.bytes_sent = 20;  // TCP_REPAIR set the rest
  EXPECT_EQ(repaired.role(), ROLE_UNKNOWN);
  Played in_the_stack = begin().write(100).send(100);
  in_the_stack.c.snd_nxt -= 100;  // counted as sent, and not yet in flight (tcp_write_xmit())
  EXPECT_EQ(in_the_stack.role(), ROLE_UNKNOWN);
  Played less_sent_than_sent_again = begin().send(5);
  less_sent_than_sent_again.c.bytes_retrans = 6;
  EXPECT_EQ(less_sent_than_sent_again.role(), ROLE_UNKNOWN);
}

TEST_P(SentCounters, SayNothingOfOtherStates) {
  for (const uint8_t state : {TCP_CLOSE, TCP_LISTEN, TCP_SYN_SENT, TCP_SYN_RECV, TCP_TIME_WAIT}) {
    EXPECT_EQ(begin().state(static_cast<uint8_t>(state)).role(), ROLE_UNKNOWN) << static_cast<int>(state);
  }
}

INSTANTIATE_TEST_SUITE_P(Roles, SentCounters, testing::Values(ROLE_CLIENT, ROLE_SERVER));

}  // namespace
}  // namespace sockeye
