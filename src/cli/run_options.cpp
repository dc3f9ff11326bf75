// SPDX-License-Identifier: Apache-2.0
#include "cli/run_options.h"

#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <bit>
#include <charconv>
#include <climits>

#include "base/output.h"
#include "cli/option_words.h"

namespace sockeye {
namespace {

std::string known_formats() {
  std::string formats;
  for (const SinkKind* kind : sink_kinds()) {
    for (const std::string_view format : kind->formats) formats += (formats.empty() ? "" : ", ") + std::string(format);
  }
  return formats;
}

bool is_known_format(const std::string& format) {
  for (const SinkKind* kind : sink_kinds()) {
    for (const std::string_view known : kind->formats) {
      if (known == format) return true;
    }
  }
  return false;
}

constexpr std::pair<std::string_view, TimeStyle> kTimeStyles[] = {
    {"none", TimeStyle::kNone},       {"time", TimeStyle::kTime}, {"date", TimeStyle::kDate},
    {"rfc3339", TimeStyle::kRfc3339}, {"unix", TimeStyle::kUnix}, {"delta", TimeStyle::kDelta},
    {"boot", TimeStyle::kBoot},
};

Status understand_times(const RunWords& words, SinkSpec& shown) {
  if (!words.times) return Ok{};
  shown.times = parse_time_style(*words.times);
  if (!shown.times) {
    return wrong("-T", *words.times, "unknown value", "it is none, time, date, rfc3339, unix, delta or boot");
  }
  if (shown.format == "table") return Ok{};
  return wrong("-T", *words.times, "the " + shown.format + " format has one way to write times",
               "it is for tables: --format table");
}

Result<std::optional<uint64_t>> parse_count(const std::optional<std::string>& word) {
  if (!word) return std::optional<uint64_t>();
  const auto count = parse_number("--count", *word, *word, 1, UINT64_MAX, "such as --count 1000");
  if (!count) return count.error();
  return std::optional(*count);
}

Result<int> parse_json_version(const std::optional<std::string>& word) {
  if (!word) return kJsonVersion;
  const auto version =
      parse_number("--json-version", *word, *word, kOldestJsonVersion, kJsonVersion, "such as --json-version 1");
  if (!version) return version.error();
  return static_cast<int>(*version);
}

// A descriptor that is open; -1: none was given.
Result<int> parse_ready_fd(const std::optional<std::string>& word) {
  if (!word) return -1;
  const std::string hint = "open it: sockeye ... --ready-fd 3 3>file";
  const auto number = parse_number("--ready-fd", *word, *word, 0, INT_MAX, hint);
  if (!number) return number.error();
  const int fd = static_cast<int>(*number);
  if (fcntl(fd, F_GETFD) == -1) return wrong("--ready-fd", *word, "this descriptor is not open", hint);
  return fd;
}

// The number that `text` begins with, and what follows it.
struct Quantity {
  double number;
  std::string unit;
};
std::optional<Quantity> split_quantity(const std::string& text) {
  Quantity quantity{};
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, quantity.number, std::chars_format::fixed);
  if (error != std::errc() || !(quantity.number >= 0)) return std::nullopt;
  quantity.unit.assign(rest, end);
  return quantity;
}

Result<SinkSpec> understand_standard_output(const RunWords& words) {
  const bool terminal = isatty(STDOUT_FILENO) == 1;
  SinkSpec shown{.format = words.json ? "json" : words.format.empty() ? (terminal ? "table" : "line") : words.format};
  if (!is_known_format(shown.format)) {
    return wrong("--format", words.format, "there is no such format", "it is one of " + known_formats());
  }
  if (words.json && !words.format.empty() && words.format != "json") {
    return wrong("--format", words.format, "it contradicts --json", "give one of them");
  }
  if (shown.format == "recording" && terminal) {
    return Error{ErrorCode::kUsage, "recordings are binary", "redirect it to a file, or use --record FILE"};
  }
  const auto version = parse_json_version(words.json_version);
  if (!version) return version.error();
  shown.json_version = *version;
  if (words.colour != "auto" && words.colour != "always" && words.colour != "never") {
    return wrong("--color", words.colour, "unknown value", "it is auto, always or never");
  }
  shown.colour = words.colour == "always" || (words.colour == "auto" && may_colour(terminal));
  SOCKEYE_TRY(understand_times(words, shown));
  return shown;
}

}  // namespace

