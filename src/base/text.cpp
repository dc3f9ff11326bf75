// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <arpa/inet.h>

#include <cstring>
#include <ctime>

#include "base/unicode.h"

namespace sockeye {
namespace {

constexpr char kHex[] = "0123456789abcdef";

void add_hex_byte(Buffer& out, uint8_t byte) {
  char* at = out.room(4);
  at[0] = '\\';
  at[1] = 'x';
  at[2] = kHex[byte >> 4];
  at[3] = kHex[byte & 15];
  out.advance(4);
}

// Moves the beginning of `text` as far as all of it is plain: nearly always the whole.
template <typename IsPlain>
void add_while(Buffer& out, std::string_view& text, IsPlain is_plain) {
  char* const at = out.room(text.size());
  size_t size = 0;
  for (; size < text.size() && is_plain(text[size]); ++size) at[size] = text[size];
  out.advance(size);
  text.remove_prefix(size);
}

void add_escaped(Buffer& out, std::string_view text, char first_printable) {
  while (true) {
    add_while(out, text, [=](char c) { return c >= first_printable && c < 0x7f && c != '\\'; });
    if (text.empty()) return;
    const CodePoint point = first_code_point(text);
    const size_t bytes = point.bytes > 0 ? point.bytes : 1;
    if (point.bytes > 1 && is_visible(point.value)) {
      out.add(text.substr(0, bytes));
    } else {
      for (size_t i = 0; i < bytes; ++i) add_hex_byte(out, static_cast<uint8_t>(text[i]));
    }
    text.remove_prefix(bytes);
  }
}

char* put_octet(char* at, unsigned octet) {
  if (octet >= 100) *at++ = static_cast<char>('0' + octet / 100);
  if (octet >= 10) *at++ = static_cast<char>('0' + octet / 10 % 10);
  *at++ = static_cast<char>('0' + octet % 10);
  return at;
}

}  // namespace

std::string_view text_of(const char* array, size_t size) { return {array, strnlen(array, size)}; }

void add_plain(Buffer& out, std::string_view untrusted) { add_escaped(out, untrusted, '!'); }

void add_plain_spaced(Buffer& out, std::string_view untrusted) { add_escaped(out, untrusted, ' '); }

void add_json_text(Buffer& out, std::string_view text) {
  while (true) {
    add_while(out, text, [](char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; });
    if (text.empty()) return;
    const char c = text[0];
    const CodePoint point = first_code_point(text);
    if (point.bytes == 0) {
      out.add("\\ufffd");
      text.remove_prefix(1);
      continue;
    }
    if (c == '"' || c == '\\') {
      out.add('\\');
      out.add(c);
    } else if (point.bytes == 1 || !is_visible(point.value)) {
      const auto add_unit = [&](uint32_t unit) {
        out.add("\\u");
        for (int shift = 12; shift >= 0; shift -= 4) out.add(kHex[unit >> shift & 15]);
      };
      if (point.value < 0x10000) {
        add_unit(point.value);
      } else {
        add_unit(0xd7c0 + (point.value >> 10));
        add_unit(0xdc00 + (point.value & 0x3ff));
      }
    } else {
      out.add(text.substr(0, point.bytes));
    }
    text.remove_prefix(point.bytes);
  }
}

bool is_mapped_ipv4(const uint8_t* address) {
  static constexpr uint8_t kPrefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return memcmp(address, kPrefix, sizeof kPrefix) == 0;
}

void add_address(Buffer& out, const uint8_t* address) {
  if (is_mapped_ipv4(address)) {
    char* const begin = out.room(INET_ADDRSTRLEN);
    char* at = put_octet(begin, address[12]);
    for (int i = 13; i < 16; ++i) {
      *at++ = '.';
      at = put_octet(at, address[i]);
    }
    out.advance(static_cast<size_t>(at - begin));
    return;
  }
  char* at = out.room(INET6_ADDRSTRLEN);
  inet_ntop(AF_INET6, address, at, INET6_ADDRSTRLEN);
  out.advance(strlen(at));
}

void add_padded(Buffer& out, uint64_t value, int digits) {
  char* at = out.room(static_cast<size_t>(digits));
  for (int i = digits - 1; i >= 0; --i) {
    at[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  out.advance(static_cast<size_t>(digits));
}

SplitTime split_time(int64_t wall_ns) {
  constexpr int64_t kSecond = 1'000'000'000;
  const int64_t seconds = wall_ns / kSecond - (wall_ns % kSecond < 0 ? 1 : 0);
  return {seconds, static_cast<uint64_t>(wall_ns) - static_cast<uint64_t>(seconds) * kSecond};
}

void add_rfc3339(Buffer& out, int64_t wall_ns) {
  // The date and time of a second stay the same for many events.
  thread_local int64_t cached_second = INT64_MIN;  // that is none of a time in nanoseconds
  thread_local char cached[32];
  const SplitTime time = split_time(wall_ns);
  if (time.seconds != cached_second) {
    const time_t seconds = time.seconds;
    tm parts;
    gmtime_r(&seconds, &parts);
    strftime(cached, sizeof cached, "%Y-%m-%dT%H:%M:%S.", &parts);
    cached_second = time.seconds;
  }
  out.add(std::string_view(cached));
  add_padded(out, time.nanoseconds, 9);
  out.add('Z');
}

std::string printable(std::string_view untrusted) {
  Buffer out(untrusted.size() + 16);
  add_plain_spaced(out, untrusted);
  return std::string(out.view());
}

std::string with_thousands(uint64_t number) {
  std::string digits = std::to_string(number);
  for (int at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3) digits.insert(static_cast<size_t>(at), 1, ',');
  return digits;
}

std::string counted(uint64_t number, const std::string& what) {
  return with_thousands(number) + " " + what + (number == 1 ? "" : "s");
}

}  // namespace sockeye
