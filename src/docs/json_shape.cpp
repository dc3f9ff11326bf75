// SPDX-License-Identifier: Apache-2.0
#include "docs/json_shape.h"

#include <algorithm>

#include "event/collector.h"
#include "event/loss.h"
#include "event/section_fields.h"

namespace sockeye {
namespace {

JsonType type_of(const Field& field) {
  switch (field.type) {
    case FieldType::kUnsigned:
    case FieldType::kMicros: return JsonType::kNumber;
    case FieldType::kId: return JsonType::kDigits;
    case FieldType::kTime: return JsonType::kTime;
    case FieldType::kAddress: return JsonType::kAddress;
    case FieldType::kText:
    case FieldType::kContext: return JsonType::kText;
    case FieldType::kEnum: return JsonType::kWord;
    case FieldType::kLate: return JsonType::kTrue;
    case FieldType::kList: return JsonType::kObjects;
    case FieldType::kFlag: break;
  }
  const bool is_its_own_flag = field.presence.when == Presence::When::kFlagSet &&
                               field.presence.other == field.offset && field.presence.mask == field.mask &&
                               field.presence.omit_key;
  return is_its_own_flag ? JsonType::kTrue : JsonType::kFlag;
}

// The field that lies at this offset.
std::string name_at(std::span<const Field> fields, uint16_t offset) {
  for (const Field& field : fields) {
    if (field.size > 0 && field.offset == offset) return std::string(field.name);
  }
  return "another field";
}

std::string when_there(const Field& field, std::span<const Field> fields) {
  if (type_of(field) == JsonType::kTrue) return "omitted when false";
  const std::string absent = field.presence.omit_key ? "omitted" : "null";
  const std::string other = "the same as `" + name_at(fields, field.presence.other) + "`";
  const std::string none = field.presence.is_none ? " if not applicable" : " if not known";
  switch (field.presence.when) {
    case Presence::When::kDiffers: return absent + " if " + other;
    case Presence::When::kDiffersAndNonZero: return absent + " if not known or " + other;
    case Presence::When::kNonZero:
    case Presence::When::kFlagSet:
    case Presence::When::kFlagClear: return absent + none;
    case Presence::When::kAlways: break;
  }
  if (field.type == FieldType::kList) return absent + " if not known";
  return field.type == FieldType::kContext ? absent + " if not known" : "";
}

// What it means, where that is more than the word itself.
std::string_view meaning_of(const EnumValue& value) {
  const std::string again = " (" + std::string(value.name) + ")";
  if (value.words == value.name) return {};
  return value.words.ends_with(again) ? value.words.substr(0, value.words.size() - again.size()) : value.words;
}

std::vector<JsonWord> words_of(const Field& field) {
  std::vector<JsonWord> words;
  for (const EnumValue& value : field.values) {
    const auto is_same = [&](const JsonWord& known) { return known.word == value.name; };
    const bool never_shown = value.value == 0 && field.presence.when == Presence::When::kNonZero;
    if (!never_shown && std::none_of(words.begin(), words.end(), is_same))
      words.push_back({value.name, meaning_of(value)});
  }
  return words;
}

uint64_t most_of(const Field& field) {
  return field.type == FieldType::kUnsigned && field.size < 8 ? (uint64_t{1} << (8 * field.size)) - 1 : UINT64_MAX;
}

JsonMember member_of(const Field& field, std::span<const Field> fields) {
  const bool may_be_absent = field.presence.when != Presence::When::kAlways || field.type == FieldType::kContext ||
                             field.type == FieldType::kLate || field.type == FieldType::kList;
  JsonMember member{.key = std::string(field.name),
                    .type = type_of(field),
                    .unit = field.unit,
                    .meaning = field.meaning,
                    .there = when_there(field, fields),
                    .most = most_of(field),
                    .may_be_null = may_be_absent && !field.presence.omit_key,
                    .may_be_left_out = may_be_absent && field.presence.omit_key,
                    .may_be_number = field.type == FieldType::kEnum,
                    .words = words_of(field)};
  for (const Field& element : field.elements) member.members.push_back(member_of(element, field.elements));
  return member;
}

JsonShape shape_of(const EventType& type, std::string_view what) {
  JsonShape shape{.event = type.name,
                  .what = what,
                  .members = {},
                  .has_shared = type.common.data() == kSocketFields.data(),
                  .type = &type};
  for (const Field* field : fields_of(type)) {
    const auto is_it = [&](const Field& own) { return &own == field; };
    const bool is_common = std::none_of(type.own.begin(), type.own.end(), is_it);
    shape.members.push_back(member_of(*field, is_common ? type.common : type.own));
    shape.members.back().is_shared = is_common && shape.has_shared;
  }
  return shape;
}

}  // namespace

std::vector<JsonMember> shared_members() {
  std::vector<JsonMember> members;
  for (const Field& field : kSocketFields) members.push_back(member_of(field, kSocketFields));
  return members;
}

std::vector<JsonShape> json_shapes() {
  std::vector<JsonShape> shapes;
  for (const Collector* collector : collectors()) {
    if (collector->has_stream || collector->has_rows || collector->snapshot)
      shapes.push_back(shape_of(collector->event, collector->summary));
    else if (collector->event.name == "counts")
      shapes.push_back(counts_shape());
  }
  shapes.push_back(shape_of(kGapType, "something was lost, here; may come in any stream"));
  shapes.push_back(shape_of(kEndType, "the end of the run, with --end-record"));
  return shapes;
}

}  // namespace sockeye
