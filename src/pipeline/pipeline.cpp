// SPDX-License-Identifier: Apache-2.0
#include "pipeline/pipeline.h"

#include <sys/epoll.h>

#include <algorithm>
#include <limits>

namespace sockeye {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// How often the source is read. Measured: a read every 10 ms costs nothing that can be seen at 100,000 events/s, and
// waking up for each event more than anything else. Where nothing comes, less often; nobody waits 100 ms for a line.
constexpr int kBusyMs = 10;
constexpr int kIdleMs = 40;
constexpr auto kBusyAfterEvent = milliseconds(200);
constexpr auto kHousekeeping = milliseconds(1000);

}  // namespace

Pipeline::Pipeline(Source& source, Enricher& enricher, std::vector<Sink*> sinks, Signals& signals, const Clock& clock,
                   std::function<void(const std::string&)> complain)
    : source_(source),
      enricher_(enricher),
      sinks_(std::move(sinks)),
      signals_(signals),
      clock_(clock),
      complain_(std::move(complain)),
      wall_(clock),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      told_until_ns_(clock.boot_ns()),
      remaining_(std::numeric_limits<uint64_t>::max()) {
  epoll_event event = {};
  event.events = EPOLLIN;
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, signals_.fd(), &event);
  if (source_.wake_fd() >= 0) {
    // Edge-triggered: else it would be ready whenever anything is in the ring, and every event would wake us.
    event.events = EPOLLIN | EPOLLET;
    epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, source_.wake_fd(), &event);
  }
}

RunTotals Pipeline::run(const PipelineOptions& options) {
  const auto start = steady_clock::now();
  auto last_event = start, last_housekeeping = start;
  if (options.count) remaining_ = *options.count;
  wanted_ = options.wanted;
  deliver({});  // headers
  while (remaining_ > 0 && !signals_.stop_requested() && !is_closed()) {
    batch_.clear();
    const bool more = source_.next(batch_);
    const auto now = steady_clock::now();
    if (!batch_.records().empty()) {
      last_event = now;
      enrich();
      deliver(batch_.records());
    }
    report_losses(false);
    if (now - last_housekeeping >= kHousekeeping) {
      last_housekeeping = now;
      wall_.recheck();
      report_losses(true);
    }
    handle_signals();
    if (options.duration && now - start >= *options.duration) break;
    if (source_.ended()) break;
    if (more) continue;
    int timeout_ms = now - last_event < kBusyAfterEvent ? kBusyMs : kIdleMs;
    if (options.duration) {
      const auto left = std::chrono::ceil<milliseconds>(*options.duration - (now - start));
      timeout_ms = static_cast<int>(std::clamp<int64_t>(left.count(), 0, timeout_ms));
    }
    wait(timeout_ms);
  }
  finish(options);
  return totals_;
}

void Pipeline::wait(int timeout_ms) {
  epoll_event events[2];
  epoll_wait(epoll_.get(), events, 2, timeout_ms);
  handle_signals();
}

void Pipeline::handle_signals() {
  signals_.poll();
  if (signals_.take_reopen_request()) {
    for (Sink* sink : sinks_) sink->output().reopen();
  }
  report_complaints();
}

// Every event of one socket begins alike; other records have no owner to look up.
void Pipeline::enrich() {
  enricher_.begin_batch();
  for (Record& record : batch_.records()) {
    if (record.type->common.empty()) continue;
    const auto& event = *reinterpret_cast<const socket_event*>(record.bytes());
    if (event.owner.cgroup_id != 0) record.context = enricher_.of(event.owner);
  }
  if (wanted_) {
    totals_.filtered += std::erase_if(batch_.records(), [this](const Record& record) { return !wanted_(record); });
  }
  horizon_ns_ = batch_.sort(horizon_ns_);
}

void Pipeline::deliver(std::span<const Record> records) {
  records = records.first(std::min<uint64_t>(records.size(), remaining_));
  for (Sink* sink : sinks_) sink->write(records, wall_);
  remaining_ -= records.size();
  totals_.delivered += records.size();
  totals_.late += static_cast<uint64_t>(
      std::count_if(records.begin(), records.end(), [](const Record& record) { return record.late; }));
}

// A gap record for each reason that has counted since the last look.
void Pipeline::report_losses(bool exact) {
  Losses now = source_.losses(exact);
  now[LossReason::kWriteFailed] = lost_lines() - lost_gap_lines_;
  const uint64_t time_ns = clock_.boot_ns();
  for (size_t i = 0; i < kLossReasons; ++i) {
    const uint64_t lost = now.count[i] - std::min(told_.count[i], now.count[i]);
    if (lost == 0 || is_closed()) continue;
    const gap_event gap = {
        .header = {.kind = GAP_KIND, .size = sizeof gap, .cpu = 0, .time_ns = time_ns},
        .from_ns = told_until_ns_,
        .lost = lost,
        .stage = static_cast<uint8_t>(i),
        .reason = static_cast<uint8_t>(i),
        ._pad = {},
    };
    const Record record{.header = &gap.header, .type = &kGapType};
    const uint64_t lost_before = lost_lines();
    for (Sink* sink : sinks_) sink->write({&record, 1}, wall_);
    lost_gap_lines_ += lost_lines() - lost_before;  // else a full disk would tell of itself for ever
    told_.count[i] = now.count[i];
  }
  told_until_ns_ = time_ns;
  totals_.losses = now;
}

void Pipeline::report_complaints() {
  for (Sink* sink : sinks_) {
    if (const std::string complaint = sink->output().take_complaint(); !complaint.empty()) complain_(complaint);
  }
}

// The programs are detached first: then what is in the ring is all there is, and every counter is final.
void Pipeline::finish(const PipelineOptions& options) {
  source_.stop();
  bool more = true;
  while (more && remaining_ > 0 && !is_closed()) {
    batch_.clear();
    more = source_.next(batch_);
    enrich();
    deliver(batch_.records());
  }
  report_losses(true);
  report_complaints();
  totals_.table_full = source_.table_full();
  if (!options.end_record) return;
  const end_event end = {
      .header = {.kind = END_KIND, .size = sizeof end, .cpu = 0, .time_ns = clock_.boot_ns()},
      .delivered = totals_.delivered,
      .lost = totals_.losses.events(),
      .late = totals_.late,
      .incomplete = totals_.losses[LossReason::kRecordAlloc],
      .table_full = totals_.table_full,
  };
  const Record record{.header = &end.header, .type = &kEndType};
  for (Sink* sink : sinks_) sink->write({&record, 1}, wall_);
}

uint64_t Pipeline::lost_lines() const {
  uint64_t sum = 0;
  for (Sink* sink : sinks_) sum += sink->output().lost_lines();
  return sum;
}

bool Pipeline::is_closed() const {
  return std::any_of(sinks_.begin(), sinks_.end(), [](Sink* sink) { return sink->output().is_closed(); });
}

}  // namespace sockeye
