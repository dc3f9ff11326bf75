// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/messages.h"
#include "cli/option_words.h"

namespace sockeye {
namespace {

constexpr const char* kDefaultCommand = "states";

// The subcommand that was chosen, else the program itself.
const CLI::App* chosen_in(const CLI::App& app) {
  const auto subcommands = app.get_subcommands();
  return subcommands.empty() ? &app : subcommands.front();
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
  return names;
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

Error unknown_word(const CLI::App& app) {
  const CLI::App* command = chosen_in(app);
  const auto remaining = app.remaining(true);
  const std::string wrong = remaining.empty() ? "" : remaining.front().substr(0, remaining.front().find('='));
  const bool is_option = wrong.starts_with("-");
  const std::vector<std::string> commands = command_names(app);
  if (command != &app && std::count(commands.begin(), commands.end(), wrong) > 0) {
    return {ErrorCode::kUsage, "unexpected word " + wrong + ": this is a command",
            "a command is the first word: sockeye " + wrong + " ..."};
  }
  const std::string near = nearest_word(wrong, is_option ? option_names(*command) : commands);
  const std::string what = is_option ? "unknown option " : command == &app ? "unknown command " : "unexpected word ";
  const std::string help = command == &app ? "sockeye --help" : "sockeye " + command->get_name() + " --help";
  return {ErrorCode::kUsage, what + printable(wrong),
          near.empty() ? "see " + help : "did you mean " + near + "? (" + help + ")"};
}

// The options that take one value say nothing of an empty one (`--record "$UNSET"`); those that take a list do.
Status check_values(const CLI::App& command) {
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_expected_max() != 1) continue;
    const auto& values = option->results();
    if (std::count(values.begin(), values.end(), "") == 0) continue;
    return wrong(option->get_name(), "", "it needs a value", "see sockeye " + command.get_name() + " --help");
  }
  return Ok{};
}

Work printing(std::string text) {
  return [text = std::move(text)] { return print(text); };
}

// Where no command is named, the first is meant.
std::vector<const char*> with_command(int argc, const char* const* argv) {
  std::vector<const char*> words(argv, argv + argc);
  if (words.empty()) words.push_back("sockeye");
  const std::string_view first = words.size() > 1 ? words[1] : "-";
  const bool asks_for_help = first == "-h" || first == "--help" || first == "--version";
  if (first.starts_with("-") && !asks_for_help) words.insert(words.begin() + 1, kDefaultCommand);
  return words;
}

}  // namespace

Result<Work> parse_command_line(int argc, const char* const* argv) {
  CLI::App app("sockeye shows what every TCP socket on this host is doing, as it happens.", "sockeye");
  app.set_version_flag("--version", "sockeye " SOCKEYE_VERSION);
  app.require_subcommand(0, 1);
  app.footer(std::string("Without a command it is sockeye ") + kDefaultCommand +
             ": sockeye --dst-port 443\nExit codes: 0 fine, 1 failed, 2 wrong usage, 3 not permitted or not possible "
             "on this kernel.");

  Chosen chosen;
  add_stream_commands(app, chosen);
  add_counts_command(app, chosen);
  add_who_command(app, chosen);
  add_doctor_command(app, chosen);
  add_replay_command(app, chosen);
  add_list_command(app, chosen);
  try {
    const auto words = with_command(argc, argv);
    app.parse(static_cast<int>(words.size()), words.data());
    SOCKEYE_TRY(check_values(*chosen_in(app)));
    return chosen();
  } catch (const CLI::CallForVersion& e) {
    return printing(std::string(e.what()) + "\n");
  } catch (const CLI::CallForHelp&) {
    const CLI::App* command = chosen_in(app);
    return printing(command->help(command == &app ? "" : app.get_name()));
  } catch (const CLI::ExtrasError&) {
    return unknown_word(app);
  } catch (const CLI::ParseError& e) {
    return Error{ErrorCode::kUsage, printable(e.what()), "see sockeye " + chosen_in(app)->get_name() + " --help"};
  }
}

int run_command_line(int argc, const char* const* argv) {
  for (const int number : {SIGPIPE, SIGXFSZ}) signal(number, SIG_IGN);  // write() says it: EPIPE, EFBIG
  const auto work = parse_command_line(argc, argv);
  return work ? (*work)() : report(work.error());
}

std::string nearest_word(std::string_view wrong, const std::vector<std::string>& words) {
  std::string best;
  size_t best_distance = std::max<size_t>(1, wrong.size() / 3) + 1;
  for (const std::string& word : words) {
    // Rows of the matrix of distances between prefixes: two back, one back, this one.
    std::vector<size_t> before(word.size() + 1), last(word.size() + 1), row(word.size() + 1);
    for (size_t j = 0; j <= word.size(); ++j) last[j] = j;
    for (size_t i = 1; i <= wrong.size(); ++i) {
      row[0] = i;
      for (size_t j = 1; j <= word.size(); ++j) {
        row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (wrong[i - 1] != word[j - 1])});
        if (i > 1 && j > 1 && wrong[i - 1] == word[j - 2] && wrong[i - 2] == word[j - 1]) {
          row[j] = std::min(row[j], before[j - 2] + 1);
        }
      }
      before.swap(last);
      last.swap(row);
    }
    if (last[word.size()] < best_distance) {
      best_distance = last[word.size()];
      best = word;
    }
  }
  return best;
}

Error no_such_collector(const std::string& word, const std::function<bool(const Collector&)>& may_be) {
  std::vector<std::string> known;
  for (const Collector* collector : collectors()) {
    if (may_be(*collector)) known.emplace_back(collector->event.name);
  }
  const std::string near = nearest_word(word, known);
  return {ErrorCode::kUsage, "there is no collector " + printable(word),
          near.empty() ? "see sockeye list" : "did you mean " + near + "?"};
}

}  // namespace sockeye
