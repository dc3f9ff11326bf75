// SPDX-License-Identifier: Apache-2.0
// The table format: columns for people. On a terminal it fits, by leaving out the columns least missed and by
// shortening what is not needed whole, and has its header on every screen; in a pipe nothing is left out or shortened.
// What it writes follows from the events, the look and the screen, however the events are dealt out.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/output.h"
#include "sinks/text/layout.h"
#include "sinks/text/line.h"
#include "sinks/text/times.h"
#include "sinks/text/values.h"

namespace sockeye::text {

struct TableLook {
  bool colour = false;
  std::optional<TimeStyle> times = {};  // none: as the columns of the type have it
  std::string_view view = {};           // as SinkOptions has it
};

class Table {
 public:
  Table(const EventType& type, const TableLook& look);

  // Before the first event, and whenever the screen may have changed. In a pipe the header comes at once, on a
  // terminal with the first row, which may need columns of other widths.
  void begin(Buffer& out, Screen screen);
  void add_row(Buffer& out, const Event& event, const WallTime& wall);
  // An event of another type, as a line; on a terminal in as many lines as it takes.
  void add_note(Buffer& out, const Event& event, const WallTime& wall);

 private:
  struct Cell {
    Column column;
    const Field* field;
    const Field* prefer;    // of Column::prefer; null: there is none
    Writer write;           // null: of a time
    const Field* port;      // behind an address; null: none
    bool is_other = false;  // this row shows `prefer`
    int width = 0;
    size_t at = 0;  // where its text of this row begins in texts_
    size_t bytes = 0;
    int page_seen = 0, page_need = 0;  // since the last header: becomes what is wished for when the next one comes
  };

  void add_column(const EventType& type, Column column);
  bool is_on_terminal() const { return screen_.columns > 0; }
  bool is_page_full() const;
  bool choose();
  void turn_page();
  void render(const Event& event, const WallTime& wall);
  bool look_at(size_t index);
  void add_header(Buffer& out);
  void add_cell(Buffer& out, const Cell& cell, std::string_view text, bool last) const;

  std::vector<Cell> cells_;
  std::vector<ColumnWish> wishes_;  // one a cell
  size_t last_ = 0;                 // of the cells that are shown
  TimeText times_;
  bool has_times_;
  bool colour_;
  bool started_ = false;
  bool wants_header_ = true;
  int lines_on_page_ = 0;  // the header included
  Screen screen_;
  Buffer texts_{1024};
  LineTemplates notes_{false};
};

}  // namespace sockeye::text
