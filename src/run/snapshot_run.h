// SPDX-License-Identifier: Apache-2.0
// A run that shows what there is now, from iterators, and ends: a collector with `snapshot`.
#pragma once

#include "run/machine_run.h"

namespace sockeye {

class SnapshotRun : public MachineRun {
 public:
  SnapshotRun(RunSpec spec, Say say) : MachineRun(std::move(spec), std::move(say)) {}
  Status begin();

  Result<RunResult> go() override;
};

}  // namespace sockeye
