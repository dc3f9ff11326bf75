// SPDX-License-Identifier: Apache-2.0
#include "source/replay_source.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/counter.h"
#include "event/loss.h"
#include "event/sink.h"
#include "source/fit_event.h"

namespace sockeye {
namespace {

using record::Entry;
using record::EntryType;
using record::Reader;

const EventType* known_type(const record::RecordedType& recorded) {
  if (recorded.name == kGapType.name) return &kGapType;
  const Collector* collector = find_collector(recorded.name);
  return collector ? &collector->event : nullptr;
}

}  // namespace

ReplaySource::ReplaySource(std::unique_ptr<record::Input> input, const ReplayOptions& options)
    : reader_(std::move(input)), options_(options) {}

Result<std::unique_ptr<ReplaySource>> ReplaySource::open(std::unique_ptr<record::Input> input,
                                                         const ReplayOptions& options) {
  std::unique_ptr<ReplaySource> source(new ReplaySource(std::move(input), options));
  SOCKEYE_TRY(source->begin());
  return source;
}

Status ReplaySource::begin() {
  Reader::Step step;
  while ((step = reader_.next_block()) == Reader::Step::kNothingYet) reader_.input().wait();
  if (step == Reader::Step::kDamaged) {
    const record::Damage& damage = *reader_.damage();
    const std::string where = damage.position == 0 ? "" : "damaged at byte " + std::to_string(damage.position) + ": ";
    return Error{ErrorCode::kFailed, where + damage.why, ""};
  }
  in_block_ = true;
  const uint64_t start = run().boot_ns;
  clock_.advance(start);
  if (options_.duration) {
    const auto duration = static_cast<uint64_t>(options_.duration->count());
    if (start <= UINT64_MAX - duration) until_ns_ = start + duration;
  }
  // The clock point that the block begins with holds for what is told before the first event.
  Entry entry;
  if (reader_.next_entry(entry)) put_back_ = entry;
  if (put_back_ && entry.type == EntryType::kClock) clock_.set(start, clock_point_of(entry).offset_ns);
  return choose_kinds();
}

Status ReplaySource::choose_kinds() {
  std::string held;
  for (const record::RecordedType& recorded : run().types) {
    const Collector* collector = find_collector(recorded.name);
    const EventType* type = known_type(recorded);
    const auto& wanted = options_.collectors;
    const bool is_wanted =
        type && (!collector || wanted.empty() || std::count(wanted.begin(), wanted.end(), collector) > 0);
    if (!type) unknown_collectors_.push_back(recorded.name);
    if (type && !is_wanted) is_narrowed_ = true;
    if (collector && is_wanted) collectors_.push_back(collector);
    if (type != &kGapType) held += (held.empty() ? "" : ", ") + recorded.name;
    add_kind(recorded, type, is_wanted);
  }
  for (const Collector* collector : options_.collectors) {
    if (std::count(collectors_.begin(), collectors_.end(), collector) > 0) continue;
    return Error{ErrorCode::kUsage, "there are no events of " + std::string(collector->event.name) + " in it",
                 "it holds those of " + (held.empty() ? "nothing" : held)};
  }
  if (collectors_.empty()) {
    return Error{ErrorCode::kFailed, "it holds events of " + (held.empty() ? "nothing" : held) + " only",
                 "a newer sockeye may know them: it was made by " + std::string(run().fact(kVersionFact))};
  }
  const filter_rules none{};
  is_narrowed_ |= memcmp(&options_.filters, &none, sizeof none) != 0 || options_.containers.is_active() ||
                  !unknown_collectors_.empty();
  return Ok{};
}

void ReplaySource::add_kind(const record::RecordedType& recorded, const EventType* type, bool is_wanted) {
  const Field* outcome = type ? find_field(*type, "outcome") : nullptr;
  uint8_t table_full = 0;
  if (outcome) {
    const auto value = std::find_if(outcome->values.begin(), outcome->values.end(),
                                    [](const EnumValue& known) { return known.name == "table_full"; });
    if (value == outcome->values.end()) {
      outcome = nullptr;
    } else {
      table_full = value->value;
    }
  }
  kinds_.push_back({recorded.kind, recorded.size, type, is_wanted,
                    ReplayFilter(type ? *type : kGapType, options_.filters, options_.interfaces), outcome, table_full});
}

bool ReplaySource::next(Batch& batch) {
  while (!is_over_) {
    bool nothing_yet = false;
    if (!in_block_ && !read_block(nothing_yet)) {
      is_over_ = !nothing_yet;
      return false;
    }
    // The contexts of a block are gone with the next one.
    if (hand_out(batch) || !batch.events().empty()) return !is_over_;
  }
  return false;
}

bool ReplaySource::read_block(bool& nothing_yet) {
  switch (reader_.next_block()) {
    case Reader::Step::kBlock: in_block_ = true; return true;
    case Reader::Step::kNothingYet: nothing_yet = true; return false;
    case Reader::Step::kDamaged: damage_ = reader_.damage(); return false;
    case Reader::Step::kEnd: break;
  }
  if (!end_) {
    damage_ = record::Damage{reader_.position(), reader_.blocks(),
                             "the end of the run is missing: it was cut off, or is still being written"};
  }
  return false;
}

// True: this is a batch, and there may be more in the block.
bool ReplaySource::hand_out(Batch& batch) {
  Entry entry;
  while (true) {
    if (put_back_) {
      entry = *put_back_;
      put_back_.reset();
    } else if (!reader_.next_entry(entry)) {
      in_block_ = false;
      return false;
    }
    if (take_entry(entry, batch)) return true;
  }
}

// True: the batch ends here.
bool ReplaySource::take_entry(const Entry& entry, Batch& batch) {
  switch (entry.type) {
    case EntryType::kEvent: return take_event(entry, batch);
    case EntryType::kClock: {
      const record::ClockPoint point = clock_point_of(entry);
      if (point.offset_ns != clock_.offset_ns() && !batch.events().empty()) {
        put_back_ = entry;  // what is in the batch has the times of before
        return true;
      }
      clock_.set(std::max(clock_.boot_ns(), point.boot_ns), point.offset_ns);
      return false;
    }
    case EntryType::kTick:
      if (is_after_its_time(tick_of(entry))) return true;
      clock_.advance(tick_of(entry));
      tick_ = true;
      return true;
    case EntryType::kEnd:
      if (is_after_its_time(end_of(entry).boot_ns)) return true;
      end_ = end_of(entry);
      clock_.set(end_->boot_ns, clock_.offset_ns());
      return false;
    default: return false;
  }
}

bool ReplaySource::take_event(const Entry& entry, Batch& batch) {
  if (!batch.has_room_for(kLongestEvent)) {
    put_back_ = entry;
    return true;
  }
  event_header header;
  memcpy(&header, entry.payload.data(), sizeof header);
  if (is_after_its_time(header.time_ns)) return true;
  ++events_;
  clock_.advance(header.time_ns);
  const Kind* kind = kind_of(header.kind);
  if (!kind || !kind->type) {
    ++unknown_;
    return false;
  }
  if (!kind->is_wanted) return false;
  alignas(8) std::byte bytes[kLongestEvent];
  header.kind = kind->type->kind;
  header.size = static_cast<__u16>(fit_event(entry.payload, kind->size, *kind->type, bytes));
  memcpy(bytes, &header, sizeof header);
  Event event{.header = reinterpret_cast<const event_header*>(bytes), .type = kind->type};
  event.context = reader_.context(entry.value);
  if (const socket_id* socket = socket_of(event); socket && socket->scope_id != 0)
    event.interface = reader_.interface(socket->netns, socket->scope_id);
  if (!kind->filter.passes(event)) return false;
  if (kind->type == &kGapType) {
    const auto& gap = *reinterpret_cast<const gap_event*>(bytes);
    if (gap.reason < kLossReasons) told_.count[gap.reason] += gap.lost;
  } else if (!options_.containers.passes(event.context)) {
    return false;
  }
  if (kind->outcome && bytes[kind->outcome->offset] == std::byte{kind->table_full}) ++table_full_;
  batch.add(event.header, header.size, kind->type);
  batch.events().back().context = event.context;
  batch.events().back().interface = event.interface;
  batch.events().back().late = (entry.flags & record::kLateFlag) != 0;
  return false;
}

// --duration: what comes after it is none of this replay's.
bool ReplaySource::is_after_its_time(uint64_t boot_ns) {
  if (boot_ns <= until_ns_) return false;
  clock_.advance(until_ns_);
  is_over_ = true;
  return true;
}

const ReplaySource::Kind* ReplaySource::kind_of(uint16_t recorded) {
  if (!last_kind_ || last_kind_->recorded != recorded) {
    const auto found =
        std::find_if(kinds_.begin(), kinds_.end(), [recorded](const Kind& kind) { return kind.recorded == recorded; });
    last_kind_ = found == kinds_.end() ? nullptr : &*found;
  }
  return last_kind_;
}

bool ReplaySource::take_tick() { return std::exchange(tick_, false); }

// Losses of which the gap event is not in the recording either: they are told at its end, and were at any time of it.
Losses ReplaySource::losses(bool) {
  Losses missing;
  for (size_t i = 0; end_ && i < kLossReasons; ++i) {
    missing.count[i] = counted_between(std::min(end_->losses.count[i], told_.count[i]), end_->losses.count[i]);
    missing.from_ns[i] = run().boot_ns;
    missing.to_ns[i] = end_->boot_ns;
  }
  return missing;
}

// The kernel counts what passes the filters of a run.
uint64_t ReplaySource::table_full() const { return end_ && !is_narrowed_ ? end_->table_full : table_full_; }

}  // namespace sockeye
