// SPDX-License-Identifier: Apache-2.0
#include "pipeline/pipeline.h"

#include <sys/epoll.h>

#include <algorithm>
#include <limits>

#include "base/counter.h"

namespace sockeye {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// How often the source is read. Measured: waking up for each event costs more than anything else, and at 200,000
// events/s a read every 10 ms a tenth of what the events themselves do. Where nothing comes, less often; nobody waits
// 100 ms for a line. The first one is waited for at the start: it shows that it works.
constexpr int kFirstMs = 2;
constexpr int kBusyMs = 20;
constexpr int kIdleMs = 40;
constexpr auto kBusyAfterEvent = milliseconds(200);

int milliseconds_to_next_read(steady_clock::duration since_event, bool has_any) {
  if (since_event >= kBusyAfterEvent) return kIdleMs;
  return has_any ? kBusyMs : kFirstMs;
}
constexpr auto kHousekeeping = milliseconds(1000);
// After a signal, for what is still in the ring once the programs are detached: one of the largest size holds more.
constexpr auto kDrain = milliseconds(500);

}  // namespace

Pipeline::Pipeline(Source& source, Enricher& enricher, std::vector<Sink*> sinks, Signals& signals, const Clock& clock,
                   std::function<void(const std::string&)> complain)
    : Pipeline(source, &enricher, std::move(sinks), signals, clock, std::move(complain)) {}

Pipeline::Pipeline(Source& source, std::vector<Sink*> sinks, Signals& signals, const Clock& clock,
                   std::function<void(const std::string&)> complain)
    : Pipeline(source, nullptr, std::move(sinks), signals, clock, std::move(complain)) {}

Pipeline::Pipeline(Source& source, Enricher* enricher, std::vector<Sink*> sinks, Signals& signals, const Clock& clock,
                   std::function<void(const std::string&)> complain)
    : source_(source),
      enricher_(enricher),
      fan_out_(sinks),
      signals_(signals),
      clock_(clock),
      complain_(std::move(complain)),
      wall_(clock),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      gaps_(clock.boot_ns()),
      remaining_(std::numeric_limits<uint64_t>::max()) {
  epoll_event body = {};
  body.events = EPOLLIN;
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, signals_.fd(), &body);
  if (source_.wake_fd() >= 0) wake_by(source_.wake_fd());
}

// Edge-triggered: else it would be ready whenever anything is in the ring, and every event would wake us.
void Pipeline::wake_by(int fd) {
  epoll_event body = {};
  body.events = EPOLLIN | EPOLLET;
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &body);
}

