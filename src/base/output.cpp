// SPDX-License-Identifier: Apache-2.0
#include "base/output.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <utility>

namespace sockeye {
namespace {

Result<Fd> open_for_append(const std::string& path) {
  Fd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640));
  if (fd) return fd;
  return Error{ErrorCode::kUsage, path + ": " + errno_text(errno), "name a file in a directory that can be written to"};
}

}  // namespace

bool may_colour(bool is_terminal) {
  const char* no_colour = getenv("NO_COLOR");
  const char* kind = getenv("TERM");
  return is_terminal && (!no_colour || no_colour[0] == '\0') && (!kind || std::string_view(kind) != "dumb");
}

Output::Output(Fd owned, int fd, std::string path, Signals* signals)
    : owned_(std::move(owned)), fd_(fd), path_(std::move(path)), signals_(signals) {
  struct stat info;
  is_regular_ = fstat(fd_, &info) == 0 && S_ISREG(info.st_mode);
}

Output Output::standard(Signals* signals) { return Output(Fd(), STDOUT_FILENO, "", signals); }

Result<Output> Output::file(const std::string& path, Signals* signals) {
  auto fd = open_for_append(path);
  if (!fd) return fd.error();
  const int number = fd->get();
  return Output(std::move(*fd), number, path, signals);
}

Result<Output> Output::new_file(const std::string& path, Signals* signals) {
  auto fd = open_for_append(path);
  if (!fd) return fd.error();
  struct stat info;
  if (fstat(fd->get(), &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0) {
    return Error{ErrorCode::kUsage, path + " is there already", "remove it first, or name another file"};
  }
  const int number = fd->get();
  Output output(std::move(*fd), number, path, signals);
  output.is_whole_ = true;
  return output;
}

bool Output::is_terminal() const { return isatty(fd_) == 1; }

Screen Output::screen() const {
  winsize size = {};
  if (ioctl(fd_, TIOCGWINSZ, &size) != 0) return {};
  return {size.ws_col > 0 ? size.ws_col : 80, size.ws_row > 0 ? size.ws_row : 24};
}

void Output::write(std::string_view lines) {
  if (closed_) return;
  const size_t written = write_some(lines);
  if (written == lines.size()) return;
  const int error = errno;
  size_t whole = written;
  if (is_regular_) {  // take back the part of a line, so that the next one does not continue it
    whole = written == 0 ? 0 : lines.rfind('\n', written - 1) + 1;
    take_back(written - whole);
  }
  const std::string_view unwritten = lines.substr(whole);
  fail(static_cast<uint64_t>(std::count(unwritten.begin(), unwritten.end(), '\n')), error);
}

Status Output::write_all(std::string_view text) {
  if (closed_) return Ok{};
  const size_t written = write_some(text);
  if (written == text.size()) return Ok{};
  const int error = errno;
  closed_ = error == EPIPE;
  if (closed_) return Ok{};
  if (is_regular_) take_back(written);
  const std::string name = path_.empty() ? "standard output" : path_;
  return Error{ErrorCode::kFailed, name + ": " + (error == EINTR ? "nobody reads it" : errno_text(error)), ""};
}

bool Output::write_whole(std::string_view bytes, uint64_t lines) {
  if (closed_) return false;
  const size_t written = write_some(bytes);
  if (written == bytes.size()) return true;
  const int error = errno;
  if (is_regular_) {
    take_back(written);
  } else if (written > 0) {
    closed_ = true;  // what follows half of it could not be told apart
  }
  fail(lines, error);
  return false;
}

void Output::take_back(size_t bytes) {
  struct stat info;
  if (bytes == 0 || fstat(fd_, &info) != 0) return;
  const off_t back = static_cast<off_t>(bytes);
  if (ftruncate(fd_, info.st_size - back) != 0) {
    complaint_ = path_ + ": something was cut in the middle: " + errno_text(errno);
    return;
  }
  lseek(fd_, -back, SEEK_CUR);  // standard output that is no appended file: else a hole of zeros would follow
}

// How much of `text` was written; less than all with errno set.
size_t Output::write_some(std::string_view text) {
  size_t written = 0;
  while (written < text.size()) {
    size_t chunk = text.size() - written;
    if (!is_regular_) {
      if (!wait_until_writable()) {
        errno = EINTR;
        return written;
      }
      chunk = std::min<size_t>(chunk, PIPE_BUF);  // what a descriptor that polls writable takes without blocking
    }
    const ssize_t n = ::write(fd_, text.data() + written, chunk);
    if (n > 0) {
      written += static_cast<size_t>(n);
    } else if (n < 0 && errno != EINTR && errno != EAGAIN) {
      return written;
    }
  }
  return written;
}

// False: a stop was requested and nobody reads.
bool Output::wait_until_writable() {
  pollfd fds[2] = {{fd_, POLLOUT, 0}, {signals_ ? signals_->fd() : -1, POLLIN, 0}};
  while (true) {
    const bool stopping = signals_ && signals_->stop_requested();
    // Once asked to stop, a reader has half a second more.
    const int ready = ::poll(fds, stopping ? 1 : 2, stopping ? 500 : -1);
    if (ready < 0 && errno != EINTR) return true;  // let write() say what is wrong
    if (ready > 0 && fds[0].revents != 0) return true;
    if (stopping && ready == 0) return false;
    if (signals_) signals_->poll();
  }
}

void Output::fail(uint64_t lines, int error) {
  if (error == EPIPE) {  // whoever read it has seen enough: nothing is lost
    closed_ = true;
    return;
  }
  lost_lines_ += lines;
  if (std::exchange(told_of_, error) != error) {  // on a disk that is nearly full a short line fits now and then
    complaint_ = (path_.empty() ? std::string("standard output") : path_) + ": " + errno_text(error) +
                 "; events go on, those not written here are counted as lost (sink, write_failed)";
  }
}

void Output::reopen() {
  if (path_.empty() || is_whole_) return;
  auto fd = open_for_append(path_);
  if (!fd) {
    complaint_ = fd.error().what + "; the old file is kept";
    return;
  }
  owned_ = std::move(*fd);
  fd_ = owned_.get();
  told_of_ = 0;
  struct stat info;
  is_regular_ = fstat(fd_, &info) == 0 && S_ISREG(info.st_mode);
}

std::string Output::take_complaint() { return std::exchange(complaint_, {}); }

}  // namespace sockeye
