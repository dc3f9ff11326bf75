// SPDX-License-Identifier: Apache-2.0
// Every version of the format that was ever written, and stays readable: of each there are recordings among the golden
// files, which a test replays.
#pragma once

#include <cstdint>
#include <iterator>
#include <string_view>

namespace sockeye::record {

struct Version {
  uint32_t number;
  std::string_view changed;  // what is different from the one before
};

inline constexpr Version kVersions[] = {
    {1, "the first"},
    {2, "an event may be longer than 4,096 bytes, by the lists in its tail"},
};
inline constexpr uint32_t kCurrentVersion = kVersions[std::size(kVersions) - 1].number;

}  // namespace sockeye::record
