// SPDX-License-Identifier: Apache-2.0
// Filters where a process asked for another end than its socket is connected to.
#include <gtest/gtest.h>

#include <cstring>

#include "bpf/filter.h"
#include "tests/support/events.h"

namespace sockeye {
namespace {

constexpr uint16_t kServicePort = 80;

class FilterAskedTest : public testing::Test {
 protected:
  FilterAskedTest() {
    rules_.active = 1;
    asked_.port = kServicePort;
    set_address(asked_.address, "::ffff:10.96.0.1");
  }

  void add_port(unsigned end, uint16_t port, bool wanted = true) {
    rules_.ports[end] = {1, wanted};
    rules_.port[end][0] = {port, port};
  }

  void add_address(unsigned end, const __u8* address, bool wanted = true) {
    rules_.addresses[end] = {1, wanted};
    memcpy(rules_.address[end][0].value, address, 16);
    memset(rules_.address[end][0].mask, 0xff, 16);
  }

  // Of the rules so far, which are gone then.
  bool passes() {
    const bool passed = filter_passes_by_opener(&rules_, &socket_, nullptr, &asked_);
    rules_ = {};
    rules_.active = 1;
    return passed;
  }

  filter_rules rules_{};
  socket_id socket_ = client_socket().socket;
  asked_end asked_{};
};

TEST_F(FilterAskedTest, DstIsWhatWasAskedFor) {
  add_port(FILTER_DST, kServicePort);
  add_address(FILTER_DST, asked_.address);
  EXPECT_TRUE(passes());
  add_port(FILTER_DST, socket_.rport);
  EXPECT_FALSE(passes());
  add_address(FILTER_DST, socket_.raddr);
  EXPECT_FALSE(passes());
  add_port(FILTER_DST, socket_.rport, false);
  EXPECT_TRUE(passes());
}

TEST_F(FilterAskedTest, ThePeerIsBoth) {
  for (const unsigned end : {FILTER_PEER, FILTER_EITHER}) {
    for (const uint16_t port : {socket_.rport, kServicePort}) {
      add_port(end, port);
      EXPECT_TRUE(passes()) << end << " " << port;
      add_port(end, port, false);
      EXPECT_FALSE(passes()) << end << " " << port;
    }
    for (const __u8* address : {socket_.raddr, asked_.address}) {
      add_address(end, address);
      EXPECT_TRUE(passes()) << end;
      add_address(end, address, false);
      EXPECT_FALSE(passes()) << end;
    }
    add_port(end, 81);
    EXPECT_FALSE(passes()) << end;
  }
  add_port(FILTER_EITHER, socket_.lport);
  EXPECT_TRUE(passes()) << "the local end is one still";
}

TEST_F(FilterAskedTest, TheLocalEndIsNot) {
  for (const unsigned end : {FILTER_LOCAL, FILTER_SRC}) {
    add_port(end, kServicePort);
    EXPECT_FALSE(passes()) << end;
    add_address(end, asked_.address);
    EXPECT_FALSE(passes()) << end;
  }
}

TEST_F(FilterAskedTest, WhereItIsNotKnownTheSocketTells) {
  add_port(FILTER_DST, socket_.rport);
  EXPECT_TRUE(filter_passes_by_opener(&rules_, &socket_, nullptr, nullptr));
  add_port(FILTER_DST, kServicePort);
  EXPECT_FALSE(filter_passes_by_opener(&rules_, &socket_, nullptr, nullptr));
}

}  // namespace
}  // namespace sockeye
