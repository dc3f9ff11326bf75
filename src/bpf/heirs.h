// SPDX-License-Identifier: Apache-2.0
// Who holds the sockets whose owner has ended? The kernel side says that it wants to know
// (kernel_counters.heirs_wanted); open files are then visited once more, as at the start, by a thread of their own:
// that takes some milliseconds.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "bpf/object.h"

namespace sockeye {

class Heirs {
 public:
  // The object is not owned, and outlives it.
  explicit Heirs(Object& object);
  ~Heirs();
  Heirs(const Heirs&) = delete;
  Heirs& operator=(const Heirs&) = delete;

  // Has files visited where that is wanted. Returns at once.
  void look();

 private:
  void visit_when_asked();

  Object& object_;
  uint64_t wanted_ = 0;  // counters().heirs_wanted when it was last looked at
  bool is_asked_ = false;
  bool is_over_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::thread thread_;  // last: it uses all others
};

}  // namespace sockeye
