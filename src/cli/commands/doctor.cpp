// SPDX-License-Identifier: Apache-2.0
// `sockeye doctor`: what this machine offers, what each collector makes of it, and what to do about the rest.
#include <CLI/CLI.hpp>
#include <memory>

#include "base/output.h"
#include "cli/commands/commands.h"
#include "cli/messages.h"
#include "doctor/diagnosis_text.h"

namespace sockeye {
namespace {

int print_diagnosis(bool json) {
  Output output = Output::standard(nullptr);
  const Diagnosis diagnosis = diagnose();
  Buffer text(16 * 1024);
  if (json) {
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
  auto json = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("doctor", "what this kernel offers, what works on it, and what to do");
  command->add_flag("--json", *json, "one object (docs/doctor.md)");
  command->footer("Exit codes: 0 every collector works, perhaps with less; 3 one does not.");
  command->callback(
      [json, &chosen] { chosen = [json] { return Work([json = *json] { return print_diagnosis(json); }); }; });
}

}  // namespace sockeye
