// SPDX-License-Identifier: Apache-2.0
#include "cli/filter_words.h"

#include <algorithm>

namespace sockeye {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";  // "$(pgrep nginx)" in quotes is one word with newlines in it

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// The items of one word. Names of processes may have blanks in them, nothing else may.
Status split_word(const ListOption& option, std::string_view word, std::vector<Item>& items) {
  const bool blanks_separate = !option.has_blanks;
  if (trimmed(word).empty()) return wrong(option.name, "", "it needs a value", option.example);
  for (size_t begin = 0; begin <= word.size();) {
    const size_t comma = std::min(word.find(',', begin), word.size());
    std::string_view rest = trimmed(word.substr(begin, comma - begin));
    if (rest.empty()) return wrong(option.name, std::string(word), "an item of the list is empty", option.example);
    while (!rest.empty()) {
      const size_t end = blanks_separate ? std::min(rest.find_first_of(kBlanks), rest.size()) : rest.size();
      const bool excluded = rest.front() == '!';
      items.push_back({std::string(trimmed(rest.substr(excluded, end - excluded))), excluded});
      const Item& item = items.back();
      if (item.text.empty()) return wrong(option, item, "nothing stands after the !");
      if (item.text.find('\0') != std::string::npos) return wrong(option, item, "it has a NUL byte in it");
      rest = trimmed(rest.substr(end));
    }
    begin = comma + 1;
  }
  return Ok{};
}

}  // namespace

Error wrong(const ListOption& option, const Item& item, const std::string& why) {
  return wrong(option.name, item.given(), why, option.example);
}

Result<std::vector<Item>> items_of(const ListOption& option, const FilterOptions& options) {
  std::vector<Item> items;
  for (const std::string& word : options.*option.words) SOCKEYE_TRY(split_word(option, word, items));
  return items;
}

Result<uint64_t> parse_number(const ListOption& option, const Item& item, std::string_view text, uint64_t least,
                              uint64_t most) {
  return parse_number(option.name, item.given(), text, least, most, option.example);
}

}  // namespace sockeye
