// SPDX-License-Identifier: Apache-2.0
// Which errors have ended a socket, and which were only left in it.
#include "bpf/sock_error.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace sockeye {
namespace {

TEST(SockError, EndsAConnection) {
  for (const uint8_t state : {TCP_ESTABLISHED, TCP_FIN_WAIT1, TCP_FIN_WAIT2, TCP_CLOSE_WAIT, TCP_LAST_ACK}) {
    for (const uint32_t error : {ECONNRESET, ECONNABORTED, ETIMEDOUT, EPIPE}) {
      EXPECT_TRUE(error_has_ended(state, error, 0, 0)) << error;
    }
    EXPECT_TRUE(error_has_ended(state, EHOSTUNREACH, EHOSTUNREACH, 1)) << "ICMP said why nobody answers";
    EXPECT_FALSE(error_has_ended(state, 0, EHOSTUNREACH, 1)) << "it goes on";
    EXPECT_FALSE(error_has_ended(state, EHOSTUNREACH, 0, 1)) << "IP_RECVERR";
    EXPECT_FALSE(error_has_ended(state, EHOSTUNREACH, EHOSTUNREACH, 0)) << "IP_RECVERR";
    EXPECT_FALSE(error_has_ended(state, EBADMSG, 0, 0)) << "kTLS";
    EXPECT_FALSE(error_has_ended(state, 0, 0, 0));
  }
}

TEST(SockError, EndsAnAttemptWhateverItIs) {
  for (const uint8_t state : {TCP_SYN_SENT, TCP_SYN_RECV}) {
    for (const uint32_t error : {ECONNREFUSED, EHOSTUNREACH, EACCES, ETIMEDOUT, ECONNABORTED}) {
      EXPECT_TRUE(error_has_ended(state, error, 0, 0)) << error;
    }
    EXPECT_FALSE(error_has_ended(state, 0, EHOSTUNREACH, 0));
  }
}

}  // namespace
}  // namespace sockeye
