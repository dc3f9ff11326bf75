// SPDX-License-Identifier: Apache-2.0
// An open directory that is closed when its holder goes.
#pragma once

#include <dirent.h>

#include <memory>

namespace sockeye {

struct DirectoryCloser {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, DirectoryCloser>;

}  // namespace sockeye
