// SPDX-License-Identifier: Apache-2.0
// A run that plays a recording. Nothing of the machine it runs on is looked at.
#pragma once

#include <optional>

#include "run/outputs.h"
#include "run/run.h"
#include "source/replay_source.h"

namespace sockeye {

class ReplayRun : public Run {
 public:
  ReplayRun(RunSpec spec, Say say) : spec_(std::move(spec)), say_(std::move(say)) {}
  Status begin();
  Result<RunResult> go() override;

 private:
  RunSpec spec_;
  const Say say_;
  std::unique_ptr<ReplaySource> source_;
  std::optional<Signals> signals_;  // the beginning of a recording is waited for without them
  Outputs outputs_;
};

}  // namespace sockeye
