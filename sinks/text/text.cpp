// SPDX-License-Identifier: Apache-2.0
// The sink for people and for grep: formats `table` and `line`.
#include <optional>

#include "event/line_buffer.h"
#include "event/sink.h"
#include "sinks/text/line.h"
#include "sinks/text/table.h"

namespace sockeye {
namespace {

constexpr std::string_view kFormats[] = {"table", "line"};

class TextSink : public Sink {
 public:
  TextSink(Output output, const SinkOptions& options)
      : lines_(std::move(output)),
        screen_(options.screen),
        has_terminal_(!screen_ && lines_.output().is_terminal()),
        templates_(true, options.view) {
    // Several kinds of events in one stream have no columns in common: they go out as lines.
    const bool is_one_kind = options.format == "table" && options.types.size() == 1;
    if (is_one_kind && !columns_in_view(*options.types[0], options.view).empty()) {
      type_ = options.types[0];
      table_.emplace(*type_, text::TableLook{options.colour, options.times, options.view});
    }
  }

  void write(std::span<const Event> events, const WallTime& wall) override {
    // Asked for with each batch, a terminal's size needs no signal.
    if (table_) table_->begin(lines_.text(), has_terminal_ ? output().screen() : screen_.value_or(Screen{}));
    for (const Event& event : events) {
      add(event, wall);
      lines_.end_of(event);
    }
    lines_.flush();
  }

  Unwritten take_unwritten() override { return lines_.take_unwritten(); }
  Output& output() override { return lines_.output(); }

 private:
  void add(const Event& event, const WallTime& wall) {
    if (table_ && event.type == type_) return table_->add_row(lines_.text(), event, wall);
    if (table_) return table_->add_note(lines_.text(), event, wall);
    templates_.of(*event.type).add(lines_.text(), event, wall);
    lines_.text().add('\n');
  }

  LineBuffer lines_;
  std::optional<Screen> screen_;  // it was said
  bool has_terminal_;
  const EventType* type_ = nullptr;
  std::optional<text::Table> table_;
  text::LineTemplates templates_;
};

std::unique_ptr<Sink> make(Output output, const SinkOptions& options) {
  return std::make_unique<TextSink>(std::move(output), options);
}

}  // namespace

extern const SinkKind sink_text;
const SinkKind sink_text = {.formats = kFormats, .make = make};

}  // namespace sockeye
