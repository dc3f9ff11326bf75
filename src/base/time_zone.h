// SPDX-License-Identifier: Apache-2.0
// The time zone as a rule that needs no tables (POSIX TZ: "CET-1CEST,M3.5.0,M10.5.0/3"): what a recording keeps, so
// that it shows the same times where other zones, or none, are installed.
#pragma once

#include <string>
#include <string_view>

namespace sockeye {

// The rule of this process: of $TZ, else of /etc/localtime. Where the zone's rule is not what holds at `wall_ns` (some
// zones have years that no rule describes), or there is none, the offset of that time for all times. `root` is put
// before every path that is opened; TZ and the C library's idea of it are as before when it returns.
std::string zone_rule(int64_t wall_ns, const std::string& root = "");

// Times of this process are local to the rule from here on. Opens no table of zones.
void use_zone_rule(const std::string& rule);

// Whether it is a rule, and nothing that the C library would take for the name of a file.
bool is_zone_rule(std::string_view text);

// The rule at the end of a TZif file (RFC 8536 section 3.3: between the last two newlines); empty where it has none.
std::string_view rule_of_tzif(std::string_view file);

}  // namespace sockeye
