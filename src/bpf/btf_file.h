// SPDX-License-Identifier: Apache-2.0
// The types of the kernel from elsewhere than KernelTypes::load() has them: a file that the user names (--btf), and the
// kernel itself.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"

namespace sockeye {

// The raw BTF of a regular file: all of it, or what an ELF file (vmlinux) has in its section .BTF. Whether it is BTF is
// not looked at. The error's `what` is the reason alone.
Result<std::vector<std::byte>> read_btf_file(const std::string& path);

// What the running kernel says its types are, where it tells: in /sys/kernel/btf/vmlinux, or by the id of its BTF (from
// 5.11 on, to CAP_SYS_ADMIN). Empty: it does not.
std::vector<std::byte> running_kernel_btf();

}  // namespace sockeye
