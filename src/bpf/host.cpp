// SPDX-License-Identifier: Apache-2.0
#include "bpf/host.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "base/directory.h"
#include "base/read_file.h"

namespace sockeye {
namespace {

constexpr const char* kMoreFiles = "raise the limit of open files: ulimit -n 1024, or LimitNOFILE= of the unit";

}  // namespace

Status check_process(size_t files, const std::string& root) {
  const std::string path = root + "/proc/self/fd";
  const Directory directory(opendir(path.c_str()));
  if (!directory && errno == EMFILE) return too_many_files("/proc cannot be read", errno);
  if (!directory) {
    return Error{ErrorCode::kFailed, "/proc cannot be read: " + path + ": " + errno_text(errno),
                 "sockeye needs it: mount -t proc proc /proc"};
  }
  rlim_t open = 0;
  while (const dirent* entry = readdir(directory.get())) open += entry->d_name[0] != '.' ? 1 : 0;
  --open;  // the directory's own
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= open + files)
    return Ok{};
  return Error{ErrorCode::kFailed,
               "no room for " + std::to_string(files) + " more open files: this process may have " +
                   std::to_string(limit.rlim_cur) + ", and has " + std::to_string(open),
               kMoreFiles};
}

Error too_many_files(const std::string& what, int error) {
  return {ErrorCode::kFailed, what + ": " + errno_text(error), kMoreFiles};
}

// "none [integrity] confidentiality": the mode is the one in brackets.
std::string lockdown_mode(const std::string& root) {
  const auto modes = read_file(AT_FDCWD, root + "/sys/kernel/security/lockdown", 4096);
  if (!modes) return "";
  const size_t begin = modes->find('['), end = modes->find(']');
  return begin < end && end != std::string::npos ? modes->substr(begin + 1, end - begin - 1) : "";
}

// The links of /proc/self/ns read "pid:[4026531836]".
bool is_in_initial_namespace(NamespaceKind kind, const std::string& root) {
  const bool is_pid = kind == NamespaceKind::kPid;
  const std::string link = root + (is_pid ? "/proc/self/ns/pid" : "/proc/self/ns/user");
  char text[64];
  const ssize_t n = readlink(link.c_str(), text, sizeof text);
  return n <= 0 ||
         std::string_view(text, static_cast<size_t>(n)) == (is_pid ? "pid:[4026531836]" : "user:[4026531837]");
}

bool are_processes_hidden(const std::string& root) {
  struct stat info;
  return stat((root + "/proc/1").c_str(), &info) != 0;
}

uint32_t network_namespace_inode() {
  struct stat info;
  return stat("/proc/thread-self/ns/net", &info) == 0 ? static_cast<uint32_t>(info.st_ino) : 0;
}

}  // namespace sockeye
