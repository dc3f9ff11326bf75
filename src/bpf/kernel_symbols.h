// SPDX-License-Identifier: Apache-2.0
// Where functions lie in the kernel's memory, as /proc/kallsyms tells it to root.
#pragma once

#include <cstdint>
#include <istream>
#include <string>
#include <string_view>

#include "bpf/settings.h"

namespace sockeye {

// From the function's first byte to that of the next one behind it. Both 0: it is not there, is not told
// (kernel.kptr_restrict, missing rights), or is the last.
code_range code_of(std::istream& symbols, std::string_view function);

// Where the kernel takes TCP packets in, IPv4 and IPv6.
tcp_receive_code find_tcp_receive_code(const std::string& path = "/proc/kallsyms");

}  // namespace sockeye
