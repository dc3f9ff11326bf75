// SPDX-License-Identifier: Apache-2.0
// An event of a recording, as this version's struct of its kind has it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "event/event.h"

namespace sockeye {

// `recorded_struct`: bytes of the struct in the version that recorded it. An older one's is shorter: what it did not
// know yet is zero. A newer one's is longer, and read as far as known. Lists lie behind it, and go with the end of the
// struct. Returns the size of what is in `room` then, which begins at a multiple of 8; its header is left to the
// caller.
size_t fit_event(std::span<const std::byte> recorded, size_t recorded_struct, const EventType& type,
                 std::span<std::byte, kLongestEvent> room);

}  // namespace sockeye
