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
  TextSink(Output output, const SinkOptions& options) : output_(std::move(output)), colour_(options.colour) {
    // Several kinds of events in one stream have no columns in common: they go out as lines.
    if (options.format == "table" && options.types.size() == 1 && !options.types[0]->columns.empty()) {
      type_ = options.types[0];
      table_.emplace(*type_, output_.columns(), colour_);
    }
  }

  void write(std::span<const Record> records, const WallTime& wall) override {
    if (table_ && !header_shown_) {
      table_->add_header(buffer_);
      header_shown_ = true;
    }
    for (const Record& record : records) {
      if (table_ && record.type == type_) {
        table_->add_row(buffer_, record, wall);
      } else {
        lines_.of(*record.type).add(buffer_, record, wall);
        buffer_.add('\n');
      }
      if (buffer_.size() >= kFlushAt) flush();
    }
    flush();
  }

  Output& output() override { return output_; }

 private:
  void flush() {
    if (buffer_.size() > 0) output_.write(buffer_.view());
    buffer_.clear();
  }

  Output output_;
  Buffer buffer_;
  bool colour_;
  bool header_shown_ = false;
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
