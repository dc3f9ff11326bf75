// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace sockeye
