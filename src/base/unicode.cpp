// SPDX-License-Identifier: Apache-2.0
#include "base/unicode.h"

#include <utf8proc.h>

namespace sockeye {
namespace {

constexpr uint32_t kBlankBraille = 0x2800;  // a symbol by its category, but it has no dots

}  // namespace

CodePoint first_code_point(std::string_view text) {
  utf8proc_int32_t value = 0;
  const utf8proc_ssize_t bytes = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                                  static_cast<utf8proc_ssize_t>(text.size()), &value);
  return bytes > 0 ? CodePoint{static_cast<uint32_t>(value), static_cast<size_t>(bytes)} : CodePoint{0, 0};
}

bool is_visible(uint32_t code_point) {
  const auto value = static_cast<utf8proc_int32_t>(code_point);
  switch (utf8proc_category(value)) {
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP: return false;
    default: break;
  }
  const utf8proc_property_t* property = utf8proc_get_property(value);
  switch (property->boundclass) {  // what no grapheme begins with (UAX 29)
    case UTF8PROC_BOUNDCLASS_EXTEND:
    case UTF8PROC_BOUNDCLASS_SPACINGMARK:
    case UTF8PROC_BOUNDCLASS_V:
    case UTF8PROC_BOUNDCLASS_T: return false;
    default: break;
  }
  return !property->ignorable && utf8proc_charwidth(value) > 0 && code_point != kBlankBraille;
}

int width_of(uint32_t code_point) { return utf8proc_charwidth(static_cast<utf8proc_int32_t>(code_point)); }

}  // namespace sockeye
