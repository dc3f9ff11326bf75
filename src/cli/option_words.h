// SPDX-License-Identifier: Apache-2.0
// The words that options take: what is said of one that makes no sense, and the one reader of whole numbers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sockeye {

// kUsage: "OPTION VALUE: why", without the value where it is empty.
Error wrong(const std::string& option, const std::string& value, const std::string& why, const std::string& hint);

bool is_digits(std::string_view text);

// Decimal digits and nothing else: a number in these bounds. `text` is the option's value, or the part of it that is
// the number.
Result<uint64_t> parse_number(const std::string& option, const std::string& value, std::string_view text,
                              uint64_t least, uint64_t most, const std::string& hint);

}  // namespace sockeye
