// SPDX-License-Identifier: Apache-2.0
// The reader of BTF against types made by libbpf, and against what is no BTF.
#include "bpf/kernel_types.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>

#include <cstring>

namespace sockeye {
namespace {

// One of each kind, `int connect_it(int, int)` and a struct, a typedef and a variable of the same name among them.
std::vector<std::byte> some_types() {
  btf* made = btf__new_empty();
  const int number = btf__add_int(made, "int", 4, BTF_INT_SIGNED);
  btf__add_ptr(made, number);
  btf__add_array(made, number, number, 7);
  btf__add_struct(made, "thing", 8);
  btf__add_field(made, "a", number, 0, 0);
  btf__add_field(made, "b", number, 32, 0);
  btf__add_union(made, "either", 4);
  btf__add_field(made, "a", number, 0, 0);
  btf__add_enum(made, "choice", 4);
  btf__add_enum_value(made, "one", 1);
  btf__add_enum64(made, "wide", 8, false);
  btf__add_enum64_value(made, "big", 1ull << 40);
  btf__add_fwd(made, "later", BTF_FWD_STRUCT);
  btf__add_typedef(made, "thing", number);
  btf__add_volatile(made, number);
  btf__add_const(made, number);
  btf__add_restrict(made, number);
  btf__add_float(made, "float", 4);
  const int prototype = btf__add_func_proto(made, number);
  btf__add_func_param(made, "x", number);
  btf__add_func_param(made, "y", number);
  btf__add_func(made, "connect_it", BTF_FUNC_GLOBAL, prototype);
  btf__add_var(made, "connect_it_not", BTF_VAR_STATIC, number);
  btf__add_datasec(made, ".data", 4);
  btf__add_datasec_var_info(made, btf__type_cnt(made) - 2, 0, 4);
  btf__add_decl_tag(made, "tag", number, -1);
  btf__add_type_tag(made, "user", number);
  btf__add_typedef(made, "btf_trace_seen", btf__add_ptr(made, prototype));
  btf__add_typedef(made, "btf_trace_no_function", number);
  btf__add_func(made, "last", BTF_FUNC_STATIC, prototype);
  __u32 size = 0;
  const auto* raw = static_cast<const std::byte*>(btf__raw_data(made, &size));
  std::vector<std::byte> bytes(raw, raw + size);
  btf__free(made);
  return bytes;
}

TEST(KernelTypes, FindsWhatIsThere) {
  const std::vector<std::byte> bytes = some_types();
  btf* witness = btf__new(bytes.data(), static_cast<__u32>(bytes.size()));
  const auto types = KernelTypes::parse(bytes);
  ASSERT_TRUE(types) << types.error().what;
  const auto id = [&](const char* name, uint32_t kind) {
    return static_cast<uint32_t>(btf__find_by_name_kind(witness, name, kind));
  };
  EXPECT_EQ(types->function("connect_it"), id("connect_it", BTF_KIND_FUNC));
  EXPECT_EQ(types->function("last"), id("last", BTF_KIND_FUNC)) << "behind one of every kind";
  EXPECT_EQ(types->structure("thing"), id("thing", BTF_KIND_STRUCT));
  EXPECT_EQ(types->type_definition("thing"), id("thing", BTF_KIND_TYPEDEF));
  EXPECT_NE(types->structure("thing"), types->type_definition("thing"));
  EXPECT_EQ(types->parameters("connect_it"), 2);
  EXPECT_EQ(types->parameters("last"), 2);
  EXPECT_EQ(types->arguments("seen"), 1) << "without the hook's own";
  EXPECT_EQ(types->member_type("thing", "b"), id("int", BTF_KIND_INT));
  EXPECT_EQ(types->member_type("thing", "c"), 0u);
  EXPECT_EQ(types->member_type("either", "a"), 0u) << "no structure";
  const auto values = types->enumerators("choice");
  ASSERT_EQ(values.size(), 1u);
  EXPECT_EQ(values[0].first, "one");
  EXPECT_EQ(values[0].second, 1u);
  btf__free(witness);
}

TEST(KernelTypes, FindsNothingElse) {
  const std::vector<std::byte> bytes = some_types();
  const auto types = KernelTypes::parse(bytes);
  ASSERT_TRUE(types);
  EXPECT_EQ(types->function("connect"), 0u) << "the head of a name";
  EXPECT_EQ(types->function("it"), 0u) << "its tail";
  EXPECT_EQ(types->function("connect_it_not"), 0u) << "a variable";
  EXPECT_EQ(types->function(""), 0u);
  EXPECT_EQ(types->structure("either"), 0u) << "a union";
  EXPECT_EQ(types->parameters("nothing"), -1);
  EXPECT_EQ(types->arguments("nothing"), -1);
  EXPECT_EQ(types->arguments("no_function"), -1);
  EXPECT_TRUE(types->enumerators("nothing").empty());
  EXPECT_TRUE(types->enumerators("thing").empty()) << "a struct";
}

// struct outer { int a; struct inner *next; struct inner in[3]; } beside things that nobody asks for.
std::vector<std::byte> nested_types() {
  btf* made = btf__new_empty();
  btf__add_struct(made, "unasked", 8);
  const int number = btf__add_int(made, "int", 4, BTF_INT_SIGNED);
  const int inner = btf__add_struct(made, "inner", 4);
  btf__add_field(made, "x", number, 0, 0);
  const int pointer = btf__add_ptr(made, inner);
  const int array = btf__add_array(made, number, inner, 3);
  btf__add_struct(made, "outer", 32);
  btf__add_field(made, "a", number, 0, 0);
  btf__add_field(made, "next", pointer, 64, 0);
  btf__add_field(made, "in", array, 128, 0);
  btf__add_struct(made, "outer", 1);  // of another compilation unit
  __u32 size = 0;
  const auto* raw = static_cast<const std::byte*>(btf__raw_data(made, &size));
  std::vector<std::byte> bytes(raw, raw + size);
  btf__free(made);
  return bytes;
}

TEST(KernelTypes, AnExcerptHoldsWhatIsHeldByValue) {
  const std::vector<std::byte> bytes = nested_types();
  const auto types = KernelTypes::parse(bytes);
  ASSERT_TRUE(types);
  const std::vector<std::byte> some = types->excerpt({"outer", "missing"});
  btf* excerpt = btf__new(some.data(), static_cast<__u32>(some.size()));
  ASSERT_EQ(libbpf_get_error(excerpt), 0);
  EXPECT_LT(btf__find_by_name(excerpt, "unasked"), 0);
  const btf_type* outer = btf__type_by_id(excerpt, static_cast<__u32>(btf__find_by_name(excerpt, "outer")));
  ASSERT_EQ(btf_vlen(outer), 3);
  const btf_member* members = btf_members(outer);
  EXPECT_STREQ(btf__name_by_offset(excerpt, members[2].name_off), "in");
  EXPECT_EQ(btf_member_bit_offset(outer, 2), 128u);
  EXPECT_EQ(btf__resolve_size(excerpt, members[2].type), 12);
  EXPECT_EQ(btf__type_by_id(excerpt, members[1].type)->type, 0u) << "a pointer points to nothing";
  int outers = 0;
  for (__u32 id = 1; id < btf__type_cnt(excerpt); ++id) {
    const btf_type* type = btf__type_by_id(excerpt, id);
    outers += std::string_view(btf__name_by_offset(excerpt, type->name_off)) == "outer";
  }
  EXPECT_EQ(outers, 2) << "libbpf must see that a name means two things";
  btf__free(excerpt);
}

TEST(KernelTypes, RefusesWhatIsDamaged) {
  const std::vector<std::byte> good = some_types();
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(KernelTypes::parse(std::span(good).first(size))) << "cut off at " << size;
  }
  for (size_t at = 0; at < good.size(); ++at) {  // whatever it makes of it, it stays inside
    std::vector<std::byte> bad = good;
    bad[at] ^= std::byte{0xff};
    if (const auto types = KernelTypes::parse(bad)) {
      types->parameters("connect_it");
      types->arguments("seen");
      types->enumerators("choice");
      types->excerpt({"thing", "either", "choice", "wide"});
    }
  }
  EXPECT_FALSE(KernelTypes::load("/nonexistent"));
  EXPECT_FALSE(KernelTypes::load("/dev/null"));
}

}  // namespace
}  // namespace sockeye
