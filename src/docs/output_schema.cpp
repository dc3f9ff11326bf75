// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/text.h"
#include "docs/json_shape.h"
#include "docs/output_docs.h"
#include "event/sink.h"

namespace sockeye {
namespace {

constexpr std::string_view kHead = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "A line of what sockeye writes as JSON",
  "description": "Made by sockeye list --schema; output.md says the same in words.",
  "type": "object",
  "required": ["v", "event"],
)";
constexpr std::string_view kTimePattern =
    R"("pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{9}Z$")";
constexpr std::string_view kAddress =
    R"("pattern": "^[0-9a-f:.]+(%.+)?$", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}, {"pattern": "^fe[89ab][0-9a-f]:[0-9a-f:]+%.+$"}])";

std::string quoted(std::string_view text) {
  Buffer out(text.size() + 16);
  out.add('"');
  add_json_text(out, text);
  out.add('"');
  return std::string(out.view());
}

std::string joined(const std::vector<std::string>& parts, std::string_view between) {
  std::string text;
  for (const std::string& part : parts) text += (&part == &parts.front() ? "" : std::string(between)) + part;
  return text;
}

std::string type_word(const JsonMember& member, const std::string& word) {
  return "\"type\": " + (member.may_be_null ? "[\"" + word + "\", \"null\"]" : quoted(word));
}

std::string schema_of_object(const std::vector<JsonMember>& members, const std::string& indent);

std::string number_rules(const JsonMember& member) {
  std::string rules = type_word(member, "integer");
  if (!member.is_signed) rules += ", \"minimum\": 0";
  if (member.most != UINT64_MAX) rules += ", \"maximum\": " + std::to_string(member.most);
  return rules;
}

std::string word_rules(const JsonMember& member) {
  std::vector<std::string> words;
  for (const JsonWord& word : member.words) words.push_back(quoted(word.word));
  if (member.may_be_null) words.push_back("null");
  const std::string list = "\"enum\": [" + joined(words, ", ") + "]";
  if (!member.may_be_number) return list;
  return type_word(member, "string") + ", \"anyOf\": [{" + list +
         "}, {\"type\": \"string\", \"pattern\": \"^[0-9]+$\"}]";
}

// What stands between the braces.
std::string rules_of(const JsonMember& member, const std::string& indent) {
  switch (member.type) {
    case JsonType::kNumber: return number_rules(member);
    case JsonType::kDigits: return type_word(member, "string") + ", \"pattern\": \"^[1-9][0-9]*$\"";
    case JsonType::kTime: return type_word(member, "string") + ", " + std::string(kTimePattern);
    case JsonType::kAddress: return type_word(member, "string") + ", " + std::string(kAddress);
    case JsonType::kText: return type_word(member, "string");
    case JsonType::kWord: return word_rules(member);
    case JsonType::kFlag: return type_word(member, "boolean");
    case JsonType::kTrue: return "\"const\": true";
    case JsonType::kNull: return "\"type\": \"null\"";
    case JsonType::kObject: return type_word(member, "object") + ", " + schema_of_object(member.members, indent);
    case JsonType::kObjects:
      return type_word(member, "array") + ", \"items\": {\"type\": \"object\", " +
             schema_of_object(member.members, indent) + "}";
  }
  return "";
}

std::string schema_of(const JsonMember& member, const std::string& indent) {
  std::string text = "{" + rules_of(member, indent);
  std::string says(member.meaning);
  if (!member.unit.empty()) says += " (" + std::string(member.unit) + ")";
  if (!member.there.empty()) says += says.empty() ? member.there : "; " + member.there;
  if (!says.empty()) text += ", \"description\": " + quoted(says);
  return text + "}";
}

// Members of a schema, whose closing brace is not here: properties, which are required, and that there are no others.
// Of those that are alternatives exactly one is there.
std::string members_of_schema(const std::vector<std::string>& properties, const std::vector<JsonMember>& members,
                              std::vector<std::string> required, const std::string& indent) {
  std::vector<std::string> alternatives;
  for (const JsonMember& member : members) {
    if (!member.may_be_left_out) required.push_back(quoted(member.key));
    if (member.is_alternative) alternatives.push_back("{\"required\": [" + quoted(member.key) + "]}");
  }
  std::string text = "\"properties\": {\n" + indent + "  " + joined(properties, ",\n" + indent + "  ") + "\n" + indent +
                     "}, \"required\": [" + joined(required, ", ") + "], ";
  if (!alternatives.empty()) text += "\"oneOf\": [" + joined(alternatives, ", ") + "], ";
  return text + "\"additionalProperties\": false";
}

std::string schema_of_object(const std::vector<JsonMember>& members, const std::string& indent) {
  std::vector<std::string> properties;
  for (const JsonMember& member : members) {
    properties.push_back(quoted(member.key) + ": " + schema_of(member, indent + "  "));
  }
  return members_of_schema(properties, members, {}, indent + "  ");
}

std::string schema_of_event(const JsonShape& shape) {
  const std::string indent = "      ";
  std::vector<std::string> properties = {"\"v\": {\"const\": " + std::to_string(kJsonVersion) + "}",
                                         "\"event\": {\"const\": " + quoted(shape.event) + "}"};
  for (const JsonMember& member : shape.members) {
    properties.push_back(
        quoted(member.key) + ": " +
        (member.is_shared ? "{\"$ref\": \"#/$defs/socket." + member.key + "\"}" : schema_of(member, indent)));
  }
  return "    " + quoted(shape.event) + ": {\n      \"description\": " + quoted(shape.what) +
         ", \"type\": \"object\",\n      " +
         members_of_schema(properties, shape.members, {"\"v\"", "\"event\""}, indent) + "\n    }";
}

}  // namespace

std::string output_schema() {
  std::vector<std::string> names, choices, definitions;
  for (const JsonMember& member : shared_members()) {
    definitions.push_back("    " + quoted("socket." + member.key) + ": " + schema_of(member, "    "));
  }
  for (const JsonShape& shape : json_shapes()) {
    names.push_back(quoted(shape.event));
    choices.push_back("    {\"if\": {\"properties\": {\"event\": {\"const\": " + quoted(shape.event) +
                      "}}}, \"then\": {\"$ref\": \"#/$defs/" + std::string(shape.event) + "\"}}");
    definitions.push_back(schema_of_event(shape));
  }
  return std::string(kHead) + "  \"properties\": {\"event\": {\"enum\": [" + joined(names, ", ") +
         "]}},\n  \"allOf\": [\n" + joined(choices, ",\n") + "\n  ],\n  \"$defs\": {\n" + joined(definitions, ",\n") +
         "\n  }\n}\n";
}

}  // namespace sockeye
