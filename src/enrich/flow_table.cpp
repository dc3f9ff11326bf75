// SPDX-License-Identifier: Apache-2.0
#include "enrich/flow_table.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "base/fd.h"

namespace sockeye {
namespace {

constexpr char kOwn[] = "/proc/self/ns/net";
constexpr char kCount[] = "/proc/sys/net/netfilter/nf_conntrack_count";
constexpr uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool is_ipv4(const FlowEnd& end) { return memcmp(end.address, kMapped, sizeof kMapped) == 0; }

FlowEnd ipv4_end(uint32_t address, uint16_t port) {
  FlowEnd end{{}, ntohs(port)};
  memcpy(end.address, kMapped, sizeof kMapped);
  memcpy(end.address + sizeof kMapped, &address, sizeof address);
  return end;
}

FlowEnd ipv6_end(const void* address, uint16_t port) {
  FlowEnd end{{}, ntohs(port)};
  memcpy(end.address, address, sizeof end.address);
  return end;
}

uint32_t ipv4_of(const FlowEnd& end) {
  uint32_t address;
  memcpy(&address, end.address + sizeof kMapped, sizeof address);
  return address;
}

struct ConntrackDeleter {
  void operator()(nf_conntrack* entry) const { nfct_destroy(entry); }
  void operator()(nfct_handle* handle) const { nfct_close(handle); }
};
using Entry = std::unique_ptr<nf_conntrack, ConntrackDeleter>;
using Handle = std::unique_ptr<nfct_handle, ConntrackDeleter>;

Entry entry_of(const Flow& flow) {
  Entry entry(nfct_new());
  if (!entry) return entry;
  const bool ipv4 = is_ipv4(flow.source) && is_ipv4(flow.destination);
  nfct_set_attr_u8(entry.get(), ATTR_L3PROTO, ipv4 ? AF_INET : AF_INET6);
  if (ipv4) {
    nfct_set_attr_u32(entry.get(), ATTR_IPV4_SRC, ipv4_of(flow.source));
    nfct_set_attr_u32(entry.get(), ATTR_IPV4_DST, ipv4_of(flow.destination));
  } else {
    nfct_set_attr(entry.get(), ATTR_IPV6_SRC, flow.source.address);
    nfct_set_attr(entry.get(), ATTR_IPV6_DST, flow.destination.address);
  }
  nfct_set_attr_u8(entry.get(), ATTR_L4PROTO, IPPROTO_TCP);
  nfct_set_attr_u16(entry.get(), ATTR_PORT_SRC, htons(flow.source.port));
  nfct_set_attr_u16(entry.get(), ATTR_PORT_DST, htons(flow.destination.port));
  return entry;
}

// Of an entry that the kernel answered with: the source of its reply direction.
std::optional<FlowEnd> reply_source(const nf_conntrack* entry) {
  if (!nfct_attr_is_set(entry, ATTR_REPL_PORT_SRC)) return {};
  const uint16_t port = nfct_get_attr_u16(entry, ATTR_REPL_PORT_SRC);
  if (nfct_attr_is_set(entry, ATTR_REPL_IPV4_SRC)) return ipv4_end(nfct_get_attr_u32(entry, ATTR_REPL_IPV4_SRC), port);
  if (nfct_attr_is_set(entry, ATTR_REPL_IPV6_SRC)) return ipv6_end(nfct_get_attr(entry, ATTR_REPL_IPV6_SRC), port);
  return {};
}

class Conntrack : public FlowTable {
 public:
  Conntrack(Handle handle, Fd count) : handle_(std::move(handle)), count_(std::move(count)) {
    nfct_callback_register(handle_.get(), NFCT_T_ALL, take_answer, this);
  }

  bool is_in_use() override {
    char text[24] = {};
    return pread(count_.get(), text, sizeof text - 1, 0) > 0 && strcmp(text, "0\n") != 0;
  }

  std::optional<FlowEnd> answers_from(const Flow& flow) override {
    const Entry entry = entry_of(flow);
    answer_.reset();
    if (!entry || nfct_query(handle_.get(), NFCT_Q_GET, entry.get()) != 0) return {};
    return answer_;
  }

 private:
  static int take_answer(nf_conntrack_msg_type, nf_conntrack* entry, void* self) {
    static_cast<Conntrack*>(self)->answer_ = reply_source(entry);
    return NFCT_CB_CONTINUE;
  }

  Handle handle_;
  Fd count_;  // what is read of it is of the namespace that it was opened in
  std::optional<FlowEnd> answer_;
};

// In the namespace that the thread is in. Where nobody filters packets the kernel's modules are not loaded for us.
std::unique_ptr<FlowTable> open_here() {
  Fd count(open(kCount, O_RDONLY | O_CLOEXEC));
  if (!count) return nullptr;
  Handle handle(nfct_open(CONNTRACK, 0));
  if (!handle) return nullptr;
  return std::make_unique<Conntrack>(std::move(handle), std::move(count));
}

bool is_inode(const Fd& fd, uint32_t inode) {
  struct stat info;
  return fd && fstat(fd.get(), &info) == 0 && info.st_ino == inode;
}

}  // namespace

std::unique_ptr<FlowTable> open_flow_table(uint32_t netns, uint32_t pid) {
  const Fd own(open(kOwn, O_RDONLY | O_CLOEXEC));
  if (is_inode(own, netns)) return open_here();
  const Fd other(open(("/proc/" + std::to_string(pid) + "/ns/net").c_str(), O_RDONLY | O_CLOEXEC));
  if (!own || !is_inode(other, netns) || setns(other.get(), CLONE_NEWNET) != 0) return nullptr;
  auto table = open_here();
  if (setns(own.get(), CLONE_NEWNET) != 0) abort();  // the thread would go on in the wrong namespace
  return table;
}

}  // namespace sockeye
