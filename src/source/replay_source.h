// SPDX-License-Identifier: Apache-2.0
// Events of a recording, as they went out once: in the same order, with their context, their gaps, and their clock.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "bpf/filter_rules.h"
#include "event/collector.h"
#include "event/container_filter.h"
#include "record/reader.h"
#include "source/replay_filter.h"
#include "source/source.h"

namespace sockeye {

// The clock of a recording: stands at the last thing that was read.
class RecordedClock : public Clock {
 public:
  uint64_t boot_ns() const override { return boot_ns_; }
  int64_t wall_ns() const override { return static_cast<int64_t>(boot_ns_ + static_cast<uint64_t>(offset_ns_)); }
  int64_t offset_ns() const override { return offset_ns_; }

  void set(uint64_t boot_ns, int64_t offset_ns) {
    boot_ns_ = boot_ns;
    offset_ns_ = offset_ns;
  }
  void advance(uint64_t boot_ns) {
    if (boot_ns > boot_ns_) boot_ns_ = boot_ns;
  }

 private:
  uint64_t boot_ns_ = 0;
  int64_t offset_ns_ = 0;
};

struct ReplayOptions {
  std::vector<const Collector*> collectors;  // that are wanted; empty: all that the recording holds
  filter_rules filters = {};
  ContainerFilter containers = {};
  std::vector<std::string> interfaces = {};          // that the filters number in place of namespaces, from 1
  std::optional<std::chrono::nanoseconds> duration;  // of recorded time
};

class ReplaySource : public Source {
 public:
  // Reads the beginning, and waits for it. kUsage: the recording holds no events of a collector that is wanted.
  static Result<std::unique_ptr<ReplaySource>> open(std::unique_ptr<record::Input> input, const ReplayOptions& options);

  const record::Run& run() const { return reader_.run(); }
  const Clock& clock() const { return clock_; }
  // Of the recording those that are wanted, in its order.
  const std::vector<const Collector*>& collectors() const { return collectors_; }

  int wake_fd() const override { return reader_.input().wake_fd(); }
  bool next(Batch& batch) override;
  bool ended() const override { return is_over_; }
  bool take_tick() override;
  Losses losses(bool exact) override;
  uint64_t table_full() const override;
  uint64_t anomalies() const override { return end_ ? end_->anomalies : 0; }
  uint64_t without_role() const override { return end_ ? end_->without_role : 0; }
  void stop() override { is_over_ = true; }

  // Why it went no further: damage, or an end that nobody told; empty: it was whole, or nobody wanted the rest.
  const std::optional<record::Damage>& damage() const { return damage_; }
  uint64_t events() const { return events_; }                            // read, whether or not they were wanted
  uint64_t unknown() const { return unknown_ + reader_.passed_over(); }  // that this version has no words for
  // Collectors of the recording that this version does not know.
  const std::vector<std::string>& unknown_collectors() const { return unknown_collectors_; }

 private:
  // What becomes of a kind of events.
  struct Kind {
    uint16_t recorded;      // its number in the recording
    uint16_t size;          // of its struct there: what follows is of its lists
    const EventType* type;  // null: not known
    bool is_wanted;
    ReplayFilter filter;
    const Field* outcome;  // which tells that a TIME_WAIT table was full; null: none
    uint8_t table_full;    // by this value
  };

  ReplaySource(std::unique_ptr<record::Input> input, const ReplayOptions& options);

  Status begin();
  Status choose_kinds();
  void add_kind(const record::RecordedType& recorded, const EventType* type, bool is_wanted);
  bool read_block(bool& nothing_yet);
  bool hand_out(Batch& batch);
  bool take_entry(const record::Entry& entry, Batch& batch);
  bool take_event(const record::Entry& entry, Batch& batch);
  bool is_after_its_time(uint64_t boot_ns);
  const Kind* kind_of(uint16_t recorded);

  record::Reader reader_;
  ReplayOptions options_;
  RecordedClock clock_;
  std::vector<const Collector*> collectors_;
  std::vector<std::string> unknown_collectors_;
  std::vector<Kind> kinds_;
  const Kind* last_kind_ = nullptr;  // most events are of the kind of the one before
  bool in_block_ = false;
  std::optional<record::Entry> put_back_;  // for the next batch
  bool tick_ = false;
  bool is_over_ = false;
  uint64_t until_ns_ = UINT64_MAX;
  std::optional<record::EndOfRun> end_;
  std::optional<record::Damage> damage_;
  bool is_narrowed_ = false;  // not all that the recording holds is wanted
  Losses told_;               // by gap events of the recording
  uint64_t table_full_ = 0;
  uint64_t events_ = 0;
  uint64_t unknown_ = 0;
};

}  // namespace sockeye
