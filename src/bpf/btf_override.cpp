// SPDX-License-Identifier: Apache-2.0
#include "bpf/btf_override.h"

#include <bpf/btf.h>

#include "bpf/kernel_types.h"

namespace sockeye {
namespace {

std::span<const std::byte> lent;
bool asked = false;

}  // namespace

BtfOverride::BtfOverride(std::span<const std::byte> types) {
  lent = types;
  asked = false;
}

BtfOverride::~BtfOverride() { lent = {}; }

bool BtfOverride::were_asked_for() const { return asked; }

}  // namespace sockeye

// libbpf has no option for where these types are (btf_custom_path is for relocations only), but gets them by this
// function of its own; the dynamic linker takes a program's definition before a library's.
extern "C" btf* btf__load_vmlinux_btf() {
  sockeye::asked = true;
  if (sockeye::lent.empty()) return btf__parse(sockeye::kKernelBtf, nullptr);
  return btf__new(sockeye::lent.data(), static_cast<__u32>(sockeye::lent.size()));
}
