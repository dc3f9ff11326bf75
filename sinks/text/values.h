// SPDX-License-Identifier: Apache-2.0
// Values as people read them. A field is looked at once, when the sink is made; what is left for each event is a call
// of the right function.
#pragma once

#include "base/buffer.h"
#include "base/clock.h"
#include "event/event.h"

namespace sockeye::text {

using Writer = void (*)(Buffer& out, const Field& field, const Event& event, const WallTime& wall);

// For lines: addresses of IPv6 in brackets, untrusted text without spaces. `words`: enumerations in their words.
Writer line_writer(const Field& field, bool words);
// For columns of a table: durations as milliseconds. Times are TimeText's (times.h).
Writer cell_writer(const Field& field);

// What stands for a value that is not there.
inline constexpr char kUnknown = '?';
// And for one that there is none of: no container, no pod.
inline constexpr char kNone = '-';

}  // namespace sockeye::text
