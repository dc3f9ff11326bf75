// SPDX-License-Identifier: Apache-2.0
// What sockeye says to the person who runs it, on standard error.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace sockeye {

// Prints "sockeye: what" and the hint on a line of its own; the exit code.
int report(const Error& error);

// Prints "sockeye: line".
void say(const std::string& line);

// Writes the byte that --ready-fd promises, if a descriptor was given.
void tell_ready(int fd);

// Untrusted text as it may be shown: one line, nothing that a terminal obeys.
std::string printable(std::string_view untrusted);

// 1234567 as 1,234,567.
std::string with_thousands(uint64_t number);

// "1 socket", "1,234 sockets".
std::string counted(uint64_t number, const std::string& what);

}  // namespace sockeye
