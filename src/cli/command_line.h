// SPDX-License-Identifier: Apache-2.0
// The command line: one place that knows all verbs, turns what the parser says into one clear line, and suggests the
// nearest word for one it does not know.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "event/collector.h"

namespace sockeye {

// Does what a command line asks for; the exit code, as of run_command_line().
using Work = std::function<int()>;

// What the words (the program's name among them) ask for, help included, or kUsage. Without a command `states` is
// meant. Nothing is opened or printed before the work is done; looked at are users and network namespaces
// (parse_filter()), standard output and the environment.
Result<Work> parse_command_line(int argc, const char* const* argv);

// Runs the program; the exit code: 0 fine, 1 failed, 2 wrong usage, 3 not permitted or not possible on this kernel.
int run_command_line(int argc, const char* const* argv);

// Of `words` the one that `wrong` was probably meant to be (Damerau-Levenshtein distance of at most a third of its
// length, at least one); empty where none is near.
std::string nearest_word(std::string_view wrong, const std::vector<std::string>& words);

// kUsage: `word` is no collector; the hint is the nearest of those that may be asked for.
Error no_such_collector(const std::string& word, const std::function<bool(const Collector&)>& may_be);

}  // namespace sockeye
