// SPDX-License-Identifier: Apache-2.0
#include "aggregate/socket_counts.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/counter.h"
#include "bpf/grace_period.h"
#include "bpf/namespace_walk.h"

namespace sockeye {
namespace {

// A window in which something was lost does not seed; under any load that was tried the first one did.
constexpr int kSeedAttempts = 5;

size_t page_size() { return static_cast<size_t>(sysconf(_SC_PAGESIZE)); }

}  // namespace

void SocketCounts::Unmap::operator()(void* page) const { munmap(page, page_size()); }

Result<SocketCounts::Page> SocketCounts::map_page(const Object& object, const char* name) {
  void* page = mmap(nullptr, page_size(), PROT_READ | PROT_WRITE, MAP_SHARED, object.map_fd(name), 0);
  if (page == MAP_FAILED) {
    return Error{ErrorCode::kFailed, "the map " + std::string(name) + " cannot be mapped: " + errno_text(errno), ""};
  }
  return Page(page);
}

Result<std::unique_ptr<SocketCounts>> SocketCounts::open(Object& object, const Clock& clock, SocketGroups* groups) {
  std::unique_ptr<SocketCounts> counts(new SocketCounts(object, clock, groups));
  auto counters = map_page(object, "tcp_state_map");
  if (!counters) return counters.error();
  counts->counters_ = std::move(*counters);
  auto window = map_page(object, "counts_window");
  if (!window) return window.error();
  counts->window_ = std::move(*window);
  auto ring = RingSource::open(object);
  if (!ring) return ring.error();
  counts->ring_ = std::move(*ring);
  // Attached with the window open: no transition is seen that is not told, and no socket visited before they are seen.
  __atomic_store_n(&counts->window().is_open, 1, __ATOMIC_SEQ_CST);
  return counts;
}

// What cannot be visited is left out: better counters that miss a namespace than none.
Status SocketCounts::seed() {
  for (int attempt = 0; attempt < kSeedAttempts; ++attempt) {
    const auto reading = pass(true);
    if (!reading) return reading.error();
    if (reading->is_drift_known) break;
  }
  return Ok{};
}

Result<CountsReading> SocketCounts::read() {
  auto reading = pass(false);
  if (reading && groups_) reading->grouped = groups_->grouped();
  return reading;
}

Result<CountsReading> SocketCounts::pass(bool set_right_anyway) {
  CountsReading reading;
  seen_.clear();
  if (groups_) groups_->clear();
  __atomic_store_n(&window().is_open, 1, __ATOMIC_SEQ_CST);
  wait_for_running_programs();
  const Losses before = settled_losses();

  reading.iterated_time_ns = clock_.boot_ns();
  NamespaceWalk walk({}, holders_by(object_));
  while (walk.enter_next()) {
    const auto visited = visit_sockets();
    if (!visited) reading.why_not = visited.error().what;
    reading.namespaces += visited ? 1 : 0;
  }
  if (!walk.limitation().empty()) reading.why_not = walk.limitation();

  StateCounts at_opening;
  for (size_t state = 0; state < at_opening.size(); ++state) {
    at_opening[state] = static_cast<int64_t>(__atomic_load_n(&counters()[state], __ATOMIC_RELAXED));
  }
  __atomic_store_n(&window().is_open, 0, __ATOMIC_SEQ_CST);
  wait_for_running_programs();
  drain_ring();
  const Losses after = settled_losses();
  if (reading.namespaces == 0)
    return Error{ErrorCode::kNotPossible, "no socket can be visited: " + reading.why_not, ""};

  if (after.events() != before.events()) {
    reading.why_not =
        std::to_string(counted_between(before.events(), after.events())) + " transitions were lost meanwhile";
  }
  reading.is_drift_known = reading.why_not.empty();
  fold(at_opening, reading.is_drift_known || set_right_anyway, reading);
  return reading;
}

// Those of the namespace that the calling thread is in.
Status SocketCounts::visit_sockets() {
  const auto iterator = object_.open_iterator("visit_state");
  if (!iterator) return iterator.error();
  ssize_t n;
  while ((n = Object::read_iterator(*iterator, rows_)) > 0) {
    add_visits(std::span(rows_).first(static_cast<size_t>(n)));
  }
  const int error = errno;
  drain_ring();
  if (n < 0) return Error{ErrorCode::kFailed, "the sockets cannot all be visited: " + errno_text(error), ""};
  return Ok{};
}

void SocketCounts::add_visits(std::span<const std::byte> rows) {
  counts_group_visit row = {};
  const size_t size = groups_ ? sizeof row : sizeof row.visit;
  for (; rows.size() >= size; rows = rows.subspan(size)) {
    memcpy(&row, rows.data(), size);
    seen_.visited(row.visit);
    if (groups_) groups_->visited(row);
  }
}

void SocketCounts::drain_ring() {
  for (bool more = true; more;) {
    batch_.clear();
    more = ring_->next(batch_);
    for (const Event& event : batch_.events()) {
      if (event.header->kind == COUNTS_KIND) seen_.changed(*reinterpret_cast<const counts_event*>(event.bytes()));
    }
  }
}

// An event that was skipped counts as lost only at the second reading: at the first its twin may have been at it.
Losses SocketCounts::settled_losses() {
  ring_->losses(true);
  return ring_->losses(true);
}

// The window is closed and nothing that began in it is in flight.
void SocketCounts::fold(const StateCounts& at_opening, bool set_right, CountsReading& reading) {
  const StateCounts full = seen_.full_sockets();
  const StateCounts minis = seen_.minis();
  for (size_t state = 0; state < full.size(); ++state) {
    int64_t& drift = reading.drift[state];
    drift = at_opening[state] - minis_[state] - full[state];
    const auto moved = static_cast<int64_t>(__atomic_exchange_n(&window().moved[state], 0, __ATOMIC_RELAXED));
    const uint64_t change = static_cast<uint64_t>(moved + minis[state] - minis_[state]);
    reading.sockets[state] = static_cast<int64_t>(__atomic_add_fetch(&counters()[state], change, __ATOMIC_RELAXED));
    if (set_right) __atomic_fetch_sub(&counters()[state], static_cast<uint64_t>(drift), __ATOMIC_RELAXED);
  }
  minis_ = minis;
  reading.time_ns = clock_.boot_ns();
}

}  // namespace sockeye
