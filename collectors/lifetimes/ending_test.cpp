// SPDX-License-Identifier: Apache-2.0
// Every way into CLOSE that the kernel has, and what is said of it. Each line is a path through net/ipv4/tcp*.c.
#include "collectors/lifetimes/ending.bpf.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace sockeye {
namespace {

struct Path {
  const char* name;
  life_ending at_close;
  uint8_t end;
  uint8_t by;
};

constexpr life_ending at(uint32_t state, uint32_t error = 0, uint32_t facts = 0, uint32_t soft_error = 0) {
  return {.error = error, .soft_error = soft_error, .facts = facts, .old_state = state};
}

constexpr uint32_t kAcked = 0;
constexpr uint32_t kWaiting = ENDING_UNACKED;
constexpr uint32_t kInFlight = ENDING_UNACKED | ENDING_IN_FLIGHT;
constexpr uint32_t kOrphan = ENDING_ORPHAN | ENDING_RECEIVES_NO_MORE;

constexpr Path kPaths[] = {
    // Attempts.
    {"RST to a SYN", at(TCP_SYN_SENT, ECONNREFUSED, kInFlight), LIFE_REFUSED, CLOSED_BY_REMOTE},
    {"no answer", at(TCP_SYN_SENT, ETIMEDOUT, kInFlight | ENDING_GAVE_UP), LIFE_SYN_TIMED_OUT, CLOSED_BY_NOBODY},
    {"ICMP host unreachable", at(TCP_SYN_SENT, EHOSTUNREACH, kInFlight), LIFE_UNREACHABLE, CLOSED_BY_NETWORK},
    {"ICMP while the socket was locked, then no answer",
     at(TCP_SYN_SENT, EHOSTUNREACH, kInFlight | ENDING_GAVE_UP, EHOSTUNREACH), LIFE_UNREACHABLE, CLOSED_BY_NETWORK},
    {"close() in SYN_SENT", at(TCP_SYN_SENT, 0, kInFlight | ENDING_LOCKED), LIFE_CANCELLED, CLOSED_BY_LOCAL},
    {"connect() finds no port", at(TCP_SYN_SENT, 0, ENDING_LOCKED | ENDING_IN_CONNECT), LIFE_FAILED, CLOSED_BY_LOCAL},
    {"ss -K of an attempt", at(TCP_SYN_SENT, ECONNABORTED, kInFlight), LIFE_DESTROYED, CLOSED_BY_LOCAL},
    {"fast open's SYN-ACK is not answered", at(TCP_SYN_RECV, ETIMEDOUT, ENDING_FAST_OPEN), LIFE_SYN_TIMED_OUT,
     CLOSED_BY_NOBODY},
    {"RST to fast open's SYN-ACK", at(TCP_SYN_RECV, ECONNRESET, ENDING_FAST_OPEN), LIFE_RESET_RECEIVED,
     CLOSED_BY_REMOTE},
    // Orderly ends.
    {"local first", at(TCP_FIN_WAIT2, 0, kAcked | ENDING_FIN_RECEIVED), LIFE_CLOSED, CLOSED_BY_LOCAL},
    {"an orphan waits for the peer's FIN", at(TCP_FIN_WAIT2, 0, kOrphan), LIFE_CLOSED, CLOSED_BY_LOCAL},
    {"remote first", at(TCP_LAST_ACK, 0, kAcked | ENDING_FIN_RECEIVED | kOrphan), LIFE_CLOSED, CLOSED_BY_REMOTE},
    {"both at once", at(TCP_CLOSING, 0, kAcked | ENDING_FIN_RECEIVED), LIFE_CLOSED, CLOSED_BY_BOTH},
    {"an error that nobody has asked for (IP_RECVERR) ends nothing",
     at(TCP_LAST_ACK, EHOSTUNREACH, ENDING_FIN_RECEIVED), LIFE_CLOSED, CLOSED_BY_REMOTE},
    // Aborts of this end.
    {"SO_LINGER 0, or data not read", at(TCP_ESTABLISHED, 0, ENDING_LOCKED | ENDING_HELD), LIFE_RESET_SENT,
     CLOSED_BY_LOCAL},
    {"the same after the peer's FIN", at(TCP_CLOSE_WAIT, 0, ENDING_LOCKED | ENDING_FIN_RECEIVED), LIFE_RESET_SENT,
     CLOSED_BY_REMOTE},
    {"a listener closes on a child", at(TCP_ESTABLISHED), LIFE_RESET_SENT, CLOSED_BY_LOCAL},
    {"data not read after shutdown()", at(TCP_FIN_WAIT2, 0, ENDING_LOCKED), LIFE_RESET_SENT, CLOSED_BY_LOCAL},
    {"SO_LINGER 0 with a FIN under way", at(TCP_FIN_WAIT1, 0, ENDING_LOCKED | kInFlight), LIFE_RESET_SENT,
     CLOSED_BY_LOCAL},
    {"TCP_LINGER2 below 0", at(TCP_FIN_WAIT2, 0, kOrphan | ENDING_NO_FIN_WAIT2), LIFE_RESET_SENT, CLOSED_BY_LOCAL},
    {"data with the acknowledgement of the FIN", at(TCP_FIN_WAIT2, 0, kOrphan | ENDING_LATE_DATA), LIFE_RESET_SENT,
     CLOSED_BY_LOCAL},
    {"the same, out of the backlog in close()",
     at(TCP_FIN_WAIT2, 0, kOrphan | ENDING_LATE_DATA | ENDING_WAS_SHUT | ENDING_LOCKED), LIFE_RESET_SENT,
     CLOSED_BY_LOCAL},
    {"shutdown(SHUT_WR), data, close(): it makes the minisocket itself",
     at(TCP_FIN_WAIT2, 0, kOrphan | ENDING_LATE_DATA | ENDING_LOCKED), LIFE_CLOSED, CLOSED_BY_LOCAL},
    {"closed in repair mode", at(TCP_ESTABLISHED, 0, ENDING_LOCKED | ENDING_REPAIR), LIFE_CHECKPOINTED,
     CLOSED_BY_LOCAL},
    {"RST that comes in repair mode", at(TCP_ESTABLISHED, ECONNRESET, ENDING_REPAIR), LIFE_RESET_RECEIVED,
     CLOSED_BY_REMOTE},
    {"an error that nobody has asked for, then a minisocket", at(TCP_FIN_WAIT2, EHOSTUNREACH, kOrphan), LIFE_CLOSED,
     CLOSED_BY_LOCAL},
    {"data after close()", at(TCP_FIN_WAIT1, ECONNRESET, kOrphan | ENDING_LATE_DATA | kInFlight), LIFE_RESET_SENT,
     CLOSED_BY_LOCAL},
    {"data after shutdown() of both directions",
     at(TCP_FIN_WAIT2, ECONNRESET, ENDING_RECEIVES_NO_MORE | ENDING_LATE_DATA), LIFE_RESET_SENT, CLOSED_BY_LOCAL},
    {"the same, the FIN under way",
     at(TCP_FIN_WAIT1, ECONNRESET, ENDING_RECEIVES_NO_MORE | ENDING_LATE_DATA | kInFlight), LIFE_RESET_SENT,
     CLOSED_BY_LOCAL},
    {"an error that nobody has asked for, then SO_LINGER 0", at(TCP_ESTABLISHED, EHOSTUNREACH, ENDING_LOCKED),
     LIFE_RESET_SENT, CLOSED_BY_LOCAL},
    // Resets of the other end.
    {"RST", at(TCP_ESTABLISHED, ECONNRESET), LIFE_RESET_RECEIVED, CLOSED_BY_REMOTE},
    {"RST after its FIN", at(TCP_CLOSE_WAIT, EPIPE, ENDING_FIN_RECEIVED), LIFE_RESET_RECEIVED, CLOSED_BY_REMOTE},
    {"RST whose error SO_ERROR takes away", at(TCP_ESTABLISHED, 0, ENDING_HELD), LIFE_RESET_RECEIVED, CLOSED_BY_REMOTE},
    {"the same after its FIN", at(TCP_CLOSE_WAIT, 0, ENDING_HELD | ENDING_FIN_RECEIVED), LIFE_RESET_RECEIVED,
     CLOSED_BY_REMOTE},
    {"the same while half closed", at(TCP_FIN_WAIT2, 0, ENDING_HELD), LIFE_RESET_RECEIVED, CLOSED_BY_LOCAL},
    {"the same with a FIN under way", at(TCP_FIN_WAIT1, 0, ENDING_HELD | kInFlight), LIFE_RESET_RECEIVED,
     CLOSED_BY_LOCAL},
    {"RST after our FIN", at(TCP_FIN_WAIT2, ECONNRESET, kOrphan), LIFE_RESET_RECEIVED, CLOSED_BY_LOCAL},
    {"RST while half closed, after data", at(TCP_FIN_WAIT2, ECONNRESET, ENDING_LATE_DATA), LIFE_RESET_RECEIVED,
     CLOSED_BY_LOCAL},
    {"RST in LAST_ACK", at(TCP_LAST_ACK, ECONNRESET, kInFlight), LIFE_RESET_RECEIVED, CLOSED_BY_REMOTE},
    // Nobody answers.
    {"retransmissions", at(TCP_ESTABLISHED, ETIMEDOUT, kInFlight | ENDING_GAVE_UP), LIFE_TIMED_OUT, CLOSED_BY_NOBODY},
    {"retransmissions, and ICMP said why", at(TCP_ESTABLISHED, EHOSTUNREACH, kInFlight | ENDING_GAVE_UP, EHOSTUNREACH),
     LIFE_TIMED_OUT, CLOSED_BY_NOBODY},
    {"a FIN that is not acknowledged", at(TCP_FIN_WAIT1, ETIMEDOUT, kInFlight | ENDING_GAVE_UP | kOrphan),
     LIFE_TIMED_OUT, CLOSED_BY_LOCAL},
    {"probes of a closed window", at(TCP_ESTABLISHED, ETIMEDOUT, kWaiting | ENDING_GAVE_UP), LIFE_WINDOW_TIMED_OUT,
     CLOSED_BY_NOBODY},
    {"keepalive", at(TCP_ESTABLISHED, ETIMEDOUT, kAcked | ENDING_GAVE_UP), LIFE_KEEPALIVE_TIMED_OUT, CLOSED_BY_NOBODY},
    {"keepalive, and ICMP said why", at(TCP_ESTABLISHED, EHOSTUNREACH, ENDING_GAVE_UP, EHOSTUNREACH),
     LIFE_KEEPALIVE_TIMED_OUT, CLOSED_BY_NOBODY},
    {"keepalive after the peer's FIN", at(TCP_CLOSE_WAIT, ETIMEDOUT, ENDING_FIN_RECEIVED | ENDING_GAVE_UP),
     LIFE_KEEPALIVE_TIMED_OUT, CLOSED_BY_REMOTE},
    // The kernel of this end.
    {"ss -K", at(TCP_ESTABLISHED, ECONNABORTED, ENDING_LOCKED), LIFE_DESTROYED, CLOSED_BY_LOCAL},
    {"too many orphans", at(TCP_FIN_WAIT1, 0, kOrphan | kInFlight), LIFE_OUT_OF_RESOURCES, CLOSED_BY_LOCAL},
    {"too many orphans, in close() itself", at(TCP_FIN_WAIT1, 0, ENDING_LOCKED | kOrphan | kInFlight),
     LIFE_OUT_OF_RESOURCES, CLOSED_BY_LOCAL},
    {"the same in answer to the peer's FIN", at(TCP_LAST_ACK, 0, ENDING_LOCKED | kOrphan | kInFlight),
     LIFE_OUT_OF_RESOURCES, CLOSED_BY_REMOTE},
    {"ss -K of an orphan (6.11)", at(TCP_FIN_WAIT1, ECONNABORTED, ENDING_LOCKED | kOrphan | kInFlight), LIFE_DESTROYED,
     CLOSED_BY_LOCAL},
    {"too many orphans, the peer's FIN seen", at(TCP_LAST_ACK, 0, kOrphan | kInFlight | ENDING_FIN_RECEIVED),
     LIFE_OUT_OF_RESOURCES, CLOSED_BY_REMOTE},
};

TEST(LifetimesEnding, OfEveryPath) {
  for (const Path& path : kPaths) {
    const uint8_t end = how_it_ended(&path.at_close);
    EXPECT_EQ(end, path.end) << path.name;
    EXPECT_EQ(who_closed(path.at_close.old_state, end), path.by) << path.name;
    EXPECT_FALSE(is_undone_child(&path.at_close)) << path.name;
  }
}

TEST(LifetimesEnding, OnlyAnOrphanWasClosed) {
  life_ending last = at(TCP_LAST_ACK, 0, ENDING_FIN_RECEIVED | ENDING_RECEIVES_NO_MORE);
  EXPECT_EQ(which_local_close(&last, LOCAL_CLOSE_CALL), LOCAL_CLOSE_HALF);
  EXPECT_EQ(which_local_close(&last, LOCAL_CLOSE_KILL), LOCAL_CLOSE_KILL);
  EXPECT_EQ(which_local_close(&last, LOCAL_CLOSE_NONE), LOCAL_CLOSE_NONE);
  last.facts |= ENDING_LINGERS;  // close() that waits
  EXPECT_EQ(which_local_close(&last, LOCAL_CLOSE_CALL), LOCAL_CLOSE_CALL);
  last.facts = ENDING_FIN_RECEIVED | kOrphan;
  EXPECT_EQ(which_local_close(&last, LOCAL_CLOSE_CALL), LOCAL_CLOSE_CALL);
  last = at(TCP_FIN_WAIT2, 0, ENDING_FIN_RECEIVED);  // shutdown() of both directions
  EXPECT_EQ(which_local_close(&last, LOCAL_CLOSE_CALL), LOCAL_CLOSE_CALL);
}

TEST(LifetimesEnding, AChildThatWasMadeTwiceIsNone) {
  life_ending child = at(TCP_SYN_RECV);
  EXPECT_TRUE(is_undone_child(&child));
  child.facts = ENDING_CLIENT;  // both ends connected at once
  EXPECT_FALSE(is_undone_child(&child));
}

}  // namespace
}  // namespace sockeye
