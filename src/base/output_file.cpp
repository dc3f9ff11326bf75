// SPDX-License-Identifier: Apache-2.0
#include "base/output_file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>

namespace sockeye {
namespace {

constexpr int kHow = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
constexpr char kNameAnother[] = "remove it first, or name another file";

Error refusal(const std::string& path, const std::string& why, const std::string& hint = kNameAnother) {
  return {ErrorCode::kUsage, path + ": " + why, hint};
}

Error cannot_open(const std::string& path, int error) {
  struct stat info;
  if (error == ELOOP) return refusal(path, "it is a symbolic link, which is not followed", "name what it leads to");
  if (error == ENXIO && stat(path.c_str(), &info) == 0 && S_ISFIFO(info.st_mode)) {
    return refusal(path, "nobody reads this pipe", "start its reader first");
  }
  return refusal(path, errno_text(error), "name a file in a directory that can be written to");
}

// Links of /proc/self/fd (/dev/fd/3, >(command) of a shell) lead to what this process was given.
bool is_link_of_proc(const std::string& path) {
  const Fd link(open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct statfs filesystem;
  return link && fstatfs(link.get(), &filesystem) == 0 && filesystem.f_type == PROC_SUPER_MAGIC;
}

// What was there already: why it is not written to; empty: it is.
std::string why_not(const struct stat& info) {
  if (S_ISCHR(info.st_mode)) return "";
  if (!S_ISREG(info.st_mode) && !S_ISFIFO(info.st_mode)) return "it is no file, no pipe and no terminal";
  if (info.st_uid != geteuid()) return "it belongs to another user (" + std::to_string(info.st_uid) + ")";
  if (info.st_nlink > 1) return "it has " + std::to_string(info.st_nlink) + " names (hard links)";
  if ((info.st_mode & S_IWOTH) != 0) return "everybody may write to it";
  return "";
}

Result<Fd> open_existing(const std::string& path) {
  Fd fd(open(path.c_str(), kHow | (is_link_of_proc(path) ? 0 : O_NOFOLLOW)));
  struct stat info;
  if (!fd || fstat(fd.get(), &info) != 0) return cannot_open(path, errno);
  if (const std::string why = why_not(info); !why.empty()) return refusal(path, why);
  return fd;
}

Result<OutputFile> open_or_make(const std::string& path) {
  OutputFile file;
  file.fd.reset(open(path.c_str(), kHow | O_CREAT | O_EXCL, 0640));
  if (file.fd) {
    file.made = MadeFile(path, file.fd.get());
    return file;
  }
  if (errno != EEXIST) return cannot_open(path, errno);
  auto existing = open_existing(path);
  if (!existing) return existing.error();
  file.fd = std::move(*existing);
  return file;
}

// Held until the file is closed. File systems that know no locks have none.
Status lock(const std::string& path, int fd, Sharing sharing) {
  struct stat info;
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return Ok{};
  if (flock(fd, (sharing == Sharing::kAlone ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    return refusal(path, "another run of sockeye, or another output of this one, writes to it", "name another file");
  }
  if (sharing == Sharing::kLines || (fstat(fd, &info) == 0 && info.st_size == 0)) return Ok{};
  return Error{ErrorCode::kUsage, path + " is there already", kNameAnother};
}

}  // namespace

MadeFile::MadeFile(std::string path, int fd) : path_(std::move(path)) {
  struct stat info = {};
  fstat(fd, &info);
  device_ = info.st_dev;
  inode_ = info.st_ino;
}

MadeFile& MadeFile::operator=(MadeFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(device_, other.device_);
  std::swap(inode_, other.inode_);
  return *this;
}

MadeFile::~MadeFile() {
  struct stat info;
  if (path_.empty() || lstat(path_.c_str(), &info) != 0) return;
  const bool is_it = info.st_dev == device_ && info.st_ino == inode_;
  if (is_it && info.st_size == 0) unlink(path_.c_str());
}

Result<OutputFile> open_output_file(const std::string& path, Sharing sharing) {
  auto file = open_or_make(path);
  if (!file) return file;
  auto locked = lock(path, file->fd.get(), sharing);
  if (locked) return file;
  file->made.keep();  // somebody else writes to it by now
  return locked.error();
}

}  // namespace sockeye
