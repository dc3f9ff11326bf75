// SPDX-License-Identifier: Apache-2.0
#include "event/collector.h"

#include "event/loss.h"

namespace sockeye {

const Collector* find_collector(std::string_view name) {
  for (const Collector* collector : collectors()) {
    if (collector->event.name == name) return collector;
  }
  return nullptr;
}

const EventType* find_event_type(uint16_t kind) {
  for (const Collector* collector : collectors()) {
    if (collector->event.kind == kind) return &collector->event;
  }
  if (kind == kGapType.kind) return &kGapType;
  if (kind == kEndType.kind) return &kEndType;
  return nullptr;
}

}  // namespace sockeye
