// SPDX-License-Identifier: Apache-2.0
// What SYN and FIN add to the counters of a TCP socket is taken out. A socket is played here as the kernel counts it.
#include "collectors/lifetimes/payload.bpf.h"

#include <gtest/gtest.h>

namespace sockeye {
namespace {

constexpr uint32_t kFirst = 0xffffff00;  // of sequence numbers that wrap around

// The counters of one socket.
class Counted {
 public:
  static Counted client() {
    Counted socket(ROLE_CLIENT, TCP_SYN_SENT);
    socket.s.sent.write_seq = socket.s.sent.snd_nxt = kFirst + 1;  // the SYN
    socket.s.segs_out = 1;
    return socket;
  }
  static Counted server() {
    Counted socket(ROLE_SERVER, TCP_ESTABLISHED);
    socket.s.sent.snd_una = socket.s.sent.snd_nxt = socket.s.sent.write_seq = kFirst + 1;
    return socket;
  }
  Counted& established() {
    s.sent.state = TCP_ESTABLISHED;
    return ack(1);
  }
  Counted& write(uint32_t bytes) { return s.sent.write_seq += bytes, *this; }
  Counted& send(uint32_t bytes) { return s.sent.snd_nxt += bytes, s.sent.bytes_sent += bytes, *this; }
  Counted& send_again(uint32_t bytes) { return s.sent.bytes_retrans += bytes, s.sent.bytes_sent += bytes, *this; }
  Counted& ack(uint32_t bytes) { return s.sent.snd_una += bytes, s.sent.bytes_acked += bytes, *this; }
  Counted& own_fin(uint8_t state) {
    s.sent.state = state;
    return ++s.sent.write_seq, ++s.sent.snd_nxt, *this;
  }
  Counted& receive(uint32_t bytes) { return s.rcv_nxt += bytes, s.bytes_received += bytes, *this; }
  Counted& peers_fin() { return s.fin_received = 1, receive(1); }
  Counted& read(uint32_t bytes) { return s.copied_seq += bytes, *this; }
  Counted& state(uint8_t state) { return s.sent.state = state, *this; }
  Counted of_before() const {
    Counted other = *this;
    other.s.role = ROLE_UNKNOWN;
    return other;
  }

  life_payload result() const {
    life_payload result = {};
    read_life_payload(&result, &s);
    return result;
  }

  life_sequence s = {};

