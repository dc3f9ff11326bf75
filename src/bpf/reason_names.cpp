// SPDX-License-Identifier: Apache-2.0
#include "bpf/reason_names.h"

#include <algorithm>
#include <cstring>
#include <span>

namespace sockeye {
namespace {

constexpr std::string_view kDropPrefix = "SKB_DROP_REASON_";

// An enumerator without the prefix is no reason, nor is one that only marks an end or the parts of a number.
void name_each(std::span<reason_name> names, const KernelTypes& types, std::string_view enumeration,
               std::string_view prefix) {
  for (auto [name, value] : types.enumerators(enumeration)) {
    if (!name.starts_with(prefix) || value >= names.size()) continue;
    name.remove_prefix(prefix.size());
    if (name == "MAX" || name == "NUM" || name == "SUBSYS_MASK") continue;
    char(&text)[REASON_NAME_LEN] = names[value].text;
    memset(text, 0, sizeof text);
    memcpy(text, name.data(), std::min(name.size(), sizeof text - 1));
  }
}

}  // namespace

reason_names name_reasons(const KernelTypes& types) {
  reason_names names = {};
  name_each(names.drops, types, "skb_drop_reason", kDropPrefix);
  name_each(names.subsystems, types, "skb_drop_reason_subsys", "SKB_DROP_REASON_SUBSYS_");
  name_each(names.resets, types, "sk_rst_reason", "SK_RST_REASON_");
  return names;
}

uint32_t reason_not_specified(const KernelTypes& types) {
  for (const auto& [name, value] : types.enumerators("skb_drop_reason")) {
    if (name == "SKB_DROP_REASON_NOT_SPECIFIED") return value;
  }
  return 0;
}

}  // namespace sockeye
