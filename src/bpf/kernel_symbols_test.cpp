// SPDX-License-Identifier: Apache-2.0
#include "bpf/kernel_symbols.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>

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
  EXPECT_EQ(find_receive_code("/nonexistent").tcp.ipv4.to, 0u);
  EXPECT_EQ(find_receive_code("/nonexistent").copies.functions[0].to, 0u);
}

TEST(KernelSymbols, WhereCopiesOfPacketsAreHandedOut) {
  const std::string path = testing::TempDir() + "sockeye_kernel_symbols";
  std::ofstream(path) << "ffffffff81000100 T tcp_v4_rcv\n"
                         "ffffffff81000200 t raw_rcv_skb\n"
                         "ffffffff81000300 T raw_rcv\n"
                         "ffffffff81000400 T end_of_kernel\n"
                         "ffffffffc0001000 t packet_rcv\t[af_packet]\n"
                         "ffffffffc0001800 t tpacket_rcv\t[af_packet]\n"
                         "ffffffffc0002000 t end_of_module\t[af_packet]\n";
  const ReceiveCode code = find_receive_code(path);
  remove(path.c_str());
  EXPECT_EQ(code.tcp.ipv4.from, 0xffffffff81000100);
  EXPECT_EQ(code.tcp.ipv4.to, 0xffffffff81000200);
  std::set<std::pair<uint64_t, uint64_t>> copies;
  for (const code_range& range : code.copies.functions) copies.emplace(range.from, range.to);
  const std::set<std::pair<uint64_t, uint64_t>> expected = {{0, 0},
                                                            {0xffffffff81000200, 0xffffffff81000300},
                                                            {0xffffffff81000300, 0xffffffff81000400},
                                                            {0xffffffffc0001000, 0xffffffffc0001800},
                                                            {0xffffffffc0001800, 0xffffffffc0002000}};
  EXPECT_EQ(copies, expected) << "those that are not there are empty";
}

}  // namespace
}  // namespace sockeye
