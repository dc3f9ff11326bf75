// SPDX-License-Identifier: Apache-2.0
#include "bpf/features.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/bpf.h>

#include <cerrno>
#include <fstream>
#include <sstream>

namespace sockeye {
namespace {

struct Mounts {
  std::string cgroup2;
  bool cgroup_v1_memory = false;
};

// /proc/self/mountinfo: ... mount_point ... - type source super_options (proc(5)).
Mounts read_mounts() {
  Mounts mounts;
  std::ifstream file("/proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    std::istringstream head(line.substr(0, dash)), tail(line.substr(dash + 3));
    std::string id, parent, device, root, point, type, source, options;
    head >> id >> parent >> device >> root >> point;
    tail >> type >> source >> options;
    if (type == "cgroup2" && mounts.cgroup2.empty()) mounts.cgroup2 = point;
    if (type == "cgroup" && ("," + options + ",").find(",memory,") != std::string::npos) mounts.cgroup_v1_memory = true;
  }
  return mounts;
}

bool is_locked_down_for_confidentiality() {
  std::ifstream file("/sys/kernel/security/lockdown");
  std::string modes;
  std::getline(file, modes);
  return modes.find("[confidentiality]") != std::string::npos;
}

}  // namespace

Result<Features> Features::detect() {
  Features features;
  auto types = KernelTypes::load();
  if (!types) return types.error();
  features.types_ = std::move(*types);
  const Mounts mounts = read_mounts();
  if (!mounts.cgroup2.empty())
    features.cgroup2_.reset(open(mounts.cgroup2.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  features.cgroup_v1_memory_ = mounts.cgroup_v1_memory;
  features.lockdown_confidentiality_ = is_locked_down_for_confidentiality();
  return features;
}

bool Features::has_tracepoint(const std::string& name) const {
  return types().type_definition("btf_trace_" + name) != 0;
}

Result<Ok> Features::trampoline() const {
  const uint32_t function = types().function("tcp_connect");
  if (function == 0) return Error{ErrorCode::kNotPossible, "the kernel's BTF has no function tcp_connect", ""};
  bpf_insn body[2] = {};
  body[0].code = BPF_ALU64 | BPF_MOV | BPF_K;  // r0 = 0
  body[1].code = BPF_JMP | BPF_EXIT;
  LIBBPF_OPTS(bpf_prog_load_opts, options);
  options.expected_attach_type = BPF_TRACE_FENTRY;
  options.attach_btf_id = function;
  const Fd program(bpf_prog_load(BPF_PROG_TYPE_TRACING, "sockeye_try", "GPL", body, 2, &options));
  if (!program) return Error{ErrorCode::kNotPossible, "fentry programs are refused: " + errno_text(errno), ""};
  const Fd link(bpf_raw_tracepoint_open(nullptr, program.get()));
  if (!link) return Error{ErrorCode::kNotPossible, "fentry programs do not attach: " + errno_text(errno), ""};
  return Ok{};
}

kernel_settings Features::settings() const {
  kernel_settings settings = {};
  settings.has_socket_storage = types().function("bpf_sk_storage_get_tracing") != 0;
  settings.has_socket_cookie = types().function("bpf_get_socket_ptr_cookie") != 0;
  settings.has_current_btf = types().function("bpf_get_current_task_btf") != 0;
  settings.has_sock_from_file = types().function("bpf_sock_from_file") != 0;
  if (types().function("bpf_rdonly_cast") != 0) {
    settings.task_type = types().structure("task_struct");
    settings.sock_common_type = types().structure("sock_common");
  }
  settings.may_probe_read = !lockdown_confidentiality_;
  settings.has_cgroup_v1 = cgroup_v1_memory_;
  settings.follows_connections =
      types().structure("mptcp_subflow_context") != 0 && settings.has_socket_cookie && settings.may_probe_read;
  return settings;
}

}  // namespace sockeye
