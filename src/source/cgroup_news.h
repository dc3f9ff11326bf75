// SPDX-License-Identifier: Apache-2.0
// The cgroups that are made while a run goes on, as the hook cgroup_made tells of them.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "bpf/filter_rules.h"
#include "bpf/object.h"

struct ring_buffer;

namespace sockeye {

class CgroupNews {
 public:
  // Of a loaded object, which it does not own. Where the run has no such hook there is no news: wake_fd() is -1.
  explicit CgroupNews(const Object& object);

  // Becomes readable (edge-triggered) with each cgroup.
  int wake_fd() const { return fd_; }
  // Calls `heard` for each since it was last asked, for at most kMost of them: whoever may make cgroups does not decide
  // how long events wait. A cgroup's key: no process is in it yet.
  void read(const std::function<void(const container_key& key)>& heard);

 private:
  static constexpr size_t kMost = 64;

  static int on_sample(void* self, void* data, size_t size);

  struct RingDeleter {
    void operator()(ring_buffer* p) const;
  };

  int fd_ = -1;
  std::unique_ptr<ring_buffer, RingDeleter> ring_;
  size_t heard_of_ = 0;  // in this read()
  const std::function<void(const container_key& key)>* heard_ = nullptr;
};

}  // namespace sockeye
