// SPDX-License-Identifier: Apache-2.0
#include "bpf/features.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "base/cgroup_mounts.h"
#include "base/text.h"
#include "bpf/btf_file.h"
#include "bpf/host.h"
#include "bpf/reason_names.h"

namespace sockeye {
namespace {

const std::string kSetState = "inet_sock_set_state";
const std::string kSetStateType = "btf_trace_" + kSetState;
const std::string kBtfRemedy =
    "it is for /sys/kernel/btf/vmlinux of the kernel that runs, copied from where it can be read, or its vmlinux";

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

constexpr bpf_insn kGoOn[] = {returning(1), kExit};  // of programs at cgroups: 1 is "allowed"

// The program, or an empty Fd with errno. `log`: room for what the verifier says.
Fd load_program(bpf_prog_type type, bpf_attach_type attach_type, uint32_t target, std::span<const bpf_insn> body,
                std::span<char> log = {}) {
  LIBBPF_OPTS(bpf_prog_load_opts, options);
  options.expected_attach_type = attach_type;
  options.attach_btf_id = target;
  options.log_level = log.empty() ? 0 : 1;
  options.log_buf = log.data();
  options.log_size = static_cast<__u32>(log.size());
  return Fd(bpf_prog_load(type, "sockeye_try", "GPL", body.data(), body.size(), &options));
}

// What the running kernel calls a type that a tracing program would attach to; empty: it does not say. A program that
// reads between two arguments is refused with the words "func 'NAME' offset 4 is not multiple of 8" (btf_ctx_access()).
std::string name_in_kernel(bpf_attach_type attach_type, uint32_t target) {
  static constexpr bpf_insn kBetweenArguments[] = {
      instruction(BPF_LDX | BPF_MEM | BPF_W, BPF_REG_0, BPF_REG_1, 4),
      returning(0),
      kExit,
  };
  std::vector<char> log(16 * 1024);
  const Fd none = load_program(BPF_PROG_TYPE_TRACING, attach_type, target, kBetweenArguments, log);
  const std::string_view words(log.data(), strnlen(log.data(), log.size()));
  constexpr std::string_view kBefore = "func '";
  const size_t begin = words.find(kBefore);
  if (none || begin == std::string_view::npos) return "";
  const std::string_view name = words.substr(begin + kBefore.size());
  return std::string(name.substr(0, name.find('\'')));
}

Error refused(const std::string& what, int error, std::string hint) {
  if (error == EMFILE || error == ENFILE) return too_many_files(what, error);
  return {ErrorCode::kNotPossible, what + ": " + errno_text(error), std::move(hint)};
}

// The coarse clocks advance with each jiffy: their resolution is TICK_NSEC, 1 / CONFIG_HZ.
uint32_t tick_ns() {
  timespec resolution = {};
  clock_getres(CLOCK_MONOTONIC_COARSE, &resolution);
  return static_cast<uint32_t>(resolution.tv_nsec);
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

// The user's file will not do.
Error Features::wrong_file(const std::string& why) const {
  return {ErrorCode::kUsage, "--btf " + printable(btf_file_) + ": " + why, kBtfRemedy};
}

Status Features::read_types(const std::string& btf_file) {
  if (btf_file.empty()) {
    auto types = KernelTypes::load();
    if (!types) {
      return Error{ErrorCode::kNotPossible,
                   std::string("the kernel's types (BTF) cannot be read: ") + kKernelBtf + ": " + types.error().what,
                   "where it is only hidden from here (a container), give a copy: --btf FILE; else this kernel was "
                   "built without CONFIG_DEBUG_INFO_BTF"};
    }
    types_ = std::move(*types);
    are_types_sure_ = true;
    return Ok{};
  }
  btf_file_ = btf_file;
  auto bytes = read_btf_file(btf_file);
  if (!bytes) return wrong_file(bytes.error().what);
  auto types = KernelTypes::take(std::move(*bytes));
  if (!types) return wrong_file(types.error().what);
  if (types->type_definition(kSetStateType) == 0) return wrong_file("these are not the types of a kernel");
  const std::vector<std::byte> running = running_kernel_btf();
  are_types_sure_ = std::equal(types->bytes().begin(), types->bytes().end(), running.begin(), running.end());
  if (!running.empty() && !are_types_sure_) return wrong_file("these are the types of another kernel");
  types_ = std::move(*types);
  return Ok{};
}

Status Features::confirm_target(bpf_attach_type attach_type, const std::string& target) const {
  if (are_types_sure_) return Ok{};
  const std::string expected = (attach_type == BPF_TRACE_ITER ? "bpf_iter_" : "") + target;
  const uint32_t id =
      attach_type == BPF_TRACE_RAW_TP ? types().type_definition("btf_trace_" + target) : types().function(expected);
  const std::string name = name_in_kernel(attach_type, id);
  if (name == expected) return Ok{};
  return wrong_file("these are the types of another kernel: where they have " + expected + " this one has " +
                    (name.empty() ? "something else" : printable(name)));
}

Result<Features> Features::detect(const std::string& btf_file) {
  Features features;
  SOCKEYE_TRY(features.read_types(btf_file));
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
    const uint32_t target = features.types().type_definition(kSetStateType);
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
  const uint32_t target = types().type_definition(kSetStateType);
  tracing_ = Ok{};
  if (target == 0) return *tracing_;
  const Fd program = load_program(BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, target, kNothing);
  const int error = program ? 0 : errno;
  if (error != 0) {
    tracing_ =
        refused("programs at tracepoints are refused", error,
                "run it as root (sudo sockeye ...), or with CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN and CAP_SYS_ADMIN");
  }
  if (error != EPERM) {  // else nothing can be asked
    if (const Status confirmed = confirm_target(BPF_TRACE_RAW_TP, kSetState); !confirmed) tracing_ = confirmed;
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
  sockops_ = Ok{};
  if (!load_program(BPF_PROG_TYPE_SOCK_OPS, BPF_CGROUP_SOCK_OPS, 0, kGoOn))
    sockops_ = refused("sockops programs are refused", errno, "give it CAP_NET_ADMIN");
  return *sockops_;
}

const Status& Features::getpeername() const {
  if (getpeername_) return *getpeername_;
  getpeername_ = Ok{};
  if (!load_program(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_GETPEERNAME, 0, kGoOn))
    getpeername_ = refused("programs at getpeername() are refused", errno, "give it CAP_NET_ADMIN");
  return *getpeername_;
}

bool Features::is_realtime() const {
  const uint32_t mutex = types().structure("rt_mutex_base");
  return mutex != 0 && types().member_type("spinlock", "lock") == mutex;
}

bool Features::ring_may_sleep() const {
  const uint32_t lock = types().member_type("bpf_ringbuf", "spinlock");
  return is_realtime() && lock != 0 && lock == types().type_definition("spinlock_t");
}

// Since 6.1 hashes have an allocator that programs may use wherever they run (bpf_mem_alloc). A bucket, of which there
// is one or two for each entry, is 16 bytes: 1/4,096 of the memory at most, 1 MiB at least.
EntryTable Features::entry_table() const {
  constexpr uint64_t kLeast = 65536, kMost = 4 << 20, kMemoryOfSocket = 64 << 10;
  if (types().structure("bpf_mem_alloc") == 0) return {kLeast, true};
  const auto memory = static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return {static_cast<uint32_t>(std::clamp(memory / kMemoryOfSocket, kLeast, kMost)), false};
}

kernel_settings Features::settings() const {
  kernel_settings settings = {};
  // To make it takes kmalloc(), which may sleep on PREEMPT_RT; tracepoints run with preemption off until 7.0.
  settings.has_socket_storage = types().function("bpf_sk_storage_get_tracing") != 0 && !is_realtime();
  settings.has_socket_cookie = types().function("bpf_get_socket_ptr_cookie") != 0;
  settings.has_current_btf = types().function("bpf_get_current_task_btf") != 0;
  settings.has_task_regs = types().function("bpf_task_pt_regs") != 0;
  settings.has_sock_from_file = types().function("bpf_sock_from_file") != 0;
  if (types().function("bpf_rdonly_cast") != 0) {
    settings.task_type = types().structure("task_struct");
    settings.sock_common_type = types().structure("sock_common");
    settings.tcp_sock_type = types().structure("tcp_sock");
    settings.in6_addr_type = types().structure("in6_addr");
  }
  settings.tells_failed_retransmits = types().arguments("tcp_retransmit_skb") == 3;
  settings.tick_ns = tick_ns();
  settings.names_functions = types().function("bpf_snprintf") != 0;
  settings.drop_arguments = static_cast<__u8>(std::max(0, types().arguments("kfree_skb")));
  settings.reason_not_specified = static_cast<__u8>(reason_not_specified(types()));
  settings.reset_arguments = static_cast<__u8>(std::max(0, types().arguments("tcp_send_reset")));
  settings.may_probe_read = may_probe_read_;
  settings.reads_own_call = settings.has_task_regs && may_probe_read_;
  settings.has_cgroup_v1 = cgroup_v1_memory_;
  settings.follows_connections =
      types().structure("mptcp_subflow_context") != 0 && settings.has_socket_cookie && settings.may_probe_read;
  return settings;
}

}  // namespace sockeye
