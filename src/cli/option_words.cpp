// SPDX-License-Identifier: Apache-2.0
#include "cli/option_words.h"

#include "base/text.h"

namespace sockeye {

Error wrong(const std::string& option, const std::string& value, const std::string& why, const std::string& hint) {
  return {ErrorCode::kUsage, option + (value.empty() ? "" : " " + printable(value)) + ": " + why, hint};
}

bool is_digits(std::string_view text) { return text.find_first_not_of("0123456789") == std::string_view::npos; }

Result<uint64_t> parse_number(const std::string& option, const std::string& value, std::string_view text,
                              uint64_t least, uint64_t most, const std::string& hint) {
  if (text.empty() || !is_digits(text)) return wrong(option, value, "this is not a number", hint);
  const auto number = number_in<uint64_t>(text);  // none: it has more than 64 bits
  if (number && *number >= least && *number <= most) return *number;
  return wrong(option, value, "this goes from " + std::to_string(least) + " to " + std::to_string(most), hint);
}

}  // namespace sockeye
