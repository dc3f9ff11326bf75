// SPDX-License-Identifier: Apache-2.0
#include "bpf/kernel_symbols.h"

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

// Twice: those behind it may come before it, as modules are not in order.
code_range code_of(std::istream& symbols, std::string_view function) {
  code_range range = {};
  std::string line;
  uint64_t address = 0;
  std::string_view name;
  while (std::getline(symbols, line)) {
    if (take_symbol(line, address, name) && name == function) range.from = address;
  }
  symbols.clear();
  symbols.seekg(0);
  while (range.from != 0 && std::getline(symbols, line)) {
    if (!take_symbol(line, address, name) || address <= range.from) continue;
    if (range.to == 0 || address < range.to) range.to = address;
  }
  symbols.clear();
  symbols.seekg(0);
  return range.to == 0 ? code_range{} : range;
}

tcp_receive_code find_tcp_receive_code(const std::string& path) {
  std::ifstream symbols(path);
  return {code_of(symbols, "tcp_v4_rcv"), code_of(symbols, "tcp_v6_rcv"), code_of(symbols, "tcp_rcv_state_process")};
}

}  // namespace sockeye
