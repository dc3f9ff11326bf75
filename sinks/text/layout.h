// SPDX-License-Identifier: Apache-2.0
// How wide the columns of a table are. A pure function of what the columns want and of the room there is.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sockeye::text {

struct ColumnWish {
  int min_width;  // below which it is not worth showing
  int usual;      // what usual values take
  int most;       // what longer ones get at most, where others leave room
  int seen = 0;   // the longest value of late
  int need = 0;   // of that, what cannot be done without: of an address all, of a number the digits before its point
  bool firm = false;       // never gets less than it needs: a number that is cut is another number
  uint8_t priority = 255;  // of those that do not fit the smallest go first; 255: stays while anything does
};

// A width for each column, 0: it is left out. All that are shown, with a blank between each two, take at most
// `columns`, unless there is but one. Every column gets what it needs, or columns less missed are left out; what is
// left goes to those with less than usual, numbers last as theirs are whole anyway, then to those with longer values.
std::vector<int> fit_columns(std::span<const ColumnWish> wishes, int columns);

// Without a terminal nothing is left out: each as wide as usual values, or as the longest of late.
std::vector<int> unbounded_columns(std::span<const ColumnWish> wishes);

// A width for a value that takes `columns`: in few steps, so that a layout soon stays as it is.
int in_steps(int columns, int usual);

}  // namespace sockeye::text
