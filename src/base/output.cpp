// SPDX-License-Identifier: Apache-2.0
#include "base/output.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <utility>

namespace sockeye {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kNotInTime = ETIMEDOUT;  // of fail(): the run is over, and the reader has not read
constexpr int kStalled = EAGAIN;       // of fail(): the reader does not read, and others wait

// Keeps other processes that write whole lines to a file (by whatever descriptor) away from it while it lives. Whoever
// may read the file could hold a lock for ever, so it is not waited for long.
class FileLock {
 public:
  explicit FileLock(int fd) : fd_(fd) {
    for (int attempt = 0; attempt < 5 && !(is_held_ = set(F_WRLCK)) && errno == EAGAIN; ++attempt) {
      ::poll(nullptr, 0, 1);
    }
  }
  ~FileLock() {
    if (is_held_) set(F_UNLCK);
  }
  FileLock(FileLock&&) = delete;

 private:
  // Of the process: descriptors that share a file description, as after a fork, would share one of the description.
  bool set(short type) const {
    struct flock whole_file = {.l_type = type, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0, .l_pid = 0};
    return fcntl(fd_, F_SETLK, &whole_file) == 0;
  }

  int fd_;
  bool is_held_ = false;
};

}  // namespace

bool may_colour(bool is_terminal) {
  const char* no_colour = getenv("NO_COLOR");
  const char* kind = getenv("TERM");
  return is_terminal && (!no_colour || no_colour[0] == '\0') && (!kind || std::string_view(kind) != "dumb");
}

Output::Output(Channel channel, std::string path, Signals* signals)
    : channel_(std::move(channel)), path_(std::move(path)), signals_(signals) {}

Output Output::standard(Signals* signals) { return Output(Channel(STDOUT_FILENO), "", signals); }

Result<Output> Output::file(const std::string& path, Signals* signals) {
  auto file = open_output_file(path, Sharing::kLines);
  if (!file) return file.error();
  Output output(Channel(std::move(file->fd)), path, signals);
  output.made_ = std::move(file->made);
  return output;
}

Result<Output> Output::new_file(const std::string& path, Signals* signals) {
  auto file = open_output_file(path, Sharing::kAlone);
  if (!file) return file.error();
  Output output(Channel(std::move(file->fd)), path, signals);
  output.made_ = std::move(file->made);
  output.is_whole_ = true;
  return output;
}

Screen Output::screen() const {
  winsize size = {};
  if (ioctl(channel_.fd(), TIOCGWINSZ, &size) != 0) return {};
  return {size.ws_col > 0 ? size.ws_col : 80, size.ws_row > 0 ? size.ws_row : 24};
}

// Devices may be written to by any number of outputs.
bool Output::is_same_file(const Output& other) const {
  struct stat one, two;
  return fstat(channel_.fd(), &one) == 0 && fstat(other.channel_.fd(), &two) == 0 && !S_ISCHR(one.st_mode) &&
         one.st_dev == two.st_dev && one.st_ino == two.st_ino;
}

size_t Output::write(std::string_view lines) {
  if (closed_) return lines.size();
  std::optional<FileLock> lock;
  if (channel_.is_regular()) lock.emplace(channel_.fd());
  const size_t written = write_rest() ? write_some(lines) : 0;
  if (written == lines.size()) return written;
  const int error = errno;
  size_t whole = written == 0 ? 0 : lines.rfind('\n', written - 1) + 1;
  // So that the next line does not continue the part of one.
  if (lock) take_back(written - whole);
  if (is_stalled_ && written > whole) {
    whole = lines.find('\n', written) + 1;
    rest_ = lines.substr(written, whole - written);
  }
  const std::string_view unwritten = lines.substr(whole);
  fail(static_cast<uint64_t>(std::count(unwritten.begin(), unwritten.end(), '\n')), error);
  return closed_ ? lines.size() : whole;
}

Status Output::write_all(std::string_view text) {
  if (closed_) return Ok{};
  std::optional<FileLock> lock;
  if (channel_.is_regular()) lock.emplace(channel_.fd());
  const size_t written = write_some(text);
  if (written == text.size()) return Ok{};
  const int error = errno;
  closed_ = path_.empty() && says_reader_is_gone(error);
  if (closed_) return Ok{};
  if (lock) take_back(written);
  return Error{ErrorCode::kFailed, name() + ": " + (error == kNotInTime ? "nobody reads it" : errno_text(error)), ""};
}

bool Output::write_whole(std::string_view bytes, uint64_t lines) {
  if (closed_) return true;
  const size_t written = write_rest() ? write_some(bytes) : 0;
  if (written == bytes.size()) return true;
  const int error = errno;
  if (is_stalled_ && written > 0) {
    rest_ = bytes.substr(written);
    return true;
  }
  if (channel_.is_regular()) {
    take_back(written);
  } else if (written > 0 || error == EPIPE) {
    given_up_ = error;  // what follows half of it, or goes to another reader, could not be told apart
  }
  fail(lines, error);
  return closed_;
}

// Only what is still the end of the file, which it need not be where others append to it and take no lock.
void Output::take_back(size_t bytes) {
  struct stat info;
  const int fd = channel_.fd();
  if (bytes == 0 || fstat(fd, &info) != 0) return;
  const off_t end = lseek(fd, 0, SEEK_CUR);
  if (end != info.st_size || ftruncate(fd, end - static_cast<off_t>(bytes)) != 0) {
    complaint_ = name() + ": something was cut in the middle";
    return;
  }
  lseek(fd, -static_cast<off_t>(bytes), SEEK_CUR);  // where nothing is appended a hole of zeros would follow
}

