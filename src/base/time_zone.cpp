// SPDX-License-Identifier: Apache-2.0
#include "base/time_zone.h"

#include <fcntl.h>

#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <optional>

#include "base/read_file.h"

namespace sockeye {
namespace {

constexpr size_t kLongestRule = 128;
constexpr size_t kLongestFile = 64 * 1024;  // the longest of Debian's has 4 KiB
constexpr const char* kUtc = "UTC0";

// Empty where it cannot be read.
std::string contents_of(const std::string& path) {
  auto bytes = read_file(AT_FDCWD, path, kLongestFile);
  return bytes ? std::move(*bytes) : "";
}

// As tzset() of glibc: a file of that name, else a rule, else UTC.
std::string rule_named(std::string_view name, const std::string& root) {
  if (name.starts_with(':')) name.remove_prefix(1);
  if (name.empty()) return kUtc;
  const char* folder = getenv("TZDIR");
  const std::string path =
      name[0] == '/' ? std::string(name) : (folder ? folder : "/usr/share/zoneinfo") + ("/" + std::string(name));
  const std::string file = contents_of(root + path);
  if (!file.empty()) return std::string(rule_of_tzif(file));
  return is_zone_rule(name) ? std::string(name) : kUtc;
}

// $TZ, put back when it goes.
class TzKept {
 public:
  TzKept() {
    if (const char* now = getenv("TZ")) tz_ = now;
    if (const char* now = getenv("TZDIR")) tz_dir_ = now;
  }
  ~TzKept() {
    put_back("TZ", tz_);
    put_back("TZDIR", tz_dir_);
    tzset();
  }

 private:
  static void put_back(const char* name, const std::optional<std::string>& value) {
    if (value) {
      setenv(name, value->c_str(), 1);
    } else {
      unsetenv(name);
    }
  }
  std::optional<std::string> tz_;
  std::optional<std::string> tz_dir_;
};

long offset_at(time_t second) {
  tm parts;
  localtime_r(&second, &parts);
  return parts.tm_gmtoff;
}

// In a rule, what is added to local time to get UTC: east of Greenwich it is negative.
std::string fixed_rule(long offset) {
  const long size = labs(offset);
  const auto part = [](long value) { return static_cast<unsigned>(value % 100); };
  char text[64];
  snprintf(text, sizeof text, "<%c%02u%02u>%c%02u:%02u:%02u", offset < 0 ? '-' : '+', part(size / 3600),
           part(size / 60 % 60), offset < 0 ? '+' : '-', part(size / 3600), part(size / 60 % 60), part(size % 60));
  return text;
}

}  // namespace

std::string zone_rule(int64_t wall_ns, const std::string& root) {
  const char* tz = getenv("TZ");
  const std::string file = tz ? "" : contents_of(root + "/etc/localtime");
  const std::string rule = tz ? rule_named(tz, root) : file.empty() ? kUtc : std::string(rule_of_tzif(file));
  const time_t now = wall_ns / 1'000'000'000;
  if (!root.empty()) return is_zone_rule(rule) ? rule : kUtc;  // the C library knows nothing of that root
  tzset();
  const long offset = offset_at(now);
  if (!is_zone_rule(rule)) return fixed_rule(offset);
  const TzKept kept;
  use_zone_rule(rule);
  return offset_at(now) == offset ? rule : fixed_rule(offset);
}

void use_zone_rule(const std::string& rule) {
  setenv("TZDIR", "/dev/null", 1);  // glibc looks for a file of the rule's name first: there is none
  setenv("TZ", rule.c_str(), 1);
  tzset();
}

bool is_zone_rule(std::string_view text) {
  if (text.empty() || text.size() > kLongestRule) return false;
  if (text[0] != '<' && isalpha(static_cast<unsigned char>(text[0])) == 0) return false;
  bool has_digit = false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || (isalnum(byte) == 0 && std::string_view("<>+-,./:").find(c) == std::string_view::npos)) {
      return false;
    }
    has_digit |= isdigit(byte) != 0;
  }
  // A slash is there only before the time of a change.
  return has_digit && text.find('/') >= text.find(',');
}

std::string_view rule_of_tzif(std::string_view file) {
  // Version 1 files have no footer.
  if (file.size() < 44 || !file.starts_with("TZif") || file[4] < '2' || file.back() != '\n') return {};
  file.remove_suffix(1);
  const size_t begin = file.rfind('\n');
  return begin == std::string_view::npos ? std::string_view() : file.substr(begin + 1);
}

}  // namespace sockeye
