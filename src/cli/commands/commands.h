// SPDX-License-Identifier: Apache-2.0
// The verbs, each in a file of its own. An add function puts its subcommands into the parser; where one of them is
// chosen, `run` becomes what the program does.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace sockeye {

void add_stream_commands(CLI::App& app, std::function<int()>& run);  // one a collector, and `trace`
void add_counts_command(CLI::App& app, std::function<int()>& run);
void add_who_command(CLI::App& app, std::function<int()>& run);
void add_doctor_command(CLI::App& app, std::function<int()>& run);
void add_replay_command(CLI::App& app, std::function<int()>& run);
void add_list_command(CLI::App& app, std::function<int()>& run);

}  // namespace sockeye
