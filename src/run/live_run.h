// SPDX-License-Identifier: Apache-2.0
// A run that watches this machine: events as they happen, and rows.
#pragma once

#include <optional>

#include "pipeline/container_gate.h"
#include "run/live_source.h"
#include "run/machine_run.h"
#include "source/cgroup_news.h"

namespace sockeye {

class LiveRun : public MachineRun {
 public:
  LiveRun(RunSpec spec, Say say) : MachineRun(std::move(spec), std::move(say)) {}
  Status begin();

  const SnapshotReport* owners_before() const override { return owners_before_ ? &*owners_before_ : nullptr; }
  Result<RunResult> go() override;

 private:
  ObjectOptions object_options() const;
  Status prepare(Object& object);

  std::unique_ptr<LiveSource> source_;
  std::optional<CgroupNews> news_;
  std::optional<ContainerGate> gate_;
  std::optional<SnapshotReport> owners_before_;  // none: no collector asks for owners of sockets
};

}  // namespace sockeye
