// SPDX-License-Identifier: Apache-2.0
#include "run/live_run.h"

#include <algorithm>

#include "bpf/heirs.h"
#include "pipeline/translator.h"

namespace sockeye {

ObjectOptions LiveRun::object_options() const {
  ObjectOptions options;
  for (const CollectorSpec& wanted : spec_.collectors) options.collectors.push_back(wanted.collector->event.name);
  options.ring_bytes = spec_.ring_bytes;
  options.filters = with_containers(spec_.filters, spec_.containers, enricher_);
  options.new_cgroups = true;
  options.accept_owner = spec_.accept_owner;
  options.connect_errors = spec_.connect_errors;
  options.btf_file = spec_.btf_file;
  return options;
}

// What must be there before anything is attached.
Status LiveRun::prepare(Object& object) {
  auto source = LiveSource::open(object, spec_.collectors, enricher_, clock_);
  if (!source) return source.error();
  source_ = std::move(*source);
  news_.emplace(object);
  gate_.emplace(spec_.containers, enricher_, object.map_fd("verdict_by_container"));
  gate_->seed();
  return Ok{};
}

// Attaches first, then looks at what is there: what changes meanwhile is an event.
Status LiveRun::begin() {
  std::vector<const Collector*> collectors;
  for (const CollectorSpec& wanted : spec_.collectors) collectors.push_back(wanted.collector);
  auto outputs = Outputs::open(spec_, collectors, signals_);
  if (!outputs) return outputs.error();
  outputs_ = std::move(*outputs);
  auto object = Object::start(object_options(), [this](Object& loaded) { return prepare(loaded); });
  if (!object) return object.error();
  object_ = std::move(*object);
  if (std::any_of(collectors.begin(), collectors.end(), [](auto* each) { return each->needs_owner; }))
    owners_before_ = take_snapshot(*object_);
  return Ok{};
}

Result<RunResult> LiveRun::go() {
  std::vector<const EventType*> types;
  for (const CollectorSpec& wanted : spec_.collectors) types.push_back(&wanted.collector->event);
  Translator translator(types, Translations(), clock_);
  std::function<void(Batch&)> annotate;
  if (translator.is_wanted()) annotate = [&translator](Batch& batch) { translator.fill(batch); };

  Heirs heirs(*object_);
  const auto read_news = [&] {
    heirs.look();
    gate_->retry();
    news_->read([this](const container_key& cgroup) { gate_->hear_of(cgroup); });
  };
  Pipeline pipeline(*source_, enricher_, outputs_.sinks(), signals_, clock_, say_);
  RunResult result;
  result.totals = pipeline.run({.duration = spec_.duration,
                                .count = spec_.count,
                                .end_record = spec_.end_record,
                                .wanted = gate_->wanted(),
                                .annotate = annotate,
                                .read_news = read_news,
                                .news_fd = news_->wake_fd()});
  SOCKEYE_TRY(source_->status());
  return result;
}

}  // namespace sockeye
