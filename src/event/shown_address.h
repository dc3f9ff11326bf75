// SPDX-License-Identifier: Apache-2.0
// Addresses as every format shows them: link-local ones with their interface, as RFC 4007 writes it (fe80::1%eth0).
#pragma once

#include <string_view>

#include "base/buffer.h"
#include "event/event.h"

namespace sockeye {

// How a format writes what somebody else chose.
using AddName = void (*)(Buffer& out, std::string_view untrusted);

// Of a kAddress field. By its index where the interface's name is not known: fe80::1%3.
void add_shown_address(Buffer& out, const Field& field, const Event& event, AddName add_name);

}  // namespace sockeye
