// SPDX-License-Identifier: Apache-2.0
// The sink for later: format `recording`, records with all that any other format needs of them (src/record/format.h).
#include "event/sink.h"
#include "record/writer.h"

namespace sockeye {
namespace {

constexpr std::string_view kFormats[] = {"recording"};

// A block goes out when it is full, and each second: whoever is killed loses no more than that. Where it cannot be
// written all of it is lost, and counted.
class RecordSink : public Sink {
 public:
  RecordSink(Output output, const SinkOptions& options)
      : output_(std::move(output)), writer_(options.facts, recorded_types(options)) {}

  void write(std::span<const Record> records, const WallTime& wall) override {
    if (is_begun_ && records.empty()) return;
    set_clock(wall);
    writer_.begin_batch();
    for (const Record& record : records) {
      if (record.type == &kEndType || writer_.add(record)) continue;  // the end comes with close()
      flush();
      writer_.add(record);
    }
    if (!is_begun_) flush();  // so that the file is a recording from its first moment on
    is_begun_ = true;
  }

  void tick(const WallTime& wall) override {
    set_clock(wall);
    writer_.add_tick(wall.boot_ns());
    flush();
  }

  void close(const end_event& end, const Losses& losses, const WallTime& wall) override {
    set_clock(wall);
    writer_.add_end(end, losses);
    flush();
  }

  bool holds_back() const override { return true; }
  Output& output() override { return output_; }

 private:
  static std::vector<const EventType*> recorded_types(const SinkOptions& options) {
    std::vector<const EventType*> types = options.types;
    types.push_back(&kGapType);
    return types;
  }

  void set_clock(const WallTime& wall) {
    if (writer_.is_full()) flush();
    writer_.set_clock(wall.boot_ns(), wall.offset_ns());
  }

  void flush() {
    if (writer_.is_empty()) return;
    const uint64_t events = writer_.events();
    const std::string_view block = writer_.seal();
    writer_.sealed_block_was(output_.write_whole(block, events));
  }

  Output output_;
  record::Writer writer_;
  bool is_begun_ = false;
};

std::unique_ptr<Sink> make(Output output, const SinkOptions& options) {
  return std::make_unique<RecordSink>(std::move(output), options);
}

}  // namespace

extern const SinkKind sink_record;
const SinkKind sink_record = {.formats = kFormats, .make = make};

}  // namespace sockeye
