// SPDX-License-Identifier: Apache-2.0
#include "event/shown_address.h"

#include "base/text.h"

namespace sockeye {
namespace {

bool is_link_local(const uint8_t* address) { return address[0] == 0xfe && (address[1] & 0xc0) == 0x80; }

}  // namespace

void add_shown_address(Buffer& out, const Field& field, const Event& event, AddName add_name) {
  const uint8_t* address = event.bytes() + field.offset;
  add_address(out, address);
  if (field.scope == 0 || !is_link_local(address)) return;
  const auto scope = integer_at<uint32_t>(event.bytes() + field.scope);
  if (scope == 0) return;
  out.add('%');
  if (event.interface)
    add_name(out, event.interface->name);
  else
    out.add_number(scope);
}

}  // namespace sockeye
