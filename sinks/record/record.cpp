// SPDX-License-Identifier: Apache-2.0
// The sink for later: format `recording`, events with all that any other format needs of them (src/record/format.h).
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

  void write(std::span<const Event> events, const WallTime& wall) override {
    if (is_begun_ && events.empty()) return;
    set_clock(wall);
    writer_.begin_batch();
    for (const Event& event : events) {
      if (event.type == &kEndType) continue;  // the end comes with close()
      if (!writer_.add(event)) {
        flush();
        writer_.add(event);
      }
      told_ += unwritten_told_by(event);
    }
    if (!is_begun_) flush();  // so that the file is a recording from the beginning on
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
  Unwritten take_unwritten() override { return std::exchange(unwritten_, {}); }
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
    const bool is_written = output_.write_whole(block, events);
    writer_.sealed_block_was(is_written);
    if (!is_written) {
      unwritten_.add(handed_over_, handed_over_ + events);
      unwritten_.told += told_;
    }
    handed_over_ += events;
    told_ = 0;
  }

  Output output_;
  record::Writer writer_;
  bool is_begun_ = false;
  uint64_t handed_over_ = 0;  // events before those of the block
  uint64_t told_ = 0;         // by gap events of the block
  Unwritten unwritten_;
};

std::unique_ptr<Sink> make(Output output, const SinkOptions& options) {
  return std::make_unique<RecordSink>(std::move(output), options);
}

}  // namespace

extern const SinkKind sink_record;
const SinkKind sink_record = {.formats = kFormats, .make = make};

}  // namespace sockeye
