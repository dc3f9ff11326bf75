// SPDX-License-Identifier: Apache-2.0
#include "source/fit_event.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace sockeye {
namespace {

// As this version has it: a header, a number, a list.
struct Mine {
  event_header header;
  uint64_t number;
  wire_list list;
  uint32_t pad;
};
struct Element {
  uint64_t number;
};

const Field kElementFields[] = {
    {.name = "number", .type = FieldType::kUnsigned, SOCKEYE_MEMBER(Element, number), .meaning = "x"}};
const Field kFields[] = {{.name = "number", .type = FieldType::kUnsigned, SOCKEYE_MEMBER(Mine, number), .meaning = "x"},
                         {.name = "list",
                          .type = FieldType::kList,
                          SOCKEYE_MEMBER(Mine, list),
                          .meaning = "x",
                          .elements = kElementFields,
                          .element_line = "{number}"}};
const EventType kType = {
    .name = "mine", .kind = 99, .size = sizeof(Mine), .common = {}, .own = kFields, .columns = {}, .line = "x"};
const EventType kPlain = {
    .name = "plain", .kind = 98, .size = sizeof(Mine), .common = {}, .own = {}, .columns = {}, .line = "x"};

// Of a version whose struct is `by` bytes longer, with two elements behind it.
std::vector<std::byte> recorded(size_t longer_by) {
  Mine mine = {};
  mine.number = 7;
  mine.list = {.left_out = 3,
               .at = static_cast<__u16>(sizeof mine + longer_by),
               .count = 2,
               .size = sizeof(Element),
               ._pad = {}};
  std::vector<std::byte> bytes(sizeof mine + longer_by + 2 * sizeof(Element), std::byte{0xee});
  memcpy(bytes.data(), &mine, sizeof mine);
  const Element elements[] = {{11}, {12}};
  memcpy(bytes.data() + sizeof mine + longer_by, elements, sizeof elements);
  return bytes;
}

struct Fitted {
  alignas(8) std::byte bytes[kLongestEvent];
  Event event{.header = reinterpret_cast<const event_header*>(bytes), .type = &kType};

  Fitted(std::span<const std::byte> recorded, size_t recorded_struct) {
    memset(bytes, 0xcc, sizeof bytes);
    const size_t size = fit_event(recorded, recorded_struct, kType, bytes);
    event_header header = {.kind = kType.kind, .size = static_cast<__u16>(size), .cpu = 0, .time_ns = 0};
    memcpy(bytes, &header, sizeof header);
  }
  std::vector<uint64_t> elements() const {
    const Elements list = elements_of(kFields[1], event);
    std::vector<uint64_t> numbers;
    for (size_t i = 0; i < list.count; ++i) numbers.push_back(number_of(kElementFields[0], list.at(i)));
    return numbers;
  }
};

using Numbers = std::vector<uint64_t>;

TEST(FitEvent, ListsStayWhereTheyAre) {
  const Fitted fitted(recorded(0), sizeof(Mine));
  EXPECT_EQ(number_of(kFields[0], fitted.event), 7u);
  EXPECT_EQ(fitted.elements(), (Numbers{11, 12}));
}

TEST(FitEvent, ListsGoWithTheEndOfTheStruct) {
  const Fitted newer(recorded(16), sizeof(Mine) + 16);
  EXPECT_EQ(newer.elements(), (Numbers{11, 12}));
  EXPECT_EQ(newer.event.header->size, sizeof(Mine) + 2 * sizeof(Element));

  const std::vector<std::byte> older = recorded(0);
  EXPECT_EQ(Fitted(std::span(older).first(24), 24).elements(), Numbers{}) << "from before there was a list";
  EXPECT_EQ(number_of(kFields[0], Fitted(std::span(older).first(24), 24).event), 7u);
  EXPECT_EQ(number_of(kFields[0], Fitted(std::span(older).first(16), 16).event), 0u);
}

TEST(FitEvent, NothingSaidOfSizesLeadsOutside) {
  const std::vector<std::byte> bytes = recorded(0);
  for (size_t size = sizeof(event_header); size <= bytes.size(); ++size) {
    for (const size_t said : {0u, 1u, 16u, 40u, 41u, 48u, 65535u}) {
      const Fitted fitted{std::span(bytes).first(size), said};
      EXPECT_GE(fitted.event.header->size, sizeof(Mine));
      EXPECT_LE(fitted.elements().size(), 2u) << size << " " << said;
    }
  }
  const std::vector<std::byte> longest(kLongestEvent, std::byte{1});
  EXPECT_EQ(Fitted(longest, 16).event.header->size, sizeof(Mine)) << "no room behind the struct";
}

TEST(FitEvent, WithoutListsTheRestIsNotKnown) {
  alignas(8) std::byte room[kLongestEvent];
  EXPECT_EQ(fit_event(recorded(16), sizeof(Mine), kPlain, room), sizeof(Mine));
}

}  // namespace
}  // namespace sockeye
