// SPDX-License-Identifier: Apache-2.0
// The field tables against the type information (BTF) of the compiled kernel side: names, offsets and sizes are what
// the kernel writes, not what somebody typed.
#include <bpf/btf.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "event/collector.h"

namespace sockeye {
namespace {

struct Layout {
  uint32_t offset = 0;
  uint32_t size = 0;
};

class FieldTableTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(btf_.get(), nullptr) << SOCKEYE_BPF_OBJECT; }

  int struct_id(const std::string& name) const {
    return btf__find_by_name_kind(btf_.get(), name.c_str(), BTF_KIND_STRUCT);
  }

  // Where `path` (member.member) lies in a struct.
  std::optional<Layout> find(int type, std::string_view path) const {
    Layout layout;
    while (true) {
      const size_t dot = path.find('.');
      const btf_type* holder =
          btf__type_by_id(btf_.get(), static_cast<__u32>(btf__resolve_type(btf_.get(), static_cast<__u32>(type))));
      const btf_member* member = find_member(holder, path.substr(0, dot));
      if (!member) return std::nullopt;
      layout.offset += member->offset / 8;
      type = static_cast<int>(member->type);
      if (dot == std::string_view::npos) break;
      path.remove_prefix(dot + 1);
    }
    layout.size = static_cast<uint32_t>(btf__resolve_size(btf_.get(), static_cast<__u32>(type)));
    return layout;
  }

  void expect_fields(const std::string& structure, std::span<const Field> fields) const {
    const int id = struct_id(structure);
    ASSERT_GT(id, 0) << "struct " << structure << " is not in the object";
    for (const Field& field : fields) {
      if (field.path.empty()) continue;
      const auto layout = find(id, field.path);
      ASSERT_TRUE(layout) << structure << " has no " << field.path;
      EXPECT_EQ(layout->offset, field.offset) << structure << "." << field.path;
      EXPECT_EQ(layout->size, field.size) << structure << "." << field.path;
    }
  }

 private:
  const btf_member* find_member(const btf_type* holder, std::string_view name) const {
    const btf_member* members = btf_members(holder);
    for (int i = 0; i < btf_vlen(holder); ++i) {
      if (btf__name_by_offset(btf_.get(), members[i].name_off) == name) return &members[i];
    }
    return nullptr;
  }

  struct Free {
    void operator()(btf* p) const { btf__free(p); }
  };

 protected:
  std::unique_ptr<btf, Free> btf_{btf__parse(SOCKEYE_BPF_OBJECT, nullptr)};
};

TEST_F(FieldTableTest, CommonFieldsAreThoseOfTheSections) {
  for (const Collector* collector : collectors()) {
    const auto& [socket, owner, task] = collector->event.sections;
    const char* begins_with = socket ? "socket_event" : "owner_event";
    if (!collector->event.common.empty()) expect_fields(begins_with, collector->event.common);
    for (const auto& [at, member] : {std::pair{socket, "socket"}, {owner, "owner"}, {task, "context"}}) {
      const auto layout = at ? find(struct_id(begins_with), member) : std::nullopt;
      if (at) EXPECT_EQ(layout->offset, at) << collector->event.name << " " << member;
    }
  }
}

TEST_F(FieldTableTest, OwnFieldsAreThoseOfTheCollectorsEvent) {
  for (const Collector* collector : collectors()) {
    const std::string structure = std::string(collector->event.name) + "_event";
    expect_fields(structure, collector->event.own);
    EXPECT_EQ(static_cast<uint16_t>(btf__resolve_size(btf_.get(), static_cast<__u32>(struct_id(structure)))),
              collector->event.size);
  }
}

TEST_F(FieldTableTest, WouldSeeAFieldThatIsNotThere) {
  EXPECT_FALSE(find(struct_id("socket_event"), "owner.nothing"));
  EXPECT_TRUE(find(struct_id("socket_event"), "owner.pid"));
}

}  // namespace
}  // namespace sockeye
