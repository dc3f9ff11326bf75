// SPDX-License-Identifier: Apache-2.0
// Where the names of containers are to be had on this machine, for `sockeye doctor`: of each container runtime, whether
// what it keeps on disk can be read, and whether its daemon answers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "enrich/container_files.h"

namespace sockeye {

struct RuntimeApi {
  std::string socket;
  std::string problem;  // why it does not answer; empty: it does
};

struct RuntimeDiagnosis {
  ContainerStore store;
  std::optional<RuntimeApi> api;  // none: the runtime has none that sockeye asks, or it is not running

  bool has_names() const;  // or there is nothing to name
  std::string words() const;
  std::string remedy() const;  // empty: there is none, or none is needed
};

// `root` stands for /: empty, but for tests. Waits for a daemon that does not answer, at most three seconds each.
std::vector<RuntimeDiagnosis> diagnose_runtimes(const std::string& root = "");

}  // namespace sockeye
