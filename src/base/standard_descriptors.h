// SPDX-License-Identifier: Apache-2.0
// Descriptors 0, 1 and 2, which a program may be started without.
#pragma once

namespace sockeye {

// Opens /dev/null in the place of those that are closed: else the next file that is opened would be standard output.
// False: there is no /dev/null.
bool open_standard_descriptors();

}  // namespace sockeye
