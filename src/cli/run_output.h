// SPDX-License-Identifier: Apache-2.0
// Where the events of a run go, and what is said of it beside them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/signals.h"
#include "bpf/object.h"
#include "cli/run_options.h"
#include "event/collector.h"
#include "event/sink.h"
#include "pipeline/pipeline.h"

namespace sockeye {

struct Sinks {
  std::vector<std::unique_ptr<Sink>> owned;
  std::vector<Sink*> all() const;
};

// Standard output in the form that was asked for, --log-file and --record. `facts`: of the recording that is replayed;
// where there is none, of this machine.
Result<Sinks> make_sinks(const RunOptions& options, const std::vector<const Collector*>& wanted, Signals* signals,
                         const RunFacts& facts = {});

// What SIGHUP means to a run with these outputs.
Signals::Hangup hangup_of(const RunOptions& options);

// What the run does less well than on a kernel that offers everything, in one line each.
void say_what_is_missing(const Object& object);

// What the tables of the kernel side had no room for; nothing where that was enough.
void say_what_found_no_room(const kernel_counters& counters);

// How many were delivered (of `what`, in the singular) and how many lost, where and why.
void say_totals(const RunTotals& totals, const std::string& what);

// Whether something was not written that was there to be: of a command that ends by itself, whoever runs it can run it
// again.
bool could_not_write(const RunTotals& totals);

// What nobody can tell the numbers of: the opener of a connection, for --direction; counters that do not fit together.
void say_left_out(const RunTotals& totals, const std::string& what);

}  // namespace sockeye
