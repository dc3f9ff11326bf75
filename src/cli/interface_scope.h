// SPDX-License-Identifier: Apache-2.0
// %interface behind a link-local address, as RFC 4007 writes it: the name of an interface, or its index.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "bpf/filter_rules.h"

namespace sockeye {

// What stands between the % and the / of a prefix; empty: no %. "%" alone is "%".
std::string_view zone_of(std::string_view address);

// The scopes that an entry with this zone matches, one at least: without a zone any. An index is one in any namespace.
// A name is looked for in the namespaces that the rules name already (--netns), else in the own one. With `names` it is
// none of this machine: it stands for its place among them, counted from 1, where the namespace has its place.
// An error says why, and nothing of the address.
Result<std::vector<filter_scope>> find_scopes(std::string_view zone, const filter_bytes& network,
                                              const filter_rules& rules,
                                              const std::optional<std::vector<std::string>>& names);

}  // namespace sockeye
