// SPDX-License-Identifier: Apache-2.0
#include "run/snapshot_run.h"

#include <bit>
#include <chrono>

#include "aggregate/holder_join.h"
#include "bpf/filter.h"
#include "pipeline/container_gate.h"

namespace sockeye {
namespace {

constexpr std::chrono::milliseconds kNamePatience(1000);  // for daemons that know names which no file tells

constexpr int kNoMap = -1;  // containers are asked for here alone

ContainerQuestions questions_of(const ContainerFilter& filter, ContainerGate& gate) {
  if (!filter.is_active()) return {};
  return {.wants = [&gate](const ::owner& process) { return gate.wants(process); },
          .excludes = [&gate](const ::owner& process) { return gate.excludes(process); },
          .needs_holder = !filter.wanted.empty()};
}

// The kernel side would leave the others out as well, after a walk through them.
NamespaceWalk::Wanted namespaces_of(const filter_rules& filters) {
  const auto named = static_cast<size_t>(std::popcount(filters.netns_inodes.wanted));
  return {.takes = [&filters](uint32_t inode) { return filter_netns(&filters, inode) != 0; },
          .most = named > 0 ? named : SIZE_MAX};
}

}  // namespace

Status SnapshotRun::begin() {
  const Collector* collector = spec_.collectors.front().collector;
  auto outputs = Outputs::open(spec_, std::span(&collector, 1), signals_);
  if (!outputs) return outputs.error();
  outputs_ = std::move(*outputs);
  ObjectOptions options;
  options.collectors = {collector->event.name};
  options.btf_file = spec_.btf_file;
  options.filters = without_owner_rules(spec_.filters);
  auto object = Object::load(options);
  if (!object) return object.error();
  object_ = std::move(*object);
  return Ok{};
}

Result<RunResult> SnapshotRun::go() {
  ContainerGate gate(spec_.containers, enricher_, kNoMap);
  enricher_.prepare(kNamePatience);
  SocketHolders holders;
  holders.read(*object_);
  HolderJoin join(holders, spec_.filters, questions_of(spec_.containers, gate));
  IteratorSource source(*object_, "visit_socket", namespaces_of(spec_.filters),
                        [&join](auto visit) { return join.complete(visit); });
  Pipeline pipeline(source, enricher_, outputs_.sinks(), signals_, clock_, say_);
  RunResult result;
  result.totals = pipeline.run({.count = spec_.count, .end_record = spec_.end_record});
  result.holders_limitation = holders.limitation();
  result.visits = source.report();
  if (result.visits.namespaces == 0 && !result.visits.limitation.empty() && !result.visits.is_cut_short) {
    return Error{ErrorCode::kFailed, result.visits.limitation, ""};
  }
  return result;
}

}  // namespace sockeye
