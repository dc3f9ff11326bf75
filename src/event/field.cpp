// SPDX-License-Identifier: Apache-2.0
#include "event/field.h"

namespace sockeye {

const Field* find_field(const EventType& type, std::string_view name) {
  for (const auto fields : {type.own, type.common}) {
    for (const Field& field : fields) {
      if (field.name == name) return &field;
    }
  }
  return nullptr;
}

}  // namespace sockeye