RunTotals Pipeline::run(const PipelineOptions& options) {
  const auto start = steady_clock::now();
  auto last_event = start, last_housekeeping = start;
  if (options.count) remaining_ = *options.count;
  wanted_ = options.wanted;
  annotate_ = options.annotate;
  read_news_ = options.read_news;
  if (options.news_fd >= 0) wake_by(options.news_fd);
  fan_out_.each_output([](Output& output) { output.keep(); });
  fan_out_.write({}, wall_);  // headers
  while (remaining_ > 0 && !signals_.stop_requested() && !fan_out_.is_closed()) {
    const bool exact = steady_clock::now() - last_housekeeping >= kHousekeeping;
    if (exact) {
      last_housekeeping = steady_clock::now();
      wall_.recheck();
    }
    const bool more = read_batch();
    look_for_losses(exact);
    const auto now = steady_clock::now();
    if (!batch_.events().empty()) last_event = now;
    hand_on(more);
    if (enricher_ ? exact : source_.take_tick()) fan_out_.tick(wall_);
    handle_signals();
    if (options.duration && now - start >= *options.duration) break;
    if (source_.ended()) break;
    if (more) continue;
    int timeout_ms = milliseconds_to_next_read(now - last_event, taken_ > 0);
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
  epoll_event bodies[3];
  epoll_wait(epoll_.get(), bodies, 3, timeout_ms);
  handle_signals();
}

void Pipeline::handle_signals() {
  signals_.poll();
  if (signals_.take_reopen_request()) fan_out_.each_output([](Output& output) { output.reopen(); });
  report_complaints();
}

// True: there is more to be read.
bool Pipeline::read_batch() {
  gaps_.begin_reading();
  batch_.clear();
  if (read_news_) read_news_();
  const bool more = source_.next(batch_);
  if (!enricher_) wall_.recheck();  // a recording's clock changes between batches
  return more;
}

void Pipeline::hand_on(bool more) {
  if (!enricher_) return deliver_again();
  if (time_is_up()) return leave_out();
  enrich();
  if (annotate_) annotate_(batch_);
  deliver(more);
}

bool Pipeline::time_is_up() const { return drain_until_ && steady_clock::now() >= *drain_until_; }

// What is still in the ring once time is up.
void Pipeline::leave_out() {
  if (wanted_) enrich();
  const auto events = take(batch_.events());
  if (events.empty()) return;
  if (!has_left_out_)
    complain_("stopped before all of the ring was written: the rest is counted as lost (sink, write_failed)");
  has_left_out_ = true;
  fan_out_.leave_out(events);
}

// Events have an owner, or a socket, or neither. What is added up over time brings its context with it: who was known
// then may be forgotten by now. Also without events a batch has come: of answers there may be some, and new cgroups are
// looked up in between.
void Pipeline::enrich() {
  enricher_->begin_batch();
  if (batch_.events().empty()) return;
  for (Event& event : batch_.events()) {
    if (const socket_id* socket = socket_of(event); socket && socket->scope_id != 0)
      event.interface = enricher_->interface_of(*socket);
    if (const owner* who = owner_of(event); who && !event.context && who->cgroup_id != 0)
      event.context = enricher_->of(*who);
  }
  if (wanted_) {
    totals_.filtered += std::erase_if(batch_.events(), [this](const Event& event) { return !wanted_(event); });
  }
  horizon_ns_ = batch_.sort(horizon_ns_);
}

void Pipeline::look_for_losses(bool exact) { gaps_.look(source_.losses(exact), clock_.boot_ns()); }

// The batch, with the gaps between its events by their time. What comes after the last of them waits where more is to
// be read, or may have come since.
void Pipeline::deliver(bool more) {
  std::span<const Event> rest = batch_.events();
  while (const gap_event* gap = gaps_.first()) {
    const auto place = std::upper_bound(rest.begin(), rest.end(), gap->header.time_ns,
                                        [](uint64_t time, const Event& r) { return time < r.header->time_ns; });
    if (place == rest.end() && (more || !gaps_.first_is_settled())) break;
    const auto before = static_cast<size_t>(place - rest.begin());
    write(rest.first(before));
    rest = rest.subspan(before);
    fan_out_.tell({.header = &gap->header, .type = &kGapType}, wall_);
    horizon_ns_ = std::max<uint64_t>(horizon_ns_, gap->header.time_ns);
    gaps_.pop();
  }
  write(rest);
}

// Events of a recording, gap events among them, in the order in which they went out.
void Pipeline::deliver_again() {
  std::span<const Event> rest = batch_.events();
  while (!rest.empty()) {
    const auto gap = std::find_if(rest.begin(), rest.end(), [](const Event& r) { return r.type == &kGapType; });
    const auto before = static_cast<size_t>(gap - rest.begin());
    write(rest.first(before));
    rest = rest.subspan(before);
    if (rest.empty() || remaining_ == 0) break;
    const auto& body = *reinterpret_cast<const gap_event*>(rest.front().header);
    // A reason that only a newer version knows is a loss all the same: of what cannot be read here.
    const auto reason = body.reason < kLossReasons ? static_cast<LossReason>(body.reason) : LossReason::kMalformed;
    replayed_[reason] += body.lost;
    fan_out_.tell(rest.front(), wall_);
    rest = rest.subspan(1);
  }
}

// As many of them as --count still asks for.
std::span<const Event> Pipeline::take(std::span<const Event> events) {
  const uint64_t taken = std::min<uint64_t>(events.size(), remaining_);
  remaining_ -= taken;
  taken_ += taken;
  return events.first(taken);
}

void Pipeline::write(std::span<const Event> events) {
  events = take(events);
  if (events.empty()) return;
  fan_out_.write(events, wall_);
  totals_.late +=
      static_cast<uint64_t>(std::count_if(events.begin(), events.end(), [](const Event& event) { return event.late; }));
}

void Pipeline::report_complaints() {
  fan_out_.each_output([this](Output& output) {
    if (const std::string complaint = output.take_complaint(); !complaint.empty()) complain_(complaint);
  });
}

// The programs are detached first: then what is in the ring is all there is, and every counter is final but those of
// the reading itself.
void Pipeline::finish(const PipelineOptions& options) {
  source_.stop();
  if (signals_.stop_requested()) drain_until_ = steady_clock::now() + kDrain;
  look_for_losses(true);
  bool more = true;
  while (more && remaining_ > 0 && !fan_out_.all_are_closed()) {
    more = read_batch();
    hand_on(more);
  }
  fan_out_.tick(wall_);
  look_for_losses(true);
  gaps_.end_reading();
  batch_.clear();
  deliver(false);
  report_complaints();
  totals_.losses = gaps_.losses();
  for (size_t i = 0; i < kLossReasons; ++i) totals_.losses.count[i] += replayed_.count[i];
  const uint64_t not_written = fan_out_.not_written();
  totals_.losses[LossReason::kWriteFailed] += not_written;
  totals_.delivered = counted_between(not_written, taken_);
  totals_.table_full = source_.table_full();
  totals_.anomalies = source_.anomalies() + counter_anomalies();
  totals_.without_role = source_.without_role();
  const end_event end = {
      .header = {.kind = END_KIND, .size = sizeof end, .cpu = 0, .time_ns = clock_.boot_ns()},
      .delivered = totals_.delivered,
      .lost = totals_.losses.events(),
      .late = totals_.late,
      .incomplete = totals_.losses[LossReason::kEntryAlloc],
      .table_full = totals_.table_full,
      .anomalies = totals_.anomalies,
      .without_role = totals_.without_role,
      .skipped = totals_.losses[LossReason::kSkipped],
  };
  if (options.end_record) fan_out_.tell({.header = &end.header, .type = &kEndType}, wall_);
  fan_out_.close(end, totals_.losses, wall_);
  totals_.losses[LossReason::kWriteFailed] += counted_between(not_written, fan_out_.not_written());
  totals_.unwritten = fan_out_.not_written();
  totals_.delivered = counted_between(totals_.unwritten, taken_);
  fan_out_.each_output([this](Output& output) { totals_.unsettled += output.settle() ? 0 : 1; });
  report_complaints();
}

}  // namespace sockeye
