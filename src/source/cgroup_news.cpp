// SPDX-License-Identifier: Apache-2.0
#include "source/cgroup_news.h"

#include <bpf/libbpf.h>

#include <cstring>

namespace sockeye {

CgroupNews::CgroupNews(const Object& object) {
  const int map = object.has("cgroup_made") ? object.map_fd("cgroup_made_ring") : -1;
  if (map < 0) return;
  ring_ = ring_buffer__new(map, on_sample, this, nullptr);
  if (ring_) fd_ = map;
}

CgroupNews::~CgroupNews() { ring_buffer__free(ring_); }

void CgroupNews::read(const std::function<void(const container_key& key)>& heard) {
  if (!ring_) return;
  heard_ = &heard;
  ring_buffer__consume(ring_);
  heard_ = nullptr;
}

int CgroupNews::on_sample(void* self, void* data, size_t size) {
  container_key key;
  if (size < sizeof key) return 0;
  memcpy(&key, data, sizeof key);
  (*static_cast<CgroupNews*>(self)->heard_)(key);
  return 0;
}

}  // namespace sockeye
