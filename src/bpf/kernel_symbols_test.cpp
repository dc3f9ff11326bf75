// SPDX-License-Identifier: Apache-2.0
#include "bpf/kernel_symbols.h"

#include <gtest/gtest.h>

#include <sstream>

namespace sockeye {
namespace {

std::vector<code_range> codes_in(const char* text, std::vector<std::string_view> functions) {
  std::istringstream symbols(text);
  return codes_of(symbols, functions);
}

TEST(KernelSymbols, AFunctionEndsWhereTheNextBegins) {
  const auto codes = codes_in(
      "0000000000000000 A fixed_percpu_data\n"
      "ffffffff81000100 t tcp_v4_rcv.cold\n"
      "ffffffff81000200 T tcp_v4_rcv\n"
      "ffffffff81000900 T later\n"
      "ffffffffc0000000 t far\t[module]\n"
      "ffffffff81000800 T next\n",
      {"tcp_v4_rcv", "far", "tcp", "next"});
  EXPECT_EQ(codes[0].from, 0xffffffff81000200);
  EXPECT_EQ(codes[0].to, 0xffffffff81000800) << "not in order";
  EXPECT_EQ(codes[1].from, 0u) << "the last";
  EXPECT_EQ(codes[2].to, 0u);
  EXPECT_EQ(codes[3].to, 0xffffffff81000900);
}

TEST(KernelSymbols, WhatIsNotToldIsNotKnown) {
  EXPECT_EQ(codes_in("0000000000000000 T tcp_v4_rcv\n0000000000000000 T next\n", {"tcp_v4_rcv"})[0].to, 0u);
  const char* odd = "\nT\nffffffff81000100\nffffffff81000100 T\nnonsense T tcp_v4_rcv\n";
  EXPECT_EQ(codes_in(odd, {"tcp_v4_rcv"})[0].to, 0u);
  EXPECT_EQ(find_tcp_receive_code("/nonexistent").ipv4.to, 0u);
}

}  // namespace
}  // namespace sockeye
