// SPDX-License-Identifier: Apache-2.0
// What tests on the kernel that runs need of it.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include "bpf/features.h"

namespace sockeye {

class KernelTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root: BPF programs are loaded";
    const auto features = Features::detect("");
    if (!features) GTEST_SKIP() << features.error().what;
  }
};

}  // namespace sockeye
