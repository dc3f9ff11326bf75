// SPDX-License-Identifier: Apache-2.0
// The fields of the sections that events have in common, described once for all collectors.
#pragma once

#include <cstddef>
#include <span>

#include "event/field.h"
#include "event/wire.h"

namespace sockeye {

// Of events that begin with struct socket_event.
inline constexpr Sections kSocketSections = {.socket = offsetof(socket_event, socket),
                                             .owner = offsetof(socket_event, owner),
                                             .task = offsetof(socket_event, context)};
extern const std::span<const Field> kSocketFields;

// Of events that begin with struct owner_event.
inline constexpr Sections kOwnerSections = {.owner = offsetof(owner_event, owner),
                                            .task = offsetof(owner_event, context)};
extern const std::span<const Field> kOwnerFields;

// Those of struct socket_event where an event need not be of one socket, nor have an owner: what is zero then is not
// there. They are not those that docs/output.md describes for all.
extern const std::span<const Field> kSocketFieldsIfAny;

// The TCP states, by their kernel names.
extern const std::span<const EnumValue> kTcpStates;

// Where a socket's owner runs, in any table: by its name, else the beginning of its id.
constexpr Column container_column(uint8_t priority, uint8_t width = 12) {
  return {.field = "container",
          .header = "CONTAINER",
          .width = width,
          .min_width = 12,
          .priority = priority,
          .cut_end = true,
          .prefer = "container_name"};
}

constexpr Column pod_column(uint8_t priority) {
  return {.field = "pod_uid",
          .header = "POD",
          .width = 36,
          .min_width = 12,
          .priority = priority,
          .cut_end = true,
          .prefer = "pod"};
}

}  // namespace sockeye
