// SPDX-License-Identifier: Apache-2.0
// `sockeye doctor`: what this machine offers, what each collector makes of it, and what to do about the rest.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "base/output.h"
#include "cli/commands/commands.h"
#include "cli/messages.h"
#include "cli/run_options.h"
#include "doctor/diagnosis_text.h"

namespace sockeye {
namespace {

struct DoctorOptions {
  std::string btf_file;
  bool json = false;
};

int print_diagnosis(const DoctorOptions& options) {
  const auto found = diagnose(options.btf_file);
  if (!found) return report(found.error());
  const Diagnosis& diagnosis = *found;
  Buffer text(16 * 1024);
  if (options.json) {
    add_diagnosis_json(text, diagnosis);
  } else {
    const Output output = Output::standard(nullptr);
    add_diagnosis_page(text, diagnosis, output.screen().columns, may_colour(output.is_terminal()));
  }
  if (const int failed = print(text.view()); failed != 0) return failed;
  return diagnosis.all_work() ? 0 : static_cast<int>(ErrorCode::kNotPossible);
}

}  // namespace

void add_doctor_command(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<DoctorOptions>();
  CLI::App* command = app.add_subcommand("doctor", "what this kernel offers, what works on it, and what to do");
  command->add_flag("--json", options->json, "one object (docs/doctor.md)");
  add_btf_option(*command, options->btf_file);
  command->footer("Exit codes: 0 every collector works, perhaps with less; 3 one does not.");
  command->callback([options, &chosen] {
    chosen = [options] { return Work([options = *options] { return print_diagnosis(options); }); };
  });
}

}  // namespace sockeye
