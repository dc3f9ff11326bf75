// SPDX-License-Identifier: Apache-2.0
#include "base/read_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/fd.h"

namespace sockeye {

Result<std::string> read_file(int directory, const std::string& path, size_t limit) {
  constexpr size_t kChunk = 16384;
  Fd file(::openat(directory, path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) return Error{ErrorCode::kFailed, "cannot open " + path + ": " + errno_text(errno), ""};
  std::string text;
  while (text.size() < limit) {
    const size_t had = text.size();
    text.resize(std::min(had + kChunk, limit));
    const ssize_t got = ::read(file.get(), text.data() + had, text.size() - had);
    const int error = errno;
    text.resize(had + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) break;
    if (got < 0 && error != EINTR)
      return Error{ErrorCode::kFailed, "cannot read " + path + ": " + errno_text(error), ""};
  }
  return text;
}

}  // namespace sockeye