void add_output_options(CLI::App& command, RunWords& words) {
  command.add_option("--format", words.format,
                     "table (default on a terminal), line (default otherwise), json or recording");
  command.add_flag("--json", words.json, "the same as --format json");
  add_json_version(command, words);
  command.add_option("--log-file", words.log_file, "write the line format to this file as well; reopened on SIGHUP");
  command.add_option("--record", words.record_file, "keep everything in this new file as well, for sockeye replay");
  command.add_option("--count", words.count, "stop after this many events");
  command.add_flag("--strict", words.strict, "exit 1 if anything was lost");
  command.add_flag("--end-record", words.end_record, "end the stream with an event of what was delivered and lost");
  command.add_option("--color", words.colour, "auto (terminals, unless NO_COLOR is set), always or never");
  command
      .add_option("-T,--timestamps", words.times,
                  "times in the table: time (of day, the default), date, rfc3339 (UTC), unix, delta (since the row "
                  "before), boot (since the start of the machine; all three in seconds) or none")
      ->expected(0, 1)
      ->default_str("time");
  command.add_flag("--quiet", words.quiet, "print only errors and losses on stderr");
}

void add_json_version(CLI::App& command, RunWords& words) {
  command
      .add_option("--json-version", words.json_version,
                  "the keys of JSON as version N of the format has them (docs/output.md)")
      ->type_name("N");
}

void add_btf_option(CLI::App& command, std::string& file) {
  command.add_option("--btf", file,
                     "a copy of the kernel's types, where its own /sys/kernel/btf/vmlinux cannot be read");
}

void add_duration_option(CLI::App& command, RunWords& words) {
  command.add_option("--duration", words.duration, "stop after this long: 10s, 500ms, 2m, 1h");
}

void add_run_options(CLI::App& command, RunWords& words) {
  add_output_options(command, words);
  add_duration_option(command, words);
  add_btf_option(command, words.btf_file);
  command.add_option("--ring-size", words.ring_size, "room for events on their way out of the kernel")
      ->capture_default_str();
  command.add_option("--ready-fd", words.ready_fd, "write a byte to this descriptor once every probe is attached");
}

Result<RunOptions> parse_run_options(const RunWords& words) {
  RunOptions options;
  RunSpec& spec = options.spec;
  auto shown = understand_standard_output(words);
  if (!shown) return shown.error();
  spec.sinks = {std::move(*shown)};
  if (!words.log_file.empty()) spec.sinks.push_back({.format = "line", .option = "--log-file", .path = words.log_file});
  if (!words.record_file.empty())
    spec.sinks.push_back({.format = "recording", .option = "--record", .path = words.record_file});
  if (!words.duration.empty()) {
    const auto duration = parse_duration("--duration", words.duration);
    if (!duration) return duration.error();
    spec.duration = *duration;
  }
  const auto count = parse_count(words.count);
  if (!count) return count.error();
  spec.count = *count;
  const auto ring_bytes = parse_ring_size(words.ring_size);
  if (!ring_bytes) return ring_bytes.error();
  spec.ring_bytes = *ring_bytes;
  spec.btf_file = words.btf_file;
  spec.end_record = words.end_record;
  const auto ready_fd = parse_ready_fd(words.ready_fd);
  if (!ready_fd) return ready_fd.error();
  options.ready_fd = *ready_fd;
  options.strict = words.strict;
  options.quiet = words.quiet;
  return options;
}

std::optional<TimeStyle> parse_time_style(std::string_view word) {
  for (const auto& [name, style] : kTimeStyles) {
    if (name == word) return style;
  }
  return std::nullopt;
}

Result<std::chrono::nanoseconds> parse_duration(const std::string& option, const std::string& text) {
  const auto quantity = split_quantity(text);
  double seconds = 0;
  if (quantity) {
    if (quantity->unit.empty() || quantity->unit == "s") seconds = quantity->number;
    if (quantity->unit == "ms") seconds = quantity->number / 1000;
    if (quantity->unit == "m") seconds = quantity->number * 60;
    if (quantity->unit == "h") seconds = quantity->number * 3600;
  }
  const double ns = seconds * 1e9;
  if (ns < 1 || seconds > 1e9) {
    return wrong(option, text, "not a duration", "such as 10s, 500ms, 2m or 1h");
  }
  return std::chrono::nanoseconds(static_cast<int64_t>(ns));
}

Result<uint32_t> parse_ring_size(const std::string& text) {
  const auto quantity = split_quantity(text);
  double bytes = 0;
  if (quantity) {
    if (quantity->unit.empty()) bytes = quantity->number;
    if (quantity->unit == "K" || quantity->unit == "KiB") bytes = quantity->number * 1024;
    if (quantity->unit == "M" || quantity->unit == "MiB") bytes = quantity->number * 1024 * 1024;
  }
  const bool fits = bytes >= 64 * 1024 && bytes <= 1024.0 * 1024 * 1024;
  const uint32_t whole = fits ? static_cast<uint32_t>(bytes) : 0;
  if (!std::has_single_bit(whole) || whole != bytes) {
    return wrong("--ring-size", text, "this is not a power of two from 64K to 1024M",
                 "such as 4M (the default) or 64M");
  }
  return whole;
}

}  // namespace sockeye
