// SPDX-License-Identifier: Apache-2.0
// What this kernel calls its reasons to drop a packet or to send a reset. The numbers differ between kernels, so that
// the kernel side puts the names into its events.
#pragma once

#include <string_view>

#include "bpf/kernel_types.h"
#include "bpf/settings.h"

namespace sockeye {

// Names without their prefixes; those that are too long are cut. Empty where the kernel has none (before 5.17,
// before 6.10).
reason_names name_reasons(const KernelTypes& types);

// The number of SKB_DROP_REASON_NOT_SPECIFIED; 0: this kernel has no reasons.
uint32_t reason_not_specified(const KernelTypes& types);

}  // namespace sockeye
