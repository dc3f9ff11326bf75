// SPDX-License-Identifier: Apache-2.0
// The table format: columns for people. Fits the terminal by leaving out the columns least missed and by shortening
// what does not fit; in a pipe nothing is left out or shortened.
#pragma once

#include <string>
#include <vector>

#include "sinks/text/values.h"

namespace sockeye::text {

class Table {
 public:
  // `columns`: of the terminal; 0: no terminal.
  Table(const EventType& type, int columns, bool colour);

  void add_header(Buffer& out);
  void add_row(Buffer& out, const Record& record, const WallTime& wall);

 private:
  struct Cell {
    const Column* column;
    const Field* field;
    Writer write;
    int width;
    bool may_shrink;  // it has less than it wants: shorten what is longer
  };
  void choose(const EventType& type, int columns);
  void add_cell(Buffer& out, const Cell& cell, bool last);

  std::vector<Cell> cells_;
  Buffer cell_text_{256};
  bool colour_;
};

// Shortens UTF-8 text to `width` columns, with `~` for what is cut out of its middle, or to its first `width` columns;
// the number of columns it then takes.
int add_shortened(Buffer& out, std::string_view text, int width, bool head_only);

}  // namespace sockeye::text
