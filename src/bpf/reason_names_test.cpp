// SPDX-License-Identifier: Apache-2.0
// Names of reasons out of types made by libbpf, as two kernels number them.
#include "bpf/reason_names.h"

#include <bpf/btf.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sockeye {
namespace {

std::vector<std::byte> bytes_of(btf* made) {
  __u32 size = 0;
  const auto* raw = static_cast<const std::byte*>(btf__raw_data(made, &size));
  std::vector<std::byte> bytes(raw, raw + size);
  btf__free(made);
  return bytes;
}

std::vector<std::byte> types_of_new_kernel() {
  btf* made = btf__new_empty();
  btf__add_enum(made, "skb_drop_reason", 4);
  btf__add_enum_value(made, "SKB_NOT_DROPPED_YET", 0);
  btf__add_enum_value(made, "SKB_CONSUMED", 1);
  btf__add_enum_value(made, "SKB_DROP_REASON_NOT_SPECIFIED", 2);
  btf__add_enum_value(made, "SKB_DROP_REASON_NO_SOCKET", 3);
  btf__add_enum_value(made, "SKB_DROP_REASON_A_NAME_THAT_IS_LONGER_THAN_THERE_IS_ROOM", 4);
  btf__add_enum_value(made, "SKB_DROP_REASON_MAX", 5);
  btf__add_enum_value(made, "SKB_DROP_REASON_SUBSYS_MASK", 0xffff0000);
  btf__add_enum(made, "skb_drop_reason_subsys", 4);
  btf__add_enum_value(made, "SKB_DROP_REASON_SUBSYS_CORE", 0);
  btf__add_enum_value(made, "SKB_DROP_REASON_SUBSYS_OPENVSWITCH", 2);
  btf__add_enum_value(made, "SKB_DROP_REASON_SUBSYS_NUM", 3);
  btf__add_enum(made, "sk_rst_reason", 4);
  btf__add_enum_value(made, "SK_RST_REASON_NOT_SPECIFIED", 0);
  btf__add_enum_value(made, "SK_RST_REASON_TCP_ABORT_ON_CLOSE", 11);
  return bytes_of(made);
}

std::vector<std::byte> types_of_old_kernel() {
  btf* made = btf__new_empty();
  btf__add_enum(made, "skb_drop_reason", 4);
  btf__add_enum_value(made, "SKB_DROP_REASON_NOT_SPECIFIED", 1);
  btf__add_enum_value(made, "SKB_DROP_REASON_NO_SOCKET", 2);
  return bytes_of(made);
}

std::vector<std::byte> types_without_reasons() {
  btf* made = btf__new_empty();
  btf__add_int(made, "int", 4, BTF_INT_SIGNED);
  return bytes_of(made);
}

TEST(ReasonNames, AreThoseOfTheKernel) {
  const std::vector<std::byte> bytes = types_of_new_kernel();
  const auto types = KernelTypes::parse(bytes);
  ASSERT_TRUE(types);
  const reason_names names = name_reasons(*types);
  EXPECT_STREQ(names.drops[0].text, "") << "no reason";
  EXPECT_STREQ(names.drops[1].text, "");
  EXPECT_STREQ(names.drops[2].text, "NOT_SPECIFIED");
  EXPECT_STREQ(names.drops[3].text, "NO_SOCKET");
  EXPECT_STREQ(names.drops[4].text, "A_NAME_THAT_IS_LONGER_THAN_THER") << "cut, with its NUL";
  EXPECT_STREQ(names.drops[5].text, "") << "the end of the list";
  EXPECT_STREQ(names.subsystems[2].text, "OPENVSWITCH");
  EXPECT_STREQ(names.subsystems[3].text, "");
  EXPECT_STREQ(names.resets[0].text, "NOT_SPECIFIED");
  EXPECT_STREQ(names.resets[11].text, "TCP_ABORT_ON_CLOSE");
  EXPECT_EQ(reason_not_specified(*types), 2u);
}

TEST(ReasonNames, HaveOtherNumbersOnOtherKernels) {
  const std::vector<std::byte> bytes = types_of_old_kernel();
  const auto types = KernelTypes::parse(bytes);
  ASSERT_TRUE(types);
  EXPECT_STREQ(name_reasons(*types).drops[2].text, "NO_SOCKET");
  EXPECT_STREQ(name_reasons(*types).resets[0].text, "");
  EXPECT_EQ(reason_not_specified(*types), 1u);
}

TEST(ReasonNames, AreEmptyWhereTheKernelHasNone) {
  const std::vector<std::byte> bytes = types_without_reasons();
  const auto types = KernelTypes::parse(bytes);
  ASSERT_TRUE(types);
  const reason_names names = name_reasons(*types);
  for (const reason_name& name : names.drops) EXPECT_STREQ(name.text, "");
  EXPECT_EQ(reason_not_specified(*types), 0u);
}

}  // namespace
}  // namespace sockeye
