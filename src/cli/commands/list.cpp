// SPDX-License-Identifier: Apache-2.0
// `sockeye list`: what there is, the same on every machine: collectors with their fields, hooks, formats. It asks the
// kernel for nothing; what of it works here is the answer of `sockeye doctor`.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>

#include "bpf/object.h"
#include "cli/commands/commands.h"
#include "cli/messages.h"
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
    case FieldType::kId: return "digits";
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

// At least so wide, and a space after it.
std::string column(std::string_view text, size_t width) {
  std::string padded(text);
  padded.resize(std::max(padded.size(), width), ' ');
  return padded + ' ';
}

std::string fields_text(const EventType& type) {
  std::string text;
  for (const Field* field : fields_of(type)) {
    text += "    " + column(field->name, 14) + column(word_of(field->type), 8) + column(field->unit, 8) +
            std::string(field->meaning) + '\n';
  }
  return text;
}

std::string hooks_text() {
  std::string text =
      "Hooks (where it attaches in the kernel: the ways, the best first; sockeye doctor: which of them work here):\n";
  for (const Ladder& ladder : Object::ladders()) {
    std::string methods;
    for (const std::string& method : ladder.methods) methods += (methods.empty() ? "" : ", ") + method;
    text += "  " + column(ladder.hook, 20) + methods + '\n';
  }
  return text;
}

std::string hooks_of(const Collector& collector) {
  std::string hooks;
  for (const Handler& handler : handlers()) {
    if (handler.collector == collector.event.name) hooks += (hooks.empty() ? "" : ", ") + std::string(handler.hook);
  }
  return hooks;
}

std::string collector_text(const Collector& collector, bool with_fields) {
  const std::string_view events = collector.totals_of;
  const std::string name = events.empty() ? std::string(collector.event.name) : std::string(events) + " --totals";
  const std::string text =
      "  " + column(name, 14) + std::string(collector.summary) + " (at " + hooks_of(collector) + ")\n";
  return with_fields && !collector.event.line.empty() ? text + fields_text(collector.event) : text;
}

std::string list_text(bool with_fields) {
  std::string text = "Collectors (sockeye NAME, or several: sockeye trace NAME,NAME):\n";
  for (const bool stream : {true, false}) {
    if (!stream) text += "Collectors with a command of their own, not in trace (sockeye NAME):\n";
    for (const Collector* collector : collectors()) {
      if (collector->has_stream == stream) text += collector_text(*collector, with_fields);
    }
  }
  text += "Events that may come in any stream:\n";
  for (const EventType* type : {&kGapType, &kEndType}) {
    text += "  " + column(type->name, 14) +
            (type == &kGapType ? "something was lost, here\n" : "the end of the run (--end-record)\n");
    if (with_fields) text += fields_text(*type);
  }
  text += hooks_text() + "Formats (--format):";
  for (const SinkKind* kind : sink_kinds()) {
    for (const std::string_view format : kind->formats) text += ' ' + std::string(format);
  }
  return text + '\n';
}

}  // namespace

void add_list_command(CLI::App& app, Chosen& chosen) {
  auto with_fields = std::make_shared<bool>(false);
  auto markdown = std::make_shared<bool>(false), schema = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("list", "collectors, their fields, hooks and formats");
  command->add_flag("--fields", *with_fields, "the fields of each event as well");
  auto* page = command->add_flag("--markdown", *markdown, "every key of the JSON, as a page (docs/output.md)");
  command->add_flag("--schema", *schema, "the same as a JSON Schema (docs/schema.json)")->excludes(page);
  command->callback([=, &chosen] {
    chosen = [=] {
      return Work([with_fields = *with_fields, markdown = *markdown, schema = *schema] {
        return print(markdown ? output_markdown() : schema ? output_schema() : list_text(with_fields));
      });
    };
  });
}

}  // namespace sockeye
