// SPDX-License-Identifier: Apache-2.0
// The fields that every event of one socket has (struct socket_event), described once for all collectors.
#pragma once

#include <span>

#include "event/field.h"

namespace sockeye {

extern const std::span<const Field> kSocketFields;

// The TCP states, by their kernel names.
extern const std::span<const EnumValue> kTcpStates;

}  // namespace sockeye
