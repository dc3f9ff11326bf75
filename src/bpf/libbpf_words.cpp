// SPDX-License-Identifier: Apache-2.0
#include "bpf/libbpf_words.h"

#include <bpf/libbpf.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <sstream>
#include <string_view>

#include "bpf/host.h"

namespace sockeye {
namespace {

constexpr std::string_view kLogBegins = "-- BEGIN PROG LOAD LOG --\n", kLogEnds = "-- END PROG LOAD LOG --";

std::string complaints;
std::vector<VerifierWords> logs;

std::string formatted(const char* format, va_list arguments) {
  va_list again;
  va_copy(again, arguments);
  std::string text(static_cast<size_t>(std::max(0, vsnprintf(nullptr, 0, format, arguments))) + 1, '\0');
  vsnprintf(text.data(), text.size(), format, again);
  va_end(again);
  text.pop_back();
  return text;
}

// "libbpf: prog 'NAME': -- BEGIN PROG LOAD LOG --\n...-- END PROG LOAD LOG --\n"
void keep_log(const std::string& text) {
  const size_t begin = text.find(kLogBegins), end = text.find(kLogEnds);
  if (begin == std::string::npos || end == std::string::npos) return;
  const size_t log = begin + kLogBegins.size(), name = text.find('\'') + 1;
  logs.push_back({text.substr(name, text.find('\'', name) - name), text.substr(log, end - log)});
}

int keep_words(libbpf_print_level level, const char* format, va_list arguments) {
  if (level == LIBBPF_DEBUG && strstr(format, kLogEnds.data())) keep_log(formatted(format, arguments));
  if (level == LIBBPF_WARN && complaints.size() <= 1 << 20) complaints += formatted(format, arguments);
  return 0;
}

// Of a verifier's log the line that says what it refuses: the last but for its statistics. Else libbpf's first line.
std::string reason_in(const std::string& words) {
  const size_t end = words.find(kLogEnds);
  if (end == std::string::npos) return words.substr(0, words.find('\n'));
  std::istringstream lines(words.substr(0, end));
  std::string reason;
  for (std::string line; std::getline(lines, line);) {
    const bool is_statistics =
        line.starts_with("processed ") || line.starts_with("verification time ") || line.starts_with("stack depth ");
    if (!line.empty() && !is_statistics) reason = line;
  }
  return reason;
}

}  // namespace

void listen_to_libbpf() {
  libbpf_set_print(keep_words);
  complaints.clear();
  logs.clear();
}

std::string refused_program() {
  const size_t end = complaints.find("': BPF program load failed");
  const size_t begin = end == std::string::npos ? end : complaints.rfind("prog '", end);
  if (begin == std::string::npos) return "";
  const size_t name = begin + strlen("prog '");
  return complaints.substr(name, end - name);
}

Error load_error(int error, const std::string& doing) {
  if (error == EMFILE || error == ENFILE) return too_many_files(doing, error);
  const std::string words = reason_in(complaints);
  return {ErrorCode::kNotPossible, doing + ": " + errno_text(error) + (words.empty() ? "" : " (" + words + ")"),
          "this kernel refuses what sockeye needs: sockeye doctor says more"};
}

const std::vector<VerifierWords>& verifier_words() { return logs; }

}  // namespace sockeye
