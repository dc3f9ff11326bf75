// SPDX-License-Identifier: Apache-2.0
// Comparison with committed text.
#pragma once

#include <string>
#include <string_view>

namespace sockeye {

// Fails the test where `text` is not, byte for byte, what the file holds, and shows the first difference. `path` is
// relative to the root of the source tree. With SOCKEYE_UPDATE_GOLDEN in the environment (./dev test --update) the file
// is written instead; a file that is not there fails the test without it.
void expect_golden(const std::string& path, std::string_view text);

// Fails the test where the file is not there; with SOCKEYE_UPDATE_GOLDEN it is then made of `bytes`. What it holds is
// not compared: for files that later versions have to read.
void expect_kept(const std::string& path, std::string_view bytes);

}  // namespace sockeye
