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

const View* find_view(const EventType& type, std::string_view name) {
  for (const View& view : type.views) {
    if (view.name == name) return &view;
  }
  return nullptr;
}

std::string_view line_in_view(const EventType& type, std::string_view view) {
  const View* found = find_view(type, view);
  return found ? found->line : type.line;
}

std::span<const Column> columns_in_view(const EventType& type, std::string_view view) {
  const View* found = find_view(type, view);
  return found ? found->columns : type.columns;
}

}  // namespace sockeye
