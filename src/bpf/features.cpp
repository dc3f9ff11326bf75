// SPDX-License-Identifier: Apache-2.0
#include "bpf/features.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <cerrno>
#include <span>

#include "base/cgroup_mounts.h"
#include "bpf/host.h"

namespace sockeye {
namespace {

constexpr bpf_insn instruction(uint8_t code, uint8_t to = 0, uint8_t from = 0, int16_t offset = 0, int32_t number = 0) {
  bpf_insn made = {};
  made.code = code;
  made.dst_reg = to;
  made.src_reg = from;
  made.off = offset;
  made.imm = number;
  return made;
}

constexpr bpf_insn returning(int32_t number) {
  return instruction(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, number);
}
constexpr bpf_insn kExit = instruction(BPF_JMP | BPF_EXIT);
constexpr bpf_insn kNothing[] = {returning(0), kExit};

// bpf_probe_read_kernel() of eight bytes at address 0 to the stack.
constexpr bpf_insn kProbeRead[] = {
    instruction(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_10),
    instruction(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_1, 0, 0, -8),
    instruction(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_2, 0, 0, 8),
    instruction(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, 0, 0, 0),
    instruction(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_probe_read_kernel),
    returning(0),
    kExit,
};

// The program, or an empty Fd with errno.
Fd load_program(bpf_prog_type type, bpf_attach_type attach_type, uint32_t target, std::span<const bpf_insn> body) {
  LIBBPF_OPTS(bpf_prog_load_opts, options);
  options.expected_attach_type = attach_type;
  options.attach_btf_id = target;
  return Fd(bpf_prog_load(type, "sockeye_try", "GPL", body.data(), body.size(), &options));
}

Error refused(const std::string& what, int error, std::string hint) {
  return {ErrorCode::kNotPossible, what + ": " + errno_text(error), std::move(hint)};
}

Status is_whole(const Fd& cgroup2) {
  struct stat info;
  struct statfs filesystem;
  const bool is_cgroup2 =
      cgroup2 && fstatfs(cgroup2.get(), &filesystem) == 0 && filesystem.f_type == CGROUP2_SUPER_MAGIC;
  if (!is_cgroup2) {
    return Error{ErrorCode::kNotPossible, "no cgroup v2 hierarchy is mounted",
                 "mount -t cgroup2 none /sys/fs/cgroup, or the same at another place"};
  }
  constexpr ino_t kRoot = 1;  // the root of every hierarchy has this id (kernfs)
  if (fstat(cgroup2.get(), &info) == 0 && info.st_ino == kRoot) return Ok{};
  return Error{ErrorCode::kNotPossible, "only a part of the cgroup v2 hierarchy is mounted",
               "run it outside of the cgroup namespace"};
}

}  // namespace

Result<Features> Features::detect() {
  Features features;
  auto types = KernelTypes::load();
  if (!types) return types.error();
  features.types_ = std::move(*types);
  features.memlock_counts_maps_ = features.types().structure("bpf_map_memory") != 0;
  const auto mounts = find_cgroup_mounts("");
  if (mounts && mounts->v2)
    features.cgroup2_.reset(open(mounts->v2->point.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  features.whole_cgroup2_ = is_whole(features.cgroup2_);
  features.cgroup_v1_memory_ = mounts && mounts->v1_memory;
  const std::string lockdown = lockdown_mode();
  if (lockdown == "confidentiality") {
    features.may_probe_read_ = false;
  } else if (lockdown.empty()) {
    const uint32_t target = features.types().type_definition("btf_trace_inet_sock_set_state");
    const Fd program = load_program(BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, target, kProbeRead);
    features.may_probe_read_ = program || errno != EINVAL;  // a helper that there is not
  }
  return features;
}

bool Features::has_tracepoint(const std::string& name) const {
  return types().type_definition("btf_trace_" + name) != 0;
}

const Status& Features::tracing() const {
  if (tracing_) return *tracing_;
  const uint32_t target = types().type_definition("btf_trace_inet_sock_set_state");
  tracing_ = Ok{};
  if (target != 0 && !load_program(BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, target, kNothing)) {
    tracing_ =
        refused("programs at tracepoints are refused", errno,
                "run it as root (sudo sockeye ...), or with CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN and CAP_SYS_ADMIN");
  }
  return *tracing_;
}

const Status& Features::trampoline() const {
  if (!trampoline_) trampoline_ = try_trampoline();
  return *trampoline_;
}

Status Features::try_trampoline() const {
  const uint32_t function = types().function("tcp_connect");
  if (function == 0) return Error{ErrorCode::kNotPossible, "the kernel's BTF has no function tcp_connect", ""};
  const Fd program = load_program(BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, function, kNothing);
  if (!program) return refused("fentry and fexit programs are refused", errno, "");
  const Fd link(bpf_raw_tracepoint_open(nullptr, program.get()));
  if (!link) return refused("fentry and fexit programs do not attach", errno, "");
  return Ok{};
}

Status Features::module_types() const {
  __u32 id = 0;
  if (bpf_btf_get_next_id(id, &id) == 0 || errno == ENOENT) return Ok{};
  return refused("the types of modules, where libbpf looks for what this kernel lacks, cannot be read", errno,
                 "run it as root (sudo sockeye ...), or give it CAP_SYS_ADMIN");
}

const Status& Features::sockops() const {
  if (sockops_) return *sockops_;
  static constexpr bpf_insn kGoOn[] = {returning(1), kExit};
  sockops_ = Ok{};
  if (!load_program(BPF_PROG_TYPE_SOCK_OPS, BPF_CGROUP_SOCK_OPS, 0, kGoOn))
    sockops_ = refused("sockops programs are refused", errno, "give it CAP_NET_ADMIN");
  return *sockops_;
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
    settings.tcp_sock_type = types().structure("tcp_sock");
  }
  settings.may_probe_read = may_probe_read_;
  settings.has_cgroup_v1 = cgroup_v1_memory_;
  settings.follows_connections =
      types().structure("mptcp_subflow_context") != 0 && settings.has_socket_cookie && settings.may_probe_read;
  return settings;
}

}  // namespace sockeye
