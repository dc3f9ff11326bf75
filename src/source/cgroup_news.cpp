// SPDX-License-Identifier: Apache-2.0
#include "source/cgroup_news.h"

#include <bpf/libbpf.h>

#include <cerrno>
#include <cstring>

namespace sockeye {

CgroupNews::CgroupNews(const Object& object) {
  const int map = object.has("cgroup_made") ? object.map_fd("cgroup_made_ring") : -1;
  if (map < 0) return;
  ring_.reset(ring_buffer__new(map, on_sample, this, nullptr));
  if (ring_) fd_ = map;
}

void CgroupNews::RingDeleter::operator()(ring_buffer* p) const { ring_buffer__free(p); }

void CgroupNews::read(const std::function<void(const container_key& key)>& heard) {
  if (!ring_) return;
  heard_ = &heard;
  heard_of_ = 0;
  ring_buffer__consume(ring_.get());
  heard_ = nullptr;
}

// A negative result ends the reading after this sample.
int CgroupNews::on_sample(void* self, void* data, size_t size) {
  CgroupNews& news = *static_cast<CgroupNews*>(self);
  container_key key;
  if (size < sizeof key) return 0;
  memcpy(&key, data, sizeof key);
  (*news.heard_)(key);
  return ++news.heard_of_ < kMost ? 0 : -ENOBUFS;
}

}  // namespace sockeye
