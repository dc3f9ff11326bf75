// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <string>

namespace sockeye {
namespace {

using Adder = void (*)(Buffer&, std::string_view);

std::string rendered(Adder add, std::string_view text) {
  Buffer out(1);
  add(out, text);
  return std::string(out.view());
}

std::string address(const char* text) {
  uint8_t bytes[16];
  EXPECT_EQ(inet_pton(AF_INET6, text, bytes), 1) << text;
  Buffer out(1);
  add_address(out, bytes);
  return std::string(out.view());
}

TEST(PlainText, LeavesNothingThatATerminalObeys) {
  EXPECT_EQ(rendered(add_plain, "nginx"), "nginx");
  EXPECT_EQ(rendered(add_plain, "\033[2J\033]0;pwned\a"), "\\x1b[2J\\x1b]0;pwned\\x07");
  EXPECT_EQ(rendered(add_plain, "a\nb\rc\td"), "a\\x0ab\\x0dc\\x09d");
  EXPECT_EQ(rendered(add_plain, "\x7f"), "\\x7f");
  EXPECT_EQ(rendered(add_plain,
                     "\xc2\x9b"
                     "31m"),
            "\\xc2\\x9b"
            "31m")
      << "C1 control sequence introducer";
  EXPECT_EQ(rendered(add_plain, "\xe2\x80\xae"), "\\xe2\\x80\\xae") << "right-to-left override";
}

// One a kind: what is blank, invisible, joins what stands before it, or is no character.
TEST(PlainText, EscapesWhatIsBlankOrJoins) {
  const struct {
    const char* bytes;
    const char* what;
  } kHidden[] = {
      {"\xc2\xa0", "U+00A0 no-break space"},
      {"\xc2\xad", "U+00AD soft hyphen"},
      {"\xcd\x8f", "U+034F combining grapheme joiner"},
      {"\xcc\x81", "U+0301 combining acute accent"},
      {"\xe0\xa4\xbe", "U+093E a spacing mark"},
      {"\xe1\x85\x9f", "U+115F Hangul choseong filler"},
      {"\xe1\x85\xa0", "U+1160 Hangul jungseong filler"},
      {"\xe1\x85\xa1", "U+1161 a vowel that joins"},
      {"\xf0\x9f\x8f\xbd", "U+1F3FD a skin tone"},
      {"\xe1\x9e\xb4", "U+17B4 Khmer vowel inherent"},
      {"\xe2\x80\x83", "U+2003 em space"},
      {"\xe2\x80\x8a", "U+200A hair space"},
      {"\xe2\x80\x8d", "U+200D zero width joiner"},
      {"\xe2\x80\xa8", "U+2028 line separator"},
      {"\xe2\x83\x9d", "U+20DD enclosing circle"},
      {"\xe2\xa0\x80", "U+2800 braille blank"},
      {"\xe3\x80\x80", "U+3000 ideographic space"},
      {"\xe3\x85\xa4", "U+3164 Hangul filler"},
      {"\xee\x80\x80", "U+E000 private use"},
      {"\xef\xb8\x8f", "U+FE0F variation selector"},
      {"\xef\xbb\xbf", "U+FEFF byte order mark"},
      {"\xef\xbf\xbe", "U+FFFE no character"},
      {"\xf0\x9d\x85\xb3", "U+1D173 musical begin beam"},
      {"\xf3\xa0\x81\x81", "U+E0041 a tag"},
  };
  for (const auto& hidden : kHidden) {
    std::string escaped;
    for (const char* at = hidden.bytes; *at; ++at) {
      char text[5];
      snprintf(text, sizeof text, "\\x%02x", static_cast<unsigned char>(*at));
      escaped += text;
    }
    EXPECT_EQ(rendered(add_plain, std::string("a") + hidden.bytes + "b"), "a" + escaped + "b") << hidden.what;
    EXPECT_EQ(rendered(add_plain_spaced, hidden.bytes), escaped) << hidden.what;
    EXPECT_EQ(rendered(add_json_text, hidden.bytes).substr(0, 2), "\\u") << hidden.what;
  }
}

TEST(PlainText, KeepsWhatPeopleCanRead) {
  for (const char* text :
       {"\xc3\xa9t\xc3\xa9", "\xd0\xb6", "\xe6\xbc\xa2\xe5\xad\x97", "\xed\x95\x9c", "\xe2\x82\xac"}) {
    EXPECT_EQ(rendered(add_plain, text), text);
    EXPECT_EQ(rendered(add_json_text, text), text);
  }
}

TEST(PlainText, EscapesSoThatTheEscapeIsUnambiguous) {
  EXPECT_EQ(rendered(add_plain, "\\x41"), "\\x5cx41");
  EXPECT_EQ(rendered(add_plain, "a b"), "a\\x20b") << "a space would end the value in a line";
  EXPECT_EQ(rendered(add_plain_spaced, "a b"), "a b");
}

TEST(PlainText, KeepsReadableUtf8AndEscapesTheBroken) {
  EXPECT_EQ(rendered(add_plain, "caf\xc3\xa9"), "caf\xc3\xa9");
  EXPECT_EQ(rendered(add_plain, "\xf0\x9f\x90\x9f"), "\xf0\x9f\x90\x9f");
  EXPECT_EQ(rendered(add_plain, "\xc3"), "\\xc3") << "cut off";
  EXPECT_EQ(rendered(add_plain, "\xc0\xaf"), "\\xc0\\xaf") << "overlong";
  EXPECT_EQ(rendered(add_plain, "\xed\xa0\x80"), "\\xed\\xa0\\x80") << "surrogate";
  EXPECT_EQ(rendered(add_plain, "\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "beyond U+10FFFF";
  EXPECT_EQ(rendered(add_plain,
                     "\xff"
                     "ok"),
            "\\xffok");
}

TEST(JsonText, EscapesAsRfc8259) {
  EXPECT_EQ(rendered(add_json_text, "a\"b\\c\n"), "a\\\"b\\\\c\\u000a");
  EXPECT_EQ(rendered(add_json_text, "\x1b[0m"), "\\u001b[0m");
  EXPECT_EQ(rendered(add_json_text, "\xc2\x9b"), "\\u009b");
  EXPECT_EQ(rendered(add_json_text, "\xff\xfe"), "\\ufffd\\ufffd");
  EXPECT_EQ(rendered(add_json_text, "caf\xc3\xa9"), "caf\xc3\xa9");
  EXPECT_EQ(rendered(add_json_text, "\xf3\xa0\x80\x81"), "\\udb40\\udc01") << "an invisible tag, as a surrogate pair";
}

TEST(Address, Ipv4DottedAndIpv6AsRfc5952) {
  EXPECT_EQ(address("::ffff:10.0.255.1"), "10.0.255.1");
  EXPECT_EQ(address("::ffff:0.0.0.0"), "0.0.0.0");
  EXPECT_EQ(address("2001:DB8:0:0:1:0:0:1"), "2001:db8::1:0:0:1");
  EXPECT_EQ(address("::"), "::");
  EXPECT_EQ(address("::1"), "::1");
}

TEST(Rfc3339, KeepsNanosecondsAndLeadingZeros) {
  Buffer out(1);
  add_rfc3339(out, 1'774'102'985'000'000'007);
  EXPECT_EQ(out.view(), "2026-03-21T14:23:05.000000007Z");
}

TEST(Rfc3339, ATimeBefore1970IsATime) {
  const auto shown = [](int64_t wall_ns) {
    Buffer out(1);
    add_rfc3339(out, wall_ns);
    return std::string(out.view());
  };
  EXPECT_EQ(shown(-1), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(shown(-1'000'000'000), "1969-12-31T23:59:59.000000000Z");
  EXPECT_EQ(shown(-1'500'000'000), "1969-12-31T23:59:58.500000000Z");
  EXPECT_EQ(shown(0), "1970-01-01T00:00:00.000000000Z");
  EXPECT_EQ(shown(INT64_MIN), "1677-09-21T00:12:43.145224192Z");
  EXPECT_EQ(shown(INT64_MAX), "2262-04-11T23:47:16.854775807Z");
}

}  // namespace
}  // namespace sockeye
