// SPDX-License-Identifier: Apache-2.0
#include "event/field.h"

#include <algorithm>

namespace sockeye {

std::vector<const Field*> fields_of(const EventType& type) {
  std::vector<const Field*> fields;
  for (const Field& field : type.common) fields.push_back(find_field(type, field.name));
  for (const Field& field : type.own) {
    if (std::find(fields.begin(), fields.end(), &field) == fields.end()) fields.push_back(&field);
  }
  return fields;
}

const Field* find_field(const EventType& type, std::string_view name) {
  for (const auto fields : {type.own, type.common}) {
    for (const Field& field : fields) {
      if (field.name == name) return &field;
    }
  }
  return nullptr;
}

}  // namespace sockeye
