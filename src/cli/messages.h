// SPDX-License-Identifier: Apache-2.0
// What sockeye says to the person who runs it, on standard error.
#pragma once

#include <string>

#include "base/result.h"

namespace sockeye {

// Prints "sockeye: what" and the hint on a line of its own; the exit code.
int report(const Error& error);

// Prints "sockeye: line".
void say(const std::string& line);

// Writes the byte that --ready-fd promises, if a descriptor was given.
void tell_ready(int fd);

}  // namespace sockeye
