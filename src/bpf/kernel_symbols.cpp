// SPDX-License-Identifier: Apache-2.0
#include "bpf/kernel_symbols.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>

namespace sockeye {
namespace {

// Of "ffffffff81000000 T startup_64": its address and name; a module's stands behind the name.
bool take_symbol(const std::string& line, uint64_t& address, std::string_view& name) {
  char* end = nullptr;
  address = strtoull(line.c_str(), &end, 16);
  const auto digits = static_cast<size_t>(end - line.c_str());
  if (digits == 0 || line.size() < digits + 4 || line[digits] != ' ' || line[digits + 2] != ' ') return false;
  name = std::string_view(line).substr(digits + 3);
  name = name.substr(0, name.find('\t'));
  return true;
}

}  // namespace

std::vector<code_range> codes_of(std::istream& symbols, std::span<const std::string_view> functions) {
  std::vector<code_range> codes(functions.size());
  std::vector<uint64_t> addresses;  // of all: those behind a function may come before it, as modules are not in order
  std::string line;
  uint64_t address = 0;
  std::string_view name;
  while (std::getline(symbols, line)) {
    if (!take_symbol(line, address, name)) continue;
    addresses.push_back(address);
    const auto found = std::find(functions.begin(), functions.end(), name);
    if (found != functions.end()) codes[static_cast<size_t>(found - functions.begin())].from = address;
  }
  for (code_range& code : codes) {
    for (const uint64_t next : addresses) {
      if (code.from != 0 && next > code.from && (code.to == 0 || next < code.to)) code.to = next;
    }
    if (code.to == 0) code = {};
  }
  return codes;
}

ReceiveCode find_receive_code(const std::string& path) {
  constexpr size_t kOfTcp = 3;
  static constexpr std::string_view kFunctions[] = {
      "tcp_v4_rcv",      "tcp_v6_rcv", "tcp_rcv_state_process", "packet_rcv", "tpacket_rcv",  "packet_rcv_fanout",
      "packet_rcv_spkt", "raw_rcv",    "raw_rcv_skb",           "rawv6_rcv",  "rawv6_rcv_skb"};
  static_assert(std::size(kFunctions) == kOfTcp + COPY_FUNCTIONS);
  std::ifstream symbols(path);
  const std::vector<code_range> codes = codes_of(symbols, kFunctions);
  ReceiveCode found = {.tcp = {codes[0], codes[1], codes[2]}, .copies = {}};
  std::copy(codes.begin() + kOfTcp, codes.end(), found.copies.functions);
  return found;
}

}  // namespace sockeye
