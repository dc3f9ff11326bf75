// SPDX-License-Identifier: Apache-2.0
// What sockeye says to the person who runs it, on standard error. Where nobody reads it, nobody is waited for.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace sockeye {

// Prints "sockeye: what" and the hint on a line of its own; the exit code.
int report(const Error& error);

// Prints "sockeye: line".
void say(const std::string& line);

// Writes all that a command has to show to standard output; the exit code: 1, and a sentence, where it cannot be
// written. A reader that has gone has seen enough.
int print(std::string_view text);

// Writes the byte that --ready-fd promises, if a descriptor was given.
void tell_ready(int fd);

}  // namespace sockeye
