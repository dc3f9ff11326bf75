// SPDX-License-Identifier: Apache-2.0
#include "record/input.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace sockeye::record {
namespace {

class FileInput : public Input {
 public:
  FileInput(Fd owned, int fd) : owned_(std::move(owned)), fd_(fd) {
    struct stat info;
    waits_ = fstat(fd_, &info) != 0 || !S_ISREG(info.st_mode);
  }

  ssize_t read(std::span<std::byte> room) override {
    pollfd ready{fd_, POLLIN, 0};
    if (waits_ && poll(&ready, 1, 0) == 0) return kNothingYet;
    const ssize_t n = ::read(fd_, room.data(), room.size());
    return n < 0 && (errno == EINTR || errno == EAGAIN) ? kNothingYet : n;
  }

  void wait() override {
    pollfd ready{fd_, POLLIN, 0};
    poll(&ready, 1, -1);
  }

  int wake_fd() const override { return waits_ ? fd_ : -1; }

 private:
  Fd owned_;
  int fd_;
  bool waits_;
};

}  // namespace

Result<std::unique_ptr<Input>> open_input(const std::string& path) {
  if (path == "-") {
    if (isatty(STDIN_FILENO) == 1) {
      return Error{ErrorCode::kUsage, "a recording is not typed in", "such as: ssh host ... | sockeye replay -"};
    }
    return std::unique_ptr<Input>(std::make_unique<FileInput>(Fd(), STDIN_FILENO));
  }
  Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  struct stat info;
  if (!fd || fstat(fd.get(), &info) != 0) {
    return Error{ErrorCode::kUsage, path + ": " + errno_text(errno), "sockeye states --record FILE makes one"};
  }
  if (S_ISDIR(info.st_mode)) return Error{ErrorCode::kUsage, path + ": " + errno_text(EISDIR), "name a file in it"};
  const int number = fd.get();
  return std::unique_ptr<Input>(std::make_unique<FileInput>(std::move(fd), number));
}

}  // namespace sockeye::record
