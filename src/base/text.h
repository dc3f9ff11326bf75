// SPDX-License-Identifier: Apache-2.0
// How values look in every format. Bytes that anyone can choose (names of processes, paths) go out escaped only.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/buffer.h"

namespace sockeye {

// Bytes of a fixed array up to its first NUL.
std::string_view text_of(const char* array, size_t size);

// For terminals and log lines: printable ASCII but space and backslash, and visible characters (unicode.h), as they
// are; all else (control characters, blanks, combining marks, broken UTF-8) byte for byte as \xNN.
void add_plain(Buffer& out, std::string_view untrusted);

// The same, but with spaces left as they are: for columns of a table, where a space cannot end a value.
void add_plain_spaced(Buffer& out, std::string_view untrusted);

// The inside of a JSON string (RFC 8259 section 7): quotes, backslash and what is not visible escaped, broken UTF-8
// replaced by U+FFFD.
void add_json_text(Buffer& out, std::string_view untrusted);

// IPv4 (also v4-mapped) dotted, IPv6 as RFC 5952. `address` is 16 bytes in network order.
void add_address(Buffer& out, const uint8_t* address);
bool is_mapped_ipv4(const uint8_t* address);

// The decimal number in a text that is nothing else.
template <typename Number>
std::optional<Number> number_in(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// `value` with leading zeros, `digits` wide.
void add_padded(Buffer& out, uint64_t value, int digits);

// A wall time as seconds since the epoch, which are negative before it, and the nanoseconds after that second.
struct SplitTime {
  int64_t seconds;
  uint64_t nanoseconds;
};
SplitTime split_time(int64_t wall_ns);

// RFC 3339 in UTC with nanoseconds: 2026-03-21T14:23:25.454123456Z. `wall_ns` since the epoch.
void add_rfc3339(Buffer& out, int64_t wall_ns);

// Untrusted text as it may be shown: one line, nothing that a terminal obeys.
std::string printable(std::string_view untrusted);

// 1234567 as 1,234,567.
std::string with_thousands(uint64_t number);

// "1 socket", "1,234 sockets".
std::string counted(uint64_t number, const std::string& what);

// Whole microseconds, rounded down.
inline uint64_t to_microseconds(uint64_t ns) { return ns / 1000; }

}  // namespace sockeye
