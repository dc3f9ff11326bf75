// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace sockeye {

// Until all programs that are running now have ended: what one of them had read before may have been changed since.
// Mostly 10 to 20 ms.
void wait_for_running_programs();

}  // namespace sockeye
