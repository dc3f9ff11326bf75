// SPDX-License-Identifier: Apache-2.0
#include "bpf/namespace_holders.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "bpf/object.h"

namespace sockeye {
namespace {

constexpr unsigned kOfThread = O_EXCL;  // PIDFD_THREAD of <linux/pidfd.h>, since 6.9

Status read_holders(Object& object, std::string_view hook, const std::function<void(const namespace_holder&)>& visit) {
  const auto iterator = object.open_iterator(hook);
  if (!iterator) return iterator.error();
  std::vector<std::byte> rows(Object::kIteratorBytes);
  namespace_holder holder;
  ssize_t n;
  while ((n = Object::read_iterator(*iterator, rows)) > 0) {
    for (size_t at = 0; at + sizeof holder <= static_cast<size_t>(n); at += sizeof holder) {
      memcpy(&holder, rows.data() + at, sizeof holder);
      visit(holder);
    }
  }
  if (n < 0) return Error{ErrorCode::kFailed, std::string(hook) + " stops early: " + errno_text(errno), ""};
  return Ok{};
}

// What /proc calls a namespace is its kind and its number. Nobody is waited for, should it be a pipe by now.
Fd open_descriptor(const std::string& path, uint32_t inode) {
  char link[64];
  const ssize_t n = readlink(path.c_str(), link, sizeof link);
  if (n < 0) return Fd();
  const std::string_view text(link, static_cast<size_t>(n));
  const std::string number = ":[" + std::to_string(inode) + "]";
  if (text == "net" + number) return Fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  errno = text.ends_with(number) ? kOfOtherKind : ESRCH;
  return Fd();
}

// The descriptor of another thread, as one of our own.
Fd take_descriptor(const namespace_holder& holder) {
  const unsigned flags = holder.tid == holder.pid ? 0 : kOfThread;
  const Fd process(static_cast<int>(syscall(SYS_pidfd_open, holder.tid, flags)));
  if (!process) return Fd();
  return Fd(static_cast<int>(syscall(SYS_pidfd_getfd, process.get(), holder.fd, 0)));
}

}  // namespace

NamespaceHolders holders_by(Object& object) {
  return [&object](const std::function<void(const namespace_holder&)>& visit) -> Status {
    SOCKEYE_TRY(read_holders(object, "visit_thread", visit));
    return read_holders(object, "visit_namespace", visit);
  };
}

Fd open_namespace_of(const namespace_holder& holder) {
  const std::string thread = "/proc/" + std::to_string(holder.pid) + "/task/" + std::to_string(holder.tid);
  if (holder.by == HELD_BY_THREAD) return Fd(open((thread + "/ns/net").c_str(), O_RDONLY | O_CLOEXEC));
  if (holder.by == HELD_BY_DESCRIPTOR)
    return open_descriptor(thread + "/fd/" + std::to_string(holder.fd), holder.netns);
  const Fd taken = take_descriptor(holder);
  return taken ? Fd(ioctl(taken.get(), SIOCGSKNS)) : Fd();
}

}  // namespace sockeye
