// SPDX-License-Identifier: Apache-2.0
#include "base/channel.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <string>
#include <utility>

namespace sockeye {
namespace {

// POLLOUT of a terminal says that there is room for one character, and a pipe may be full again by the time of write().
// Where the file may not be opened (another user's terminal, no /proc) the shared description has to do.
Fd own_description(int fd) {
  struct stat info;
  const bool may_block = isatty(fd) == 1 || (fstat(fd, &info) == 0 && S_ISFIFO(info.st_mode));
  if (!may_block) return Fd();
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  return Fd(open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

// Lines that one write to a pipe takes whole or not at all, so that writers who share it cut none of each other's.
std::string_view first_lines(std::string_view text) {
  const std::string_view most = text.substr(0, PIPE_BUF);
  const size_t end = most.rfind('\n');
  return end == std::string_view::npos ? most : most.substr(0, end + 1);
}

}  // namespace

Channel::Channel(int inherited) : inherited_(inherited), own_(own_description(inherited)), kind_(kind_of(inherited)) {}

Channel::Channel(Fd own) : own_(std::move(own)), kind_(kind_of(own_.get())) {}

Channel::Kind Channel::kind_of(int fd) {
  struct stat info;
  if (isatty(fd) == 1) return Kind::kTerminal;
  if (fstat(fd, &info) != 0) return Kind::kPipe;
  switch (info.st_mode & S_IFMT) {
    case S_IFREG: return Kind::kRegular;
    case S_IFSOCK: return Kind::kSocket;
    case S_IFCHR: return Kind::kDevice;
    default: return Kind::kPipe;
  }
}

bool Channel::reader_is_gone() const {
  pollfd state{fd(), 0, 0};
  return !is_regular() && ::poll(&state, 1, 0) > 0 && (state.revents & (POLLERR | POLLHUP)) != 0;
}

ssize_t Channel::write(std::string_view text) const {
  if (kind_ == Kind::kRegular || kind_ == Kind::kDevice) return ::write(fd(), text.data(), text.size());
  text = first_lines(text);
  if (kind_ == Kind::kSocket) return ::send(fd(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  return ::write(fd(), text.data(), text.size());
}

}  // namespace sockeye
