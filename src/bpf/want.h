// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

struct sockeye_bpf;

namespace sockeye {

// Sets want_<collector> in the read-only data of an object that is open and not yet loaded, and gives the collector its
// part of the socket entry; false: no such collector. Once for each.
bool want_collector(sockeye_bpf* object, std::string_view collector);

}  // namespace sockeye
