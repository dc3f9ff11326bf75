// SPDX-License-Identifier: Apache-2.0
#include "bpf/host.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string_view>

#include "base/read_file.h"

namespace sockeye {

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

uint32_t network_namespace_inode() {
  struct stat info;
  return stat("/proc/thread-self/ns/net", &info) == 0 ? static_cast<uint32_t>(info.st_ino) : 0;
}

}  // namespace sockeye
