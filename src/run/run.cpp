// SPDX-License-Identifier: Apache-2.0
#include "run/run.h"

#include <algorithm>

#include "base/text.h"
#include "run/live_run.h"
#include "run/replay_run.h"
#include "run/snapshot_run.h"

namespace sockeye {
namespace {

template <typename Kind>
Result<std::unique_ptr<Run>> begun(RunSpec spec, const Run::Say& say) {
  auto run = std::make_unique<Kind>(std::move(spec), say);
  SOCKEYE_TRY(run->begin());
  return std::unique_ptr<Run>(std::move(run));
}

}  // namespace

Result<std::unique_ptr<Run>> Run::start(RunSpec spec, const Say& say) {
  if (!spec.recording.empty()) return begun<ReplayRun>(std::move(spec), say);
  if (spec.collectors.front().collector->snapshot) return begun<SnapshotRun>(std::move(spec), say);
  return begun<LiveRun>(std::move(spec), say);
}

// A file of lines is begun anew (logrotate); what has none ends.
Signals::Hangup hangup_of(const RunSpec& spec) {
  const bool has_log = std::any_of(spec.sinks.begin(), spec.sinks.end(),
                                   [](auto& sink) { return !sink.option.empty() && sink.format == "line"; });
  return has_log ? Signals::Hangup::kReopens : Signals::Hangup::kStops;
}

std::string name_of_recording(const RunSpec& spec) {
  return spec.recording == "-" ? "standard input" : printable(spec.recording);
}

}  // namespace sockeye
