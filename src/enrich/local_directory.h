// SPDX-License-Identifier: Apache-2.0
// A directory that may be looked into without waiting for anybody.
#pragma once

#include <string>

#include "base/fd.h"

namespace sockeye {

// The directory `path`, which is absolute, below `root` ("" is the machine itself). Only where it lies on a local file
// system, and all that it is below does: a server (NFS), a user's process (FUSE) or a daemon that mounts (autofs) may
// let whoever asks wait for ever, also for the type of the file system, so that only mountinfo is asked. Links are
// followed that stay within the mount. Empty: it is not there, or elsewhere.
Fd open_local_directory(const std::string& root, const std::string& path);

}  // namespace sockeye