// How much of `text` was written; less than all with errno set. Whether there is room is asked for where write() might
// wait, and where it has found none.
size_t Output::write_some(std::string_view text) {
  size_t written = 0;
  bool is_full = false, said_room = false;
  while (written < text.size()) {
    if (given_up_ == 0 && (is_full || channel_.may_wait())) {
      said_room = make_room(is_full && said_room);
      if (!said_room && given_up_ == 0) {
        errno = kStalled;
        return written;
      }
    }
    if (given_up_ != 0) {
      errno = given_up_;
      return written;
    }
    const ssize_t n = channel_.write(text.substr(written));
    if (n > 0) {
      written += static_cast<size_t>(n);
      said_room = is_stalled_ = false;
    }
    is_full = n < 0 && errno == EAGAIN;
    if (n < 0 && errno != EINTR && errno != EAGAIN) return written;
  }
  return written;
}

// What was begun when the reader stalled. False, with errno set: it could not be finished. Another reader wants none of
// it.
bool Output::write_rest() {
  if (rest_.empty()) return true;
  const size_t written = write_some(rest_);
  if (written == rest_.size()) {
    rest_.clear();
    return true;
  }
  const int error = errno;
  rest_.erase(0, error == kStalled || given_up_ != 0 ? written : rest_.size());
  errno = error;
  return false;
}

// Waits for the reader as long as it may be waited for. False: there is no room; it is stalled, or given up.
bool Output::make_room(bool was_wrong) {
  const int patience_ms = !patience_ ? -1 : is_stalled_ ? 0 : static_cast<int>(patience_->count());
  if (wait_until_writable(was_wrong, patience_ms)) return true;
  if (signals_ && signals_->stop_requested() && signals_->grace_left().count() == 0)
    given_up_ = kNotInTime;
  else
    is_stalled_ = true;
  return false;
}

// False: so long there was no room (negative: for ever), or a stop was requested, and the time that readers have since
// then is over. was_wrong: it said before that there is room, and there was none.
bool Output::wait_until_writable(bool was_wrong, int patience_ms) {
  constexpr int kRetryMs = 10;
  pollfd fds[2] = {{channel_.fd(), POLLOUT, 0}, {signals_ ? signals_->fd() : -1, POLLIN, 0}};
  const auto until = steady_clock::now() + milliseconds(patience_ms);
  if (was_wrong) ::poll(fds + 1, 1, kRetryMs);
  while (true) {
    const bool stopping = signals_ && signals_->stop_requested();
    int left_ms = -1;
    if (patience_ms >= 0)
      left_ms = std::max(0, static_cast<int>(std::chrono::ceil<milliseconds>(until - steady_clock::now()).count()));
    if (stopping) left_ms = static_cast<int>(signals_->grace_left().count());
    if (was_wrong && left_ms == 0) return false;
    const int ready = ::poll(fds, stopping ? 1 : 2, left_ms);
    if (ready < 0 && errno != EINTR) return true;  // let write() say what is wrong
    if (ready > 0 && !stopping && fds[1].revents != 0) signals_->poll();
    if (ready > 0 && fds[0].revents != 0) return true;
    if (ready == 0 && (stopping || patience_ms >= 0)) return false;
  }
}

bool Output::says_reader_is_gone(int error) const { return error == EPIPE || (error == EIO && channel_.is_terminal()); }

void Output::fail(uint64_t lines, int error) {
  const bool is_gone = says_reader_is_gone(error);
  if (is_gone && path_.empty()) {  // whoever read it has seen enough: nothing is lost
    closed_ = true;
    return;
  }
  lost_lines_ += lines;
  if (std::exchange(told_of_, error) == error) return;  // on a disk that is nearly full a short line fits now and then
  if (error == kNotInTime) {
    complaint_ =
        name() + ": nobody reads it; what it did not take until the end is counted as lost (sink, write_failed)";
    return;
  }
  if (error == kStalled) {
    complaint_ = name() + ": its reader takes nothing; other outputs go on, and what it misses is counted as lost " +
                 "(sink, write_failed)";
    return;
  }
  complaint_ = name() + ": " + (is_gone ? "nobody reads it any more" : errno_text(error)) +
               "; events go on, those not written here are counted as lost (sink, write_failed)";
}

void Output::reopen() {
  if (path_.empty() || is_whole_) return;
  auto file = open_output_file(path_, Sharing::kLines);
  if (!file) {
    complaint_ = file.error().what + "; the old file is kept";
    return;
  }
  settle();
  file->made.keep();
  channel_ = Channel(std::move(file->fd));
  rest_.clear();
  is_stalled_ = false;
  told_of_ = 0;
}

bool Output::settle() {
  if (!closed_ && !write_rest()) {
    complaint_ = name() + ": its reader takes nothing, and has half of the last line or block";
    return false;
  }
  if (closed_ || !channel_.is_regular()) return true;
  const int copy = dup(channel_.fd());  // closing any descriptor of the file asks the file system
  if (copy < 0 || ::close(copy) == 0 || errno == EINTR) return true;
  complaint_ = name() + ": " + errno_text(errno) + " when it was closed: not all of it may have been written";
  return false;
}

std::string Output::take_complaint() { return std::exchange(complaint_, {}); }

}  // namespace sockeye
