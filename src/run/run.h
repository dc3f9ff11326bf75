// SPDX-License-Identifier: Apache-2.0
// A run: what a RunSpec says, wired. Sources, what is done to their events on the way, and sinks meet here and nowhere
// else.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/signals.h"
#include "bpf/object.h"
#include "bpf/snapshot.h"
#include "pipeline/pipeline.h"
#include "record/reader.h"
#include "run/run_spec.h"
#include "source/iterator_source.h"

namespace sockeye {

struct RunResult {
  RunTotals totals;
  // Of a snapshot.
  IteratorReport visits = {};
  std::string holders_limitation = {};  // what is not known of who holds sockets, and why; empty: all is
  // Of a recording.
  std::optional<record::Damage> damage = {};
  uint64_t events_read = 0;
  uint64_t events_unknown = 0;                       // to this sockeye
  std::vector<std::string> collectors_unknown = {};  // likewise
};

class Run {
 public:
  // A line for people.
  using Say = std::function<void(const std::string& line)>;

  // Opens the outputs, then what events come from. A run that looks at this machine is attached when this returns.
  static Result<std::unique_ptr<Run>> start(RunSpec spec, const Say& say);
  virtual ~Run() = default;

  // Null: a recording is played.
  virtual const Object* object() const { return nullptr; }
  // Who had the sockets that were there before; null: nobody asks.
  virtual const SnapshotReport* owners_before() const { return nullptr; }

  // To its end: by a signal, the spec, the reader of standard output, or since there is no more.
  virtual Result<RunResult> go() = 0;
};

// What SIGHUP means to a run with these outputs.
Signals::Hangup hangup_of(const RunSpec& spec);

// The recording that is played, for messages.
std::string name_of_recording(const RunSpec& spec);

}  // namespace sockeye
