// SPDX-License-Identifier: Apache-2.0
// The errors that TCP leaves in a socket or returns from connect(), by their names of errno(3).
#pragma once

#include <span>

#include "event/field.h"

namespace sockeye {

extern const std::span<const EnumValue> kErrnoNames;  // the value is the number of <errno.h>

}  // namespace sockeye
