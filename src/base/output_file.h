// SPDX-License-Identifier: Apache-2.0
// Opens what output is written to by its path. It waits for nobody, and takes what the directory's owner may have put
// there for nothing else than it is: no link is followed, no file is written to that somebody else owns or may change.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>

#include "base/fd.h"
#include "base/result.h"

namespace sockeye {

// A file that was made just now, and is removed again, if it is still empty, unless it is kept.
class MadeFile {
 public:
  MadeFile() = default;
  MadeFile(std::string path, int fd);
  MadeFile(MadeFile&& other) noexcept { *this = std::move(other); }
  MadeFile& operator=(MadeFile&& other) noexcept;
  ~MadeFile();

  void keep() { path_.clear(); }

 private:
  std::string path_;  // empty: nothing is to be removed
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

struct OutputFile {
  Fd fd;  // appends, does not block
  MadeFile made;
};

enum class Sharing : uint8_t {
  kLines,  // several processes may append their lines
  kAlone,  // nobody else, and nothing has been written to it yet
};

// A file (mode 0640 where it is made: it tells who talks to whom), a FIFO that somebody reads, or a device.
Result<OutputFile> open_output_file(const std::string& path, Sharing sharing);

}  // namespace sockeye