 private:
  Counted(uint8_t role, uint8_t state) {
    s.role = role;
    s.sent.state = state;
    s.sent.snd_una = kFirst;
    s.rcv_nxt = s.copied_seq = 0xfffffff0;
  }
};

void expect(const Counted& socket, uint64_t written, uint64_t acked, uint64_t received, uint32_t unread) {
  const life_payload result = socket.result();
  EXPECT_TRUE(result.sent_known);
  EXPECT_EQ(result.written, written);
  EXPECT_EQ(result.acked, acked);
  EXPECT_EQ(result.received, received);
  EXPECT_EQ(result.unread, unread);
}

// The same whether or not it is known who connected.
void expect_known_and_unknown(const Counted& socket, uint64_t written, uint64_t acked, uint64_t received,
                              uint32_t unread) {
  expect(socket, written, acked, received, unread);
  expect(socket.of_before(), written, acked, received, unread);
}

TEST(LifetimesPayload, OfAnAttempt) {
  expect(Counted::client(), 0, 0, 0, 0);
  expect(Counted::client().write(100).send(100), 100, 0, 0, 0);  // fast open: data in the SYN
  Counted stale = Counted::client();
  stale.s.segs_out = 0;  // connect() has chosen a sequence number, and sent nothing
  stale.s.sent.snd_una = 12345;
  expect(stale, 0, 0, 0, 0);
}

TEST(LifetimesPayload, OfAClientThatClosesFirst) {
  Counted socket = Counted::client().established().write(500).send(500).ack(500).receive(7000).read(7000);
  expect_known_and_unknown(socket.own_fin(TCP_FIN_WAIT1), 500, 500, 7000, 0);
  expect_known_and_unknown(socket.ack(1).state(TCP_FIN_WAIT2), 500, 500, 7000, 0);
  expect_known_and_unknown(socket.peers_fin(), 500, 500, 7000, 0);
}

TEST(LifetimesPayload, OfAServerThatClosesLast) {
  Counted socket = Counted::server().receive(500).read(500).write(7000).send(7000).ack(7000).peers_fin();
  expect_known_and_unknown(socket.state(TCP_CLOSE_WAIT), 7000, 7000, 500, 0);
  expect_known_and_unknown(socket.read(1).own_fin(TCP_LAST_ACK), 7000, 7000, 500, 0);
  expect_known_and_unknown(socket.ack(1), 7000, 7000, 500, 0);
}

TEST(LifetimesPayload, OfBothAtOnce) {
  Counted socket = Counted::client().established().write(10).send(10).ack(10).own_fin(TCP_FIN_WAIT1);
  expect_known_and_unknown(socket.peers_fin().state(TCP_CLOSING), 10, 10, 0, 0);
  expect_known_and_unknown(socket.ack(1), 10, 10, 0, 0);
}

TEST(LifetimesPayload, OfAResetInTheMiddle) {
  Counted socket = Counted::server().receive(500).read(400).write(9000).send(6000).ack(2000);
  expect_known_and_unknown(socket, 9000, 2000, 500, 100);
  expect_known_and_unknown(socket.send_again(3000), 9000, 2000, 500, 100);
  expect_known_and_unknown(socket.peers_fin().state(TCP_CLOSE_WAIT), 9000, 2000, 500, 100);
}

// The FIN waits behind data that the peer's window has no room for.
TEST(LifetimesPayload, OfAFinThatIsNotSent) {
  Counted socket = Counted::client().established().write(9000).send(6000).ack(6000);
  socket.s.sent.state = TCP_FIN_WAIT1;
  ++socket.s.sent.write_seq;
  expect_known_and_unknown(socket, 9000, 6000, 0, 0);
}

TEST(LifetimesPayload, OfOneThatNeverSaidAnything) {
  expect_known_and_unknown(Counted::client().established(), 0, 0, 0, 0);
  expect_known_and_unknown(Counted::server(), 0, 0, 0, 0);
  Counted both_connected = Counted::client();
  expect(both_connected.state(TCP_SYN_RECV), 0, 0, 0, 0);
}

// A connection that TCP_REPAIR made has sent no SYN; what both ends of it are nobody knows.
TEST(LifetimesPayload, OfOneWithoutAHandshake) {
  Counted repaired = Counted::server().of_before();
  expect(repaired, 0, 0, 0, 0);
  expect(repaired.write(10).send(10).ack(10).receive(5), 10, 10, 5, 5);
  expect(repaired.read(5).own_fin(TCP_FIN_WAIT1), 10, 10, 5, 0);
  expect(repaired.ack(1).state(TCP_FIN_WAIT2).peers_fin(), 10, 10, 5, 0);
}

// Whatever a socket says, and whatever its role is taken for: nothing is more than what it was told.
TEST(LifetimesPayload, IsNeverBelowZero) {
  constexpr uint32_t kNumbers[] = {0, 1, 2, 5, 100};
  for (const uint8_t role : {ROLE_UNKNOWN, ROLE_CLIENT, ROLE_SERVER}) {
    for (uint8_t state = TCP_ESTABLISHED; state <= TCP_CLOSING; ++state) {
      for (const uint32_t acked : kNumbers) {
        for (const uint32_t unacked : kNumbers) {
          for (const uint32_t received : kNumbers) {
            life_sequence s = {};
            s.sent.bytes_acked = s.sent.bytes_retrans = acked;
            s.sent.bytes_sent = 100 - acked;
            s.sent.state = state;
            s.sent.write_seq = s.sent.snd_nxt = unacked;
            s.bytes_received = received;
            s.segs_out = 1;
            s.role = role;
            s.fin_received = 1;
            life_payload result = {};
            read_life_payload(&result, &s);
            EXPECT_LE(result.acked, acked);
            EXPECT_LE(result.written, acked + unacked);
            EXPECT_LE(result.received, received);
            EXPECT_TRUE(result.sent_known || (result.acked == 0 && result.written == 0) || result.odd > 0);
          }
        }
      }
    }
  }
}

TEST(LifetimesPayload, IsNotGuessed) {
  Counted repaired = Counted::server().write(100).send(100).ack(100).of_before();
  repaired.s.sent.bytes_sent = 20;  // TCP_REPAIR set the rest
  EXPECT_FALSE(repaired.result().sent_known);
  EXPECT_EQ(repaired.result().written, 0u);
}

}  // namespace
}  // namespace sockeye
