// SPDX-License-Identifier: Apache-2.0
#include "doctor/machine.h"

#include <cap-ng.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <sstream>

#include "base/cgroup_mounts.h"
#include "base/fd.h"
#include "base/mountinfo.h"
#include "base/read_file.h"
#include "base/result.h"
#include "base/text.h"
#include "bpf/host.h"
#include "bpf/kernel_types.h"

namespace sockeye {
namespace {

constexpr size_t kMaxFile = 64 * 1024;

// The whole of a small file without its last line end; empty where it cannot be read.
std::string text_of(const std::string& path) {
  auto text = read_file(AT_FDCWD, path, kMaxFile);
  if (!text) return "";
  if (text->ends_with('\n')) text->pop_back();
  return std::move(*text);
}

// The soft limit of a line of /proc/PID/limits, "Max locked memory  8388608  8388608  bytes"; none: unlimited, or the
// line is not there.
std::optional<uint64_t> soft_limit(const std::string& limits, const std::string& name) {
  const size_t at = limits.find(name);
  if (at == std::string::npos) return std::nullopt;
  std::istringstream rest(limits.substr(at + name.size()));
  std::string soft;
  rest >> soft;
  return number_in<uint64_t>(soft);
}

// Where the first file system of a type is mounted; empty: nowhere.
std::string mount_point_of(const std::string& root, std::string_view type) {
  const auto mountinfo = read_file(AT_FDCWD, root + "/proc/self/mountinfo", kMaxMountinfo);
  std::string point;
  if (!mountinfo) return point;
  for_each_mount(*mountinfo, [&](const Mount& mount) {
    if (point.empty() && mount.type == type) point = mount.point;
  });
  return point;
}

// What follows `prefix` in the line of /proc/self/cgroup that begins a hierarchy with it: "0::/path", "4:memory:/path".
std::string cgroup_path(const std::string& cgroups, const std::string& hierarchy) {
  std::istringstream lines(cgroups);
  for (std::string line; std::getline(lines, line);) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::string_view rest = std::string_view(line).substr(colon + 1);
    if (rest.starts_with(hierarchy + ":")) return std::string(rest.substr(hierarchy.size() + 1));
  }
  return "";
}

// The least limit from the cgroup at `path` up to the one that is mounted.
void lower_to_cgroup(const std::string& mount, std::string path, const std::string& file,
                     std::optional<uint64_t>& limit) {
  constexpr uint64_t kUnlimited = uint64_t{1} << 62;  // v1 writes its greatest number of pages
  for (;;) {
    const auto found = number_in<uint64_t>(text_of(mount + path + "/" + file));
    if (found && *found < kUnlimited) limit = std::min(limit.value_or(kUnlimited), *found);
    const size_t slash = path.rfind('/');
    if (slash == std::string::npos) return;
    path.resize(slash);
  }
}

void read_cgroups(const std::string& root, Machine& machine) {
  const auto mounts = find_cgroup_mounts(root);
  if (!mounts) return;
  const std::string own = text_of(root + "/proc/self/cgroup");
  if (mounts->v2) {
    machine.cgroup2 = mounts->v2->point;
    lower_to_cgroup(root + machine.cgroup2, cgroup_path(own, ""), "memory.max", machine.limits.cgroup);
  }
  if (mounts->v1_memory) {
    machine.cgroup_v1_memory = mounts->v1_memory->point;
    lower_to_cgroup(root + machine.cgroup_v1_memory, cgroup_path(own, "memory"), "memory.limit_in_bytes",
                    machine.limits.cgroup);
  }
}

void read_btf(const std::string& root, const std::string& btf_file, Machine& machine) {
  machine.btf_path = btf_file.empty() ? kKernelBtf : btf_file;
  const std::string path = root + machine.btf_path;
  struct stat info;
  const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) machine.btf_problem = errno_text(errno);
  if (stat(path.c_str(), &info) == 0) machine.btf_bytes = static_cast<uint64_t>(info.st_size);
}

bool is_process_1_guarded(const std::string& root, const std::vector<CapabilityState>& capabilities) {
  const bool may_trace = std::any_of(capabilities.begin(), capabilities.end(), [](const CapabilityState& capability) {
    return capability.name == "CAP_SYS_PTRACE" && capability.effective;
  });
  struct stat info;
  return may_trace && stat((root + "/proc/1/ns/net").c_str(), &info) != 0 && (errno == EACCES || errno == EPERM);
}

}  // namespace

std::vector<CapabilityState> read_capabilities() {
  struct Need {
    unsigned capability;
    const char* name;
    std::string_view needed_for;
  };
  static constexpr Need kNeeds[] = {
      {CAP_BPF, "CAP_BPF", "maps and programs"},
      {CAP_PERFMON, "CAP_PERFMON", "programs that look into the kernel, as all of sockeye's do"},
      {CAP_NET_ADMIN, "CAP_NET_ADMIN",
       "the methods sockops of the hook syn_sent and getpeername of accepted; where connections are translated to"},
      {CAP_SYS_ADMIN, "CAP_SYS_ADMIN",
       "entering other network namespaces; stands for CAP_BPF and CAP_PERFMON, and for the methods of CAP_NET_ADMIN"},
      {CAP_SYS_PTRACE, "CAP_SYS_PTRACE", "finding the network namespaces of other users' processes"},
      {CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH", "names of containers; cgroups by their ids"},
      {CAP_SYS_RESOURCE, "CAP_SYS_RESOURCE", "raising RLIMIT_MEMLOCK, where maps count against it"},
  };
  capng_clear(CAPNG_SELECT_ALL);
  const bool is_known = capng_get_caps_process() == 0;
  std::vector<CapabilityState> states;
  for (const Need& need : kNeeds) {
    const bool effective = is_known && capng_have_capability(CAPNG_EFFECTIVE, need.capability) == 1;
    states.push_back({need.name, need.needed_for, effective});
  }
  return states;
}

Machine read_machine(const std::string& root, const std::string& btf_file) {
  Machine machine;
  utsname system = {};
  if (uname(&system) == 0) machine.architecture = system.machine;
  machine.kernel = text_of(root + "/proc/sys/kernel/osrelease");
  read_btf(root, btf_file, machine);
  machine.lockdown = lockdown_mode(root);
  machine.capabilities = read_capabilities();
  machine.guards_process_1 = is_process_1_guarded(root, machine.capabilities);
  machine.initial_user_namespace = is_in_initial_namespace(NamespaceKind::kUser, root);
  machine.initial_pid_namespace = is_in_initial_namespace(NamespaceKind::kPid, root);
  machine.unprivileged_bpf_disabled = number_in<uint64_t>(text_of(root + "/proc/sys/kernel/unprivileged_bpf_disabled"));
  machine.jit = number_in<uint64_t>(text_of(root + "/proc/sys/net/core/bpf_jit_enable"));
  machine.bpf_stats = number_in<uint64_t>(text_of(root + "/proc/sys/kernel/bpf_stats_enabled"));
  machine.tracefs = mount_point_of(root, "tracefs");
  const std::string limits = text_of(root + "/proc/self/limits");
  machine.limits.memlock = soft_limit(limits, "Max locked memory");
  machine.limits.files = soft_limit(limits, "Max open files");
  read_cgroups(root, machine);
  return machine;
}

}  // namespace sockeye
