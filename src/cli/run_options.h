// SPDX-License-Identifier: Apache-2.0
// The options that every run of collectors has: how long, in which form, where to.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/result.h"
#include "event/sink.h"
#include "run/run_spec.h"

namespace CLI {
class App;
}

namespace sockeye {

// As given on the command line; empty: not given.
struct RunWords {
  std::string format;
  std::string log_file;
  std::string record_file;
  std::string duration;
  std::string ring_size = "4M";
  std::string colour = "auto";
  std::optional<std::string> times;
  std::optional<std::string> count;
  std::string btf_file;
  std::optional<std::string> ready_fd;
  bool json = false;
  std::optional<std::string> json_version;
  bool strict = false;
  bool end_record = false;
  bool quiet = false;
};

// What they mean.
struct RunOptions {
  RunSpec spec;       // how long, in which form, where to; what is run is the command's to say
  int ready_fd = -1;  // none
  bool strict = false;
  bool quiet = false;
};

void add_run_options(CLI::App& command, RunWords& words);
// Of them, those of a run that ends by itself: in which form, where to.
void add_output_options(CLI::App& command, RunWords& words);
void add_json_version(CLI::App& command, RunWords& words);
void add_btf_option(CLI::App& command, std::string& file);
void add_duration_option(CLI::App& command, RunWords& words);

// kUsage for what makes no sense.
Result<RunOptions> parse_run_options(const RunWords& words);

// A word of -T; none for one that is no such word.
std::optional<TimeStyle> parse_time_style(std::string_view word);

// "10s", "500ms", "2m", "1h", "1.5" (seconds). `option`: whose word it is.
Result<std::chrono::nanoseconds> parse_duration(const std::string& option, const std::string& text);

// "8M", "512K", "1048576": a power of two from 64 KiB to 1 GiB.
Result<uint32_t> parse_ring_size(const std::string& text);

}  // namespace sockeye
