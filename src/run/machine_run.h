// SPDX-License-Identifier: Apache-2.0
// What the runs have in common that look at this machine: outputs, who knows names, and the kernel side.
#pragma once

#include <memory>
#include <utility>

#include "base/clock.h"
#include "enrich/enricher.h"
#include "run/outputs.h"
#include "run/run.h"

namespace sockeye {

class MachineRun : public Run {
 public:
  const Object* object() const override { return object_.get(); }

 protected:
  MachineRun(RunSpec spec, Say say) : spec_(std::move(spec)), say_(std::move(say)), signals_(hangup_of(spec_)) {}

  const RunSpec spec_;
  const Say say_;
  Signals signals_;  // before whatever starts a thread
  const SystemClock clock_;
  Outputs outputs_;
  Enricher enricher_;
  std::unique_ptr<Object> object_;
};

}  // namespace sockeye
