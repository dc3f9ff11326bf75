// SPDX-License-Identifier: Apache-2.0
// What is to be run, as data: verbs make it of their words, and Run alone wires what it says.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aggregate/row_source.h"
#include "bpf/filter_rules.h"
#include "event/collector.h"
#include "event/container_filter.h"
#include "event/sink.h"

namespace sockeye {

struct CollectorSpec {
  const Collector* collector;
  std::optional<RowsWanted> rows = {};  // none: its events, or of a snapshot what there is
};

// Where events go, and in which form.
struct SinkSpec {
  std::string format;
  std::string option = {};  // by which its file is given, for messages; empty: standard output
  std::string path = {};
  bool colour = false;
  std::optional<TimeStyle> times = {};  // as SinkOptions has it
  int json_version = kJsonVersion;
};

struct RunSpec {
  // A file of --record that is played (- is standard input); empty: the run looks at this machine.
  std::string recording = {};
  // Not empty, unless a recording is played, all of which is wanted then. A snapshot goes alone.
  std::vector<CollectorSpec> collectors = {};
  filter_rules filters = {};
  std::vector<std::string> interfaces = {};  // of a recording: that the filters number in place of namespaces, from 1
  ContainerFilter containers = {};
  std::string view = {};                                  // as SinkOptions has it; of a recording what its run had
  std::vector<SinkSpec> sinks = {};                       // not empty
  std::optional<std::chrono::nanoseconds> duration = {};  // of a recording: of recorded time
  std::optional<uint64_t> count = {};
  bool end_record = false;

  // What a run that looks at this machine takes of the kernel.
  uint32_t ring_bytes = 0;
  std::string btf_file = {};  // empty: none
  bool accept_owner = false;
  bool connect_errors = false;
};

}  // namespace sockeye
