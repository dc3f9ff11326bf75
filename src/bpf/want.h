// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

struct sockeye_bpf;

namespace sockeye {

// Sets want_<collector> in the read-only data of an object that is open and not yet loaded; false: no such collector.
bool want_collector(sockeye_bpf* object, std::string_view collector);

// Puts what the collector remembers of a socket behind what its entry has already, where it is not there yet.
void place_part(sockeye_bpf* object, std::string_view collector);

}  // namespace sockeye
