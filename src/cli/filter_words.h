// SPDX-License-Identifier: Apache-2.0
// The words of a filter: lists of items, and what is said of an item that makes no sense.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/filter_options.h"
#include "cli/option_words.h"

namespace sockeye {

// An option that takes a list.
struct ListOption {
  const char* name;
  std::vector<std::string> FilterOptions::*words;
  const char* type;
  const char* meaning;
  const char* example;
  const char* fewer;        // what to do where there are too many values
  bool has_blanks = false;  // its values may have blanks in them, which else separate them
  const char* letter = "";  // "-p,": the short form, before the name
};

struct Item {
  std::string text;
  bool excluded;

  std::string given() const { return (excluded ? "!" : "") + text; }
};

Error wrong(const ListOption& option, const Item& item, const std::string& why);

// All items that were given for an option.
Result<std::vector<Item>> items_of(const ListOption& option, const FilterOptions& options);

// A whole number in these bounds, of which `text` is a part of the item or all of it.
Result<uint64_t> parse_number(const ListOption& option, const Item& item, std::string_view text, uint64_t least,
                              uint64_t most);

}  // namespace sockeye
