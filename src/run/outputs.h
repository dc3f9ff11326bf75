// SPDX-License-Identifier: Apache-2.0
// The sinks of a run, with their files.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/signals.h"
#include "event/collector.h"
#include "event/sink.h"
#include "run/run_spec.h"

namespace sockeye {

class Outputs {
 public:
  // `collectors`: whose events come. `recorded`: what the recording that is played says of the run that made it; null:
  // this machine makes the events.
  static Result<Outputs> open(const RunSpec& spec, std::span<const Collector* const> collectors, Signals& signals,
                              const RunFacts* recorded = nullptr);

  std::vector<Sink*> sinks() const;

 private:
  std::vector<std::unique_ptr<Sink>> sinks_;
};

}  // namespace sockeye
