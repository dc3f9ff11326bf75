// SPDX-License-Identifier: Apache-2.0
// `sockeye list`: what there is, the same on every machine: collectors with their fields, moments, formats. It asks the
// kernel for nothing; what of it works here is the answer of `sockeye doctor`.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "bpf/object.h"
#include "cli/commands/commands.h"
#include "docs/output_docs.h"
#include "event/collector.h"
#include "event/loss.h"
#include "event/sink.h"

namespace sockeye {
namespace {

std::string_view word_of(FieldType type) {
  switch (type) {
    case FieldType::kUnsigned:
    case FieldType::kMicros: return "number";
    case FieldType::kTime: return "time";
    case FieldType::kAddress: return "address";
    case FieldType::kText:
    case FieldType::kContext: return "text";
    case FieldType::kEnum: return "word";
    case FieldType::kFlag:
    case FieldType::kLate: return "flag";
    case FieldType::kList: return "list";
  }
  return "";
}

void print_fields(const EventType& type) {
  for (const Field* field : fields_of(type)) {
    printf("    %-14s %-8s %-8s %s\n", std::string(field->name).c_str(), std::string(word_of(field->type)).c_str(),
           std::string(field->unit).c_str(), std::string(field->meaning).c_str());
  }
}

void print_moments() {
  puts("Moments (where it attaches in the kernel: the ways, the best first; sockeye doctor: which of them work here):");
  for (const Ladder& ladder : Object::ladders()) {
    std::string rungs;
    for (const std::string& rung : ladder.rungs) rungs += (rungs.empty() ? "" : ", ") + rung;
    printf("  %-20s %s\n", ladder.moment.c_str(), rungs.c_str());
  }
}

std::string moments_of(const Collector& collector) {
  std::string moments;
  for (const Handler& handler : handlers()) {
    if (handler.collector == collector.event.name)
      moments += (moments.empty() ? "" : ", ") + std::string(handler.moment);
  }
  return moments;
}

void print_collector(const Collector& collector, bool with_fields) {
  const std::string_view events = collector.totals_of;
  const std::string name = events.empty() ? std::string(collector.event.name) : std::string(events) + " --totals";
  printf("  %-14s %s (at %s)\n", name.c_str(), std::string(collector.summary).c_str(), moments_of(collector).c_str());
  if (with_fields) print_fields(collector.event);
}

int list(bool with_fields) {
  puts("Collectors (sockeye NAME, or several: sockeye trace NAME,NAME):");
  for (const bool stream : {true, false}) {
    if (!stream) puts("Collectors with a command of their own, not in trace (sockeye NAME):");
    for (const Collector* collector : collectors()) {
      if (collector->has_stream == stream) print_collector(*collector, with_fields && !collector->event.line.empty());
    }
  }
  puts("Records that may come in any stream:");
  for (const EventType* type : {&kGapType, &kEndType}) {
    printf("  %-14s %s\n", std::string(type->name).c_str(),
           type == &kGapType ? "something was lost, here" : "the end of the run (--end-record)");
    if (with_fields) print_fields(*type);
  }
  print_moments();
  fputs("Formats (--format):", stdout);
  for (const SinkKind* kind : sink_kinds()) {
    for (const std::string_view format : kind->formats) printf(" %s", std::string(format).c_str());
  }
  puts("");
  return 0;
}

}  // namespace

void add_list_command(CLI::App& app, Chosen& chosen) {
  auto with_fields = std::make_shared<bool>(false);
  auto markdown = std::make_shared<bool>(false), schema = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("list", "collectors, their fields, moments and formats");
  command->add_flag("--fields", *with_fields, "the fields of each record as well");
  auto* page = command->add_flag("--markdown", *markdown, "every key of the JSON, as a page (docs/output.md)");
  command->add_flag("--schema", *schema, "the same as a JSON Schema (docs/schema.json)")->excludes(page);
  command->callback([=, &chosen] {
    chosen = [=] {
      return Work([with_fields = *with_fields, markdown = *markdown, schema = *schema] {
        if (!markdown && !schema) return list(with_fields);
        fputs((markdown ? output_markdown() : output_schema()).c_str(), stdout);
        return 0;
      });
    };
  });
}

}  // namespace sockeye
