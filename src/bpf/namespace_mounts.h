// SPDX-License-Identifier: Apache-2.0
// Files that network namespaces are mounted on, whoever mounted them: `ip netns`, Docker, CNI, Podman.
#pragma once

#include <string>
#include <vector>

namespace sockeye {

// Paths below `root`, which stands for / in tests: of the own mount namespace, and of process 1's where that is another
// and can be read. A path may lead to something else by now, or never have been in sight.
std::vector<std::string> find_namespace_mounts(const std::string& root = "");

}  // namespace sockeye
