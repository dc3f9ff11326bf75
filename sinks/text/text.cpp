// SPDX-License-Identifier: Apache-2.0
// The sink for people and for grep: formats `table` and `line`.
#include <optional>

#include "event/sink.h"
#include "sinks/text/line.h"
#include "sinks/text/table.h"

namespace sockeye {
namespace {

constexpr std::string_view kFormats[] = {"table", "line"};
constexpr size_t kFlushAt = 64 * 1024;

class TextSink : public Sink {
 public:
  TextSink(Output output, const SinkOptions& options)
      : output_(std::move(output)),
        screen_(options.screen),
        has_terminal_(!screen_ && output_.is_terminal()),
        lines_(true, options.view) {
    // Several kinds of events in one stream have no columns in common: they go out as lines.
    const bool is_one_kind = options.format == "table" && options.types.size() == 1;
    if (is_one_kind && !columns_in_view(*options.types[0], options.view).empty()) {
      type_ = options.types[0];
      table_.emplace(*type_, text::TableLook{options.colour, options.times, options.view});
    }
  }

  void write(std::span<const Record> records, const WallTime& wall) override {
    // Asked for with each batch, a terminal's size needs no signal.
    if (table_) table_->begin(buffer_, has_terminal_ ? output_.screen() : screen_.value_or(Screen{}));
    for (const Record& record : records) {
      add(record, wall);
      if (buffer_.size() >= kFlushAt) flush();
    }
    flush();
  }

  Output& output() override { return output_; }

 private:
  void add(const Record& record, const WallTime& wall) {
    if (table_ && record.type == type_) return table_->add_row(buffer_, record, wall);
    if (table_) return table_->add_note(buffer_, record, wall);
    lines_.of(*record.type).add(buffer_, record, wall);
    buffer_.add('\n');
  }

  void flush() {
    if (buffer_.size() > 0) output_.write(buffer_.view());
    buffer_.clear();
  }

  Output output_;
  Buffer buffer_;
  std::optional<Screen> screen_;  // it was said
  bool has_terminal_;
  const EventType* type_ = nullptr;
  std::optional<text::Table> table_;
  text::LineTemplates lines_;
};

std::unique_ptr<Sink> make(Output output, const SinkOptions& options) {
  return std::make_unique<TextSink>(std::move(output), options);
}

}  // namespace

extern const SinkKind sink_text;
const SinkKind sink_text = {.formats = kFormats, .make = make};

}  // namespace sockeye
