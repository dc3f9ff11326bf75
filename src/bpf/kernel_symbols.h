// SPDX-License-Identifier: Apache-2.0
// Where functions lie in the kernel's memory, as /proc/kallsyms tells it to root.
#pragma once

#include <cstdint>
#include <istream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bpf/settings.h"

namespace sockeye {

// Of each function: from its first byte to that of the next one behind it. Both 0: it is not there, is not told
// (kernel.kptr_restrict, missing rights), or is the last. `symbols` is read once, which takes the kernel some 90 ms.
std::vector<code_range> codes_of(std::istream& symbols, std::span<const std::string_view> functions);

// Where the kernel takes TCP packets in, IPv4 and IPv6, and copies of packets for taps and raw sockets.
struct ReceiveCode {
  tcp_receive_code tcp;
  copy_code copies;
};

ReceiveCode find_receive_code(const std::string& path = "/proc/kallsyms");

}  // namespace sockeye
