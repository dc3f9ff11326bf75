// SPDX-License-Identifier: Apache-2.0
#include "sinks/text/layout.h"

#include <algorithm>

namespace sockeye::text {
namespace {

constexpr int kStep = 8;
constexpr int kFirstStep = 15;  // an IPv4 address; 15 + 3 * 8 is the longest of IPv6
constexpr uint8_t kAlways = 255;

int total_of(const std::vector<int>& widths) {
  int total = -1;
  for (const int width : widths) total += width > 0 ? width + 1 : 0;
  return total;
}

// The index of the shown column that is least missed, the last of several; -1: all that are left stay.
int least_missed(std::span<const ColumnWish> wishes, const std::vector<int>& widths) {
  int found = -1;
  for (size_t i = 0; i < wishes.size(); ++i) {
    if (widths[i] == 0 || wishes[i].priority == kAlways) continue;
    if (found < 0 || wishes[i].priority <= wishes[static_cast<size_t>(found)].priority) found = static_cast<int>(i);
  }
  return found;
}

// Takes from the widest that can give, one by one.
void shrink(std::span<const ColumnWish> wishes, std::vector<int>& widths, int columns) {
  while (total_of(widths) > columns) {
    int widest = -1;
    for (size_t i = 0; i < wishes.size(); ++i) {
      const bool can_give = widths[i] > wishes[i].min_width && !wishes[i].firm;
      if (can_give && (widest < 0 || widths[i] > widths[static_cast<size_t>(widest)])) widest = static_cast<int>(i);
    }
    if (widest < 0) return;
    --widths[static_cast<size_t>(widest)];
  }
}

// Gives each shown column up to `goal`, evenly, as long as there is room.
template <typename Goal>
void spread(std::span<const ColumnWish> wishes, std::vector<int>& widths, int columns, Goal goal) {
  int spare = columns - total_of(widths);
  for (bool someone_wants_more = true; someone_wants_more && spare > 0;) {
    someone_wants_more = false;
    for (size_t i = 0; i < wishes.size() && spare > 0; ++i) {
      if (widths[i] == 0 || widths[i] >= goal(wishes[i])) continue;
      ++widths[i];
      --spare;
      someone_wants_more = true;
    }
  }
}

}  // namespace

std::vector<int> fit_columns(std::span<const ColumnWish> wishes, int columns) {
  std::vector<int> widths;
  for (const ColumnWish& wish : wishes) widths.push_back(std::max(wish.min_width, wish.need));
  while (total_of(widths) > columns) {
    const int index = least_missed(wishes, widths);
    if (index < 0) break;
    widths[static_cast<size_t>(index)] = 0;
  }
  shrink(wishes, widths, columns);
  const auto is_shown = [](int width) { return width > 0; };
  while (total_of(widths) > columns && std::count_if(widths.begin(), widths.end(), is_shown) > 1) {
    *std::find_if(widths.rbegin(), widths.rend(), is_shown) = 0;
  }
  spread(wishes, widths, columns, [](const ColumnWish& wish) { return wish.firm ? 0 : wish.usual; });
  spread(wishes, widths, columns, [](const ColumnWish& wish) { return wish.usual; });
  spread(wishes, widths, columns, [](const ColumnWish& wish) { return std::min(wish.seen, wish.most); });
  return widths;
}

std::vector<int> unbounded_columns(std::span<const ColumnWish> wishes) {
  std::vector<int> widths;
  for (const ColumnWish& wish : wishes) widths.push_back(std::max(wish.usual, wish.seen));
  return widths;
}

int in_steps(int columns, int usual) {
  if (columns <= usual) return usual;
  if (columns <= kFirstStep) return kFirstStep;
  return kFirstStep + (columns - kFirstStep + kStep - 1) / kStep * kStep;
}

}  // namespace sockeye::text
