// SPDX-License-Identifier: Apache-2.0
// A run that watches this machine: events as they happen, and rows.
#pragma once

#include <optional>

#include "base/clock.h"
#include "enrich/enricher.h"
#include "pipeline/container_gate.h"
#include "run/live_source.h"
#include "run/outputs.h"
#include "run/run.h"
#include "source/cgroup_news.h"

namespace sockeye {

class LiveRun : public Run {
 public:
  LiveRun(RunSpec spec, Say say) : spec_(std::move(spec)), say_(std::move(say)), signals_(hangup_of(spec_)) {}
  Status begin();

  const Object* object() const override { return object_.get(); }
  const SnapshotReport* owners_before() const override { return owners_before_ ? &*owners_before_ : nullptr; }
  Result<RunResult> go() override;

 private:
  ObjectOptions object_options() const;
  Status prepare(Object& object);

  const RunSpec spec_;
  const Say say_;
  Signals signals_;
  const SystemClock clock_;
  Outputs outputs_;
  Enricher enricher_;
  std::unique_ptr<Object> object_;
  std::unique_ptr<LiveSource> source_;
  std::optional<CgroupNews> news_;
  std::optional<ContainerGate> gate_;
  std::optional<SnapshotReport> owners_before_;  // none: no collector asks for owners of sockets
};

}  // namespace sockeye
