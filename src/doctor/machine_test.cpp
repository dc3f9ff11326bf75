// SPDX-License-Identifier: Apache-2.0
#include "doctor/machine.h"

#include <gtest/gtest.h>
#include <linux/capability.h>

#include <filesystem>
#include <fstream>

#include "base/fake_root_for_tests.h"

namespace sockeye {
namespace {

TEST(Machine, WhereThereIsNothingNothingIsKnown) {
  const FakeRoot root;
  const Machine machine = read_machine(root.path());
  EXPECT_EQ(machine.kernel, "");
  EXPECT_EQ(machine.btf_problem, "No such file or directory");
  EXPECT_FALSE(machine.btf_bytes);
  EXPECT_EQ(machine.lockdown, "");
  EXPECT_FALSE(machine.unprivileged_bpf_disabled);
  EXPECT_FALSE(machine.jit);
  EXPECT_FALSE(machine.limits.memlock);
  EXPECT_FALSE(machine.limits.cgroup);
  EXPECT_EQ(machine.tracefs, "");
  EXPECT_EQ(machine.cgroup2, "");
  EXPECT_TRUE(machine.initial_pid_namespace);
}

TEST(Machine, LockdownIsTheModeInBrackets) {
  const FakeRoot root;
  for (const auto& [text, mode] : {std::pair("[none] integrity confidentiality\n", "none"),
                                   std::pair("none [integrity] confidentiality\n", "integrity"),
                                   std::pair("none integrity [confidentiality]\n", "confidentiality"),
                                   std::pair("] [\n", ""), std::pair("[none", ""), std::pair("", "")}) {
    root.file("/sys/kernel/security/lockdown", text);
    EXPECT_EQ(read_machine(root.path()).lockdown, mode) << text;
  }
}

TEST(Machine, SettingsAreNumbersOrNotThere) {
  const FakeRoot root;
  root.file("/proc/sys/kernel/osrelease", "6.1.0-50-amd64\n");
  root.file("/proc/sys/kernel/unprivileged_bpf_disabled", "2\n");
  root.file("/proc/sys/net/core/bpf_jit_enable", "x\n");
  root.file("/proc/sys/kernel/bpf_stats_enabled", "0\n");
  root.file("/sys/kernel/btf/vmlinux", "twelve bytes");
  const Machine machine = read_machine(root.path());
  EXPECT_EQ(machine.kernel, "6.1.0-50-amd64");
  EXPECT_EQ(machine.unprivileged_bpf_disabled, 2u);
  EXPECT_FALSE(machine.jit);
  EXPECT_EQ(machine.bpf_stats, 0u);
  EXPECT_EQ(machine.btf_bytes, 12u);
  EXPECT_EQ(machine.btf_problem, "");
}

TEST(Machine, TheTypesOfTheKernelMayBeElsewhere) {
  const FakeRoot root;
  root.file("/copy", "four");
  const Machine machine = read_machine(root.path(), "/copy");
  EXPECT_EQ(machine.btf_path, "/copy");
  EXPECT_EQ(machine.btf_bytes, 4u);
}

TEST(Machine, LimitsAreTheSoftOnes) {
  const FakeRoot root;
  root.file("/proc/self/limits",
            "Limit                     Soft Limit           Hard Limit           Units     \n"
            "Max open files            1024                 524288               files     \n"
            "Max locked memory         65536                unlimited            bytes     \n");
  MemoryLimits limits = read_machine(root.path()).limits;
  EXPECT_EQ(limits.memlock, 65536u);
  EXPECT_EQ(limits.files, 1024u);
  root.file("/proc/self/limits", "Max locked memory         unlimited            unlimited            bytes\n");
  limits = read_machine(root.path()).limits;
  EXPECT_FALSE(limits.memlock);
  EXPECT_FALSE(limits.files);
}

TEST(Machine, MemoryIsLimitedByTheLeastOfTheCgroupsAbove) {
  const FakeRoot root;
  root.mount_v2();
  root.file("/proc/self/cgroup", "0::/system.slice/sockeye.service\n");
  root.file("/sys/fs/cgroup/system.slice/memory.max", "67108864\n");
  root.file("/sys/fs/cgroup/system.slice/sockeye.service/memory.max", "max\n");
  Machine machine = read_machine(root.path());
  EXPECT_EQ(machine.cgroup2, "/sys/fs/cgroup");
  EXPECT_EQ(machine.cgroup_v1_memory, "");
  EXPECT_EQ(machine.limits.cgroup, 67108864u);
  root.file("/sys/fs/cgroup/system.slice/sockeye.service/memory.max", "4096\n");
  EXPECT_EQ(read_machine(root.path()).limits.cgroup, 4096u);
}

TEST(Machine, InAHybridHierarchyTheFirstVersionLimits) {
  const FakeRoot root;
  root.mount_hybrid();
  root.file("/proc/self/cgroup", "4:memory:/a/b\n1:name=systemd:/a\n0::/\n");
  root.file("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  root.file("/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "1048576\n");
  const Machine machine = read_machine(root.path());
  EXPECT_EQ(machine.cgroup2, "/sys/fs/cgroup/unified");
  EXPECT_EQ(machine.cgroup_v1_memory, "/sys/fs/cgroup/memory");
  EXPECT_EQ(machine.limits.cgroup, 1048576u);
}

TEST(Machine, TracefsIsFoundAmongTheMounts) {
  const FakeRoot root;
  root.mountinfo(root.mount("/", "/proc", "- proc proc rw") +
                 root.mount("/", "/sys/kernel/tracing", "shared:9 - tracefs tracefs rw"));
  EXPECT_EQ(read_machine(root.path()).tracefs, "/sys/kernel/tracing");
}

TEST(Machine, AMountPointIsWhatItIsCalledNotWhatProcWrites) {
  const FakeRoot root;
  root.mountinfo(root.mount("/", "/tr\\040x\\134y", "- tracefs tracefs rw"));
  EXPECT_EQ(read_machine(root.path()).tracefs, "/tr x\\y");
}

TEST(Machine, NamespacesAreKnownByTheirNumbers) {
  const FakeRoot root;
  root.directory("/proc/self/ns");
  std::filesystem::create_symlink("pid:[4026531836]", root.path() + "/proc/self/ns/pid");
  std::filesystem::create_symlink("user:[4026532000]", root.path() + "/proc/self/ns/user");
  const Machine machine = read_machine(root.path());
  EXPECT_TRUE(machine.initial_pid_namespace);
  EXPECT_FALSE(machine.initial_user_namespace);
}

// The witness is the mask in /proc/self/status.
TEST(Machine, CapabilitiesAreThoseOfThisProcess) {
  uint64_t effective = 0;
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("CapEff:")) effective = std::stoull(line.substr(7), nullptr, 16);
  }
  const auto states = read_capabilities();
  ASSERT_EQ(states.size(), 7u);
  const unsigned numbers[] = {CAP_BPF,        CAP_PERFMON,         CAP_NET_ADMIN,   CAP_SYS_ADMIN,
                              CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH, CAP_SYS_RESOURCE};
  for (size_t i = 0; i < states.size(); ++i) {
    EXPECT_EQ(states[i].effective, (effective >> numbers[i] & 1) != 0) << states[i].name;
  }
}

}  // namespace
}  // namespace sockeye
