// SPDX-License-Identifier: Apache-2.0
// The verbs, each in a file of its own. An add function puts its subcommands into the parser; where one of them is
// chosen, `chosen` becomes what makes work of its words.
#pragma once

#include <functional>
#include <utility>

#include "cli/command_line.h"

namespace CLI {
class App;
}

namespace sockeye {

using Chosen = std::function<Result<Work>()>;

// run(what), later, where the words made sense.
template <typename What>
Result<Work> work_of(Result<What> what, int (*run)(const What&)) {
  if (!what) return std::move(what.error());
  return Work([what = std::move(*what), run] { return run(what); });
}

void add_stream_commands(CLI::App& app, Chosen& chosen);  // one a collector, and `trace`
void add_counts_command(CLI::App& app, Chosen& chosen);
void add_who_command(CLI::App& app, Chosen& chosen);
void add_doctor_command(CLI::App& app, Chosen& chosen);
void add_replay_command(CLI::App& app, Chosen& chosen);
void add_list_command(CLI::App& app, Chosen& chosen);

}  // namespace sockeye
