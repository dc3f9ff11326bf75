// SPDX-License-Identifier: Apache-2.0
#include "bpf/kernel_symbols.h"

#include <gtest/gtest.h>

#include <sstream>

namespace sockeye {
namespace {

TEST(KernelSymbols, AFunctionEndsWhereTheNextBegins) {
  std::istringstream symbols(
      "0000000000000000 A fixed_percpu_data\n"
      "ffffffff81000100 t tcp_v4_rcv.cold\n"
      "ffffffff81000200 T tcp_v4_rcv\n"
      "ffffffff81000900 T later\n"
      "ffffffffc0000000 t far\t[module]\n"
      "ffffffff81000800 T next\n");
  EXPECT_EQ(code_of(symbols, "tcp_v4_rcv").from, 0xffffffff81000200);
  EXPECT_EQ(code_of(symbols, "tcp_v4_rcv").to, 0xffffffff81000800) << "not in order";
  EXPECT_EQ(code_of(symbols, "far").from, 0u) << "the last";
  EXPECT_EQ(code_of(symbols, "tcp").to, 0u);
}

TEST(KernelSymbols, WhatIsNotToldIsNotKnown) {
  std::istringstream hidden("0000000000000000 T tcp_v4_rcv\n0000000000000000 T next\n");
  EXPECT_EQ(code_of(hidden, "tcp_v4_rcv").to, 0u);
  std::istringstream odd("\nT\nffffffff81000100\nffffffff81000100 T\nnonsense T tcp_v4_rcv\n");
  EXPECT_EQ(code_of(odd, "tcp_v4_rcv").to, 0u);
  EXPECT_EQ(find_tcp_receive_code("/nonexistent").ipv4.to, 0u);
}

}  // namespace
}  // namespace sockeye
