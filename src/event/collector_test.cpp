// SPDX-License-Identifier: Apache-2.0
// What every collector's descriptor has to keep, whoever wrote it.
#include "event/collector.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "event/loss.h"

namespace sockeye {
namespace {

std::vector<const EventType*> all_types() {
  std::vector<const EventType*> types = {&kGapType, &kEndType};
  for (const Collector* collector : collectors()) types.push_back(&collector->event);
  return types;
}

// The words in {braces} of a line template, without ":words".
std::vector<std::string> template_words(std::string_view line) {
  std::vector<std::string> words;
  for (size_t open = line.find('{'); open != std::string_view::npos; open = line.find('{', open + 1)) {
    std::string word(line.substr(open + 1, line.find('}', open) - open - 1));
    if (word.ends_with(":words")) word.resize(word.size() - 6);
    words.push_back(word);
  }
  return words;
}

void check_text(const EventType& type, std::string_view line, std::span<const Column> columns) {
  EXPECT_FALSE(line.empty()) << type.name;
  for (const std::string& word : template_words(line)) {
    EXPECT_NE(find_field(type, word), nullptr) << type.name << ": {" << word << "}";
  }
  for (const Column& column : columns) {
    EXPECT_NE(find_field(type, column.field), nullptr) << type.name << ": column " << column.field;
    EXPECT_LE(column.min_width, column.width) << type.name << ": column " << column.field;
    for (const std::string_view other : {column.prefer, column.port}) {
      EXPECT_TRUE(other.empty() || find_field(type, other)) << type.name << ": column " << other;
    }
    if (column.field == "container" || column.field == "pod_uid") {
      EXPECT_EQ(column.prefer, column.field == "pod_uid" ? "pod" : "container_name") << type.name;
    }
  }
}

TEST(Collectors, KindsAndNamesAreUnique) {
  std::set<uint16_t> kinds;
  std::set<std::string_view> names;
  for (const EventType* type : all_types()) {
    EXPECT_TRUE(kinds.insert(type->kind).second) << type->name << ": kind " << type->kind << " is taken";
    EXPECT_TRUE(names.insert(type->name).second) << type->name;
    EXPECT_EQ(find_event_type(type->kind), type);
  }
  for (const Collector* collector : collectors()) {
    EXPECT_GE(collector->event.kind, FIRST_COLLECTOR_KIND) << collector->event.name;
    EXPECT_EQ(find_collector(collector->event.name), collector);
  }
}

TEST(Collectors, FieldsLieInTheEventAndSayWhatTheyMean) {
  for (const EventType* type : all_types()) {
    for (const auto fields : {type->common, type->own}) {
      std::set<std::string_view> names;
      for (const Field& field : fields) {
        const std::string where = std::string(type->name) + "." + std::string(field.name);
        EXPECT_TRUE(names.insert(field.name).second) << where << " is there twice";
        EXPECT_EQ(find_field(*type, field.name)->type, field.type)
            << where << " takes the place of one of another type";
        EXPECT_FALSE(field.meaning.empty()) << where;
        EXPECT_LE(field.offset + field.size, type->size) << where;
        EXPECT_EQ(field.type == FieldType::kEnum, !field.values.empty()) << where;
        EXPECT_EQ(field.type == FieldType::kContext, field.context != nullptr) << where;
        EXPECT_EQ(field.type == FieldType::kList, !field.elements.empty()) << where;
        for (const std::string& word : template_words(field.element_line)) {
          const auto is_it = [&](const Field& element) { return element.name == word; };
          EXPECT_TRUE(std::any_of(field.elements.begin(), field.elements.end(), is_it))
              << where << ": {" << word << "}";
        }
        if (field.type == FieldType::kEnum || field.type == FieldType::kFlag) {
          EXPECT_EQ(field.size, 1) << where;
        }
      }
    }
  }
}

TEST(Collectors, LinesAndColumnsNameFieldsThatExist) {
  for (const EventType* type : all_types()) {
    check_text(*type, type->line, type->columns);
    for (const View& view : type->views) check_text(*type, view.line, view.columns);
  }
}

TEST(Collectors, ViewsAreFoundByTheirNames) {
  constexpr View kViews[] = {{"short", "{name}", {}}};
  constexpr Column kColumns[] = {{.field = "name", .header = "NAME", .width = 15, .min_width = 5}};
  const EventType type{.name = "x",
                       .kind = 1,
                       .size = 16,
                       .common = {},
                       .own = {},
                       .columns = kColumns,
                       .line = "a long line",
                       .views = kViews};
  EXPECT_EQ(find_view(type, "short"), kViews);
  EXPECT_EQ(find_view(type, "other"), nullptr);
  EXPECT_EQ(line_in_view(type, "short"), "{name}");
  EXPECT_EQ(line_in_view(type, "other"), "a long line");
  EXPECT_TRUE(columns_in_view(type, "short").empty());
  EXPECT_EQ(columns_in_view(type, "").size(), 1u);
}

TEST(Handlers, BelongToCollectors) {
  for (const Handler& handler : handlers()) EXPECT_NE(find_collector(handler.collector), nullptr) << handler.collector;
}

}  // namespace
}  // namespace sockeye
