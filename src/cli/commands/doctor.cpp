// SPDX-License-Identifier: Apache-2.0
// `sockeye doctor`: what this machine offers, what each collector makes of it, and what to do about the rest.
#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/output.h"
#include "cli/commands/commands.h"
#include "cli/messages.h"
#include "cli/run_options.h"
#include "doctor/diagnosis_text.h"

namespace sockeye {
namespace {

struct DoctorWords {
  std::optional<std::string> btf_file;
  bool json = false;
};

struct DoctorOptions {
  std::string btf_file;
  bool json;
};

Result<DoctorOptions> understand(const DoctorWords& words) {
  auto btf_file = parse_btf_file(words.btf_file);
  if (!btf_file) return btf_file.error();
  return DoctorOptions{.btf_file = std::move(*btf_file), .json = words.json};
}

int print_diagnosis(const DoctorOptions& options) {
  Output output = Output::standard(nullptr);
  const auto found = diagnose(options.btf_file);
  if (!found) return report(found.error());
  const Diagnosis& diagnosis = *found;
  Buffer text(16 * 1024);
  if (options.json) {
    add_diagnosis_json(text, diagnosis);
  } else {
    add_diagnosis_page(text, diagnosis, output.screen().columns, may_colour(output.is_terminal()));
  }
  output.write(text.view());
  if (const std::string complaint = output.take_complaint(); !complaint.empty()) {
    say(complaint);
    return static_cast<int>(ErrorCode::kFailed);
  }
  return diagnosis.all_work() ? 0 : static_cast<int>(ErrorCode::kNotPossible);
}

}  // namespace

void add_doctor_command(CLI::App& app, Chosen& chosen) {
  auto words = std::make_shared<DoctorWords>();
  CLI::App* command = app.add_subcommand("doctor", "what this kernel offers, what works on it, and what to do");
  command->add_flag("--json", words->json, "one object (docs/doctor.md)");
  add_btf_option(*command, words->btf_file);
  command->footer("Exit codes: 0 every collector works, perhaps with less; 3 one does not.");
  command->callback([words, &chosen] { chosen = [words] { return work_of(understand(*words), print_diagnosis); }; });
}

}  // namespace sockeye
