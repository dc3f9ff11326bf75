// SPDX-License-Identifier: Apache-2.0
#include "cli/interface_scope.h"

#include <net/if.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/text.h"
#include "bpf/host.h"
#include "bpf/namespace_walk.h"

namespace sockeye {
namespace {

constexpr unsigned kNamespaceShift = 32;

filter_scope in_namespace(uint64_t number, uint32_t index) {
  return {.value = number << kNamespaceShift | index, .mask = UINT64_MAX};
}

// fe80::/10, all of it.
bool is_link_local(const filter_bytes& network) {
  uint8_t value[16], mask[16];
  memcpy(value, network.value, sizeof value);
  memcpy(mask, network.mask, sizeof mask);
  return mask[0] == 0xff && (mask[1] & 0xc0) == 0xc0 && value[0] == 0xfe && (value[1] & 0xc0) == 0x80;
}

bool is_wanted(const filter_rules& rules, uint32_t inode) {
  for (unsigned i = 0; i < FILTER_VALUES; ++i) {
    if ((rules.netns_inodes.wanted >> i & 1) && rules.netns[i] == inode) return true;
  }
  return false;
}

std::vector<filter_scope> find_name(const std::string& name, const filter_rules& rules) {
  std::vector<filter_scope> scopes;
  const auto look = [&](uint32_t inode) {
    if (const unsigned index = if_nametoindex(name.c_str())) scopes.push_back(in_namespace(inode, index));
  };
  if (rules.netns_inodes.wanted == 0) {
    look(network_namespace_inode());
    return scopes;
  }
  NamespaceWalk walk({.takes = [&rules](uint32_t inode) { return is_wanted(rules, inode); }});
  while (walk.enter_next()) look(network_namespace_inode());
  return scopes;
}

}  // namespace

std::string_view zone_of(std::string_view address) {
  const size_t percent = address.find('%');
  if (percent == std::string_view::npos) return {};
  const std::string_view zone = address.substr(percent + 1, address.find('/', percent) - percent - 1);
  return zone.empty() ? "%" : zone;
}

Result<std::vector<filter_scope>> find_scopes(std::string_view zone, const filter_bytes& network,
                                              const filter_rules& rules,
                                              const std::optional<std::vector<std::string>>& names) {
  const auto refuse = [](std::string why) { return Error{ErrorCode::kUsage, std::move(why), ""}; };
  if (zone.empty()) return std::vector<filter_scope>{filter_scope{}};
  if (!is_link_local(network)) return refuse("only a link-local address (fe80::/10) has an %interface");
  if (zone == "%") return refuse("nothing stands after the %");
  if (zone.find_first_not_of("0123456789") == std::string_view::npos) {
    const auto index = number_in<uint32_t>(zone);
    if (!index || *index == 0 || *index > INT32_MAX) return refuse("no interface has this index");
    return std::vector<filter_scope>{{.value = *index, .mask = UINT32_MAX}};
  }
  if (names) {
    const auto place = std::find(names->begin(), names->end(), zone) - names->begin();
    const uint64_t number = static_cast<uint64_t>(place) + 1;
    return std::vector<filter_scope>{{.value = number << kNamespaceShift, .mask = UINT64_MAX << kNamespaceShift}};
  }
  auto scopes = find_name(std::string(zone), rules);
  if (scopes.empty()) {
    return refuse("there is no interface " + printable(zone) +
                  (rules.netns_inodes.wanted ? " in these network namespaces" : " in this network namespace"));
  }
  return scopes;
}

}  // namespace sockeye
