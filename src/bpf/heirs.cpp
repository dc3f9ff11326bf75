// SPDX-License-Identifier: Apache-2.0
#include "bpf/heirs.h"

#include <algorithm>

namespace sockeye {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Where processes that listen come and go all the time, visits take a fiftieth of one CPU at most.
constexpr milliseconds kLeastPause(250);
constexpr int kPauseForVisit = 50;

}  // namespace

Heirs::Heirs(Object& object) : object_(object), wanted_(object.counters().heirs_wanted) {
  if (object.has("visit_file") && object.has("process_exits")) thread_ = std::thread([this] { visit_when_asked(); });
}

Heirs::~Heirs() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Heirs::look() {
  const uint64_t wanted = __atomic_load_n(&object_.counters().heirs_wanted, __ATOMIC_RELAXED);
  if (wanted == wanted_) return;
  wanted_ = wanted;
  {
    const std::lock_guard lock(mutex_);
    is_asked_ = true;
  }
  changed_.notify_one();
}

// A visit that fails is asked for again by the next owner that ends.
void Heirs::visit_when_asked() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return is_asked_ || is_over_; });
    if (is_over_) return;
    is_asked_ = false;
    lock.unlock();
    const auto start = steady_clock::now();
    (void)object_.run_iterator("visit_file");
    const auto pause = std::max<steady_clock::duration>(kLeastPause, (steady_clock::now() - start) * kPauseForVisit);
    lock.lock();
    if (changed_.wait_for(lock, pause, [this] { return is_over_; })) return;
  }
}

}  // namespace sockeye
