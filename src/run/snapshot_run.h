// SPDX-License-Identifier: Apache-2.0
// A run that shows what there is now, from iterators, and ends: a collector with `snapshot`.
#pragma once

#include "base/clock.h"
#include "enrich/enricher.h"
#include "run/outputs.h"
#include "run/run.h"

namespace sockeye {

class SnapshotRun : public Run {
 public:
  SnapshotRun(RunSpec spec, Say say) : spec_(std::move(spec)), say_(std::move(say)), signals_(hangup_of(spec_)) {}
  Status begin();

  const Object* object() const override { return object_.get(); }
  Result<RunResult> go() override;

 private:
  const RunSpec spec_;
  const Say say_;
  Signals signals_;
  const SystemClock clock_;
  Outputs outputs_;
  Enricher enricher_;
  std::unique_ptr<Object> object_;
};

}  // namespace sockeye
