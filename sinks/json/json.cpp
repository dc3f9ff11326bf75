// SPDX-License-Identifier: Apache-2.0
// The sink for machines: format `json`, one object a line, keys from the field tables.
#include <memory>
#include <string>
#include <vector>

#include "base/text.h"
#include "event/line_buffer.h"
#include "event/shown_address.h"
#include "event/sink.h"

namespace sockeye {
namespace {

constexpr std::string_view kFormats[] = {"json"};

using Writer = void (*)(Buffer& out, const Field& field, const Event& event, const WallTime& wall);

void write_number(Buffer& out, const Field& field, const Event& event, const WallTime&) {
  out.add_number(number_of(field, event));
}

void write_digits(Buffer& out, const Field& field, const Event& event, const WallTime&) {
  out.add('"');
  out.add_number(number_of(field, event));
  out.add('"');
}

void write_time(Buffer& out, const Field& field, const Event& event, const WallTime& wall) {
  out.add('"');
  add_rfc3339(out, wall.of(number_of(field, event)));
  out.add('"');
}

void write_micros(Buffer& out, const Field& field, const Event& event, const WallTime&) {
  out.add_number(to_microseconds(number_of(field, event)));
}

void write_address(Buffer& out, const Field& field, const Event& event, const WallTime&) {
  out.add('"');
  add_shown_address(out, field, event, add_json_text);
  out.add('"');
}

void write_text(Buffer& out, const Field& field, const Event& event, const WallTime&) {
  out.add('"');
  add_json_text(out, text_of(reinterpret_cast<const char*>(event.bytes() + field.offset), field.size));
  out.add('"');
}

void write_context(Buffer& out, const Field& field, const Event& event, const WallTime&) {
  out.add('"');
  add_json_text(out, event.context->*field.context);
  out.add('"');
}

void write_enum(Buffer& out, const Field& field, const Event& event, const WallTime&) {
  out.add('"');
  if (const EnumValue* value = enum_of(field, event)) {
    out.add(value->name);
  } else {
    out.add_number(number_of(field, event));
  }
  out.add('"');
}

void write_bool(Buffer& out, const Field& field, const Event& event, const WallTime&) {
  out.add(number_of(field, event) != 0 ? "true" : "false");
}

void write_true(Buffer& out, const Field&, const Event&, const WallTime&) { out.add("true"); }

Writer writer_of(const Field& field);

void write_element(Buffer& out, const Field& list, const Event& element, const WallTime& wall) {
  char before = '{';
  for (const Field& field : list.elements) {
    const bool present = is_present(field, element);
    if (!present && field.presence.omit_key) continue;
    out.add(before);
    before = ',';
    out.add('"');
    out.add(field.name);
    out.add("\":");
    if (present) {
      writer_of(field)(out, field, element, wall);
    } else {
      out.add("null");
    }
  }
  out.add('}');
}

void write_list(Buffer& out, const Field& field, const Event& event, const WallTime& wall) {
  const Elements elements = elements_of(field, event);
  out.add('[');
  for (size_t i = 0; i < elements.count; ++i) {
    if (i > 0) out.add(',');
    write_element(out, field, elements.at(i), wall);
  }
  out.add(']');
}

Writer writer_of(const Field& field) {
  switch (field.type) {
    case FieldType::kUnsigned: return write_number;
    case FieldType::kId: return write_digits;
    case FieldType::kTime: return write_time;
    case FieldType::kMicros: return write_micros;
    case FieldType::kAddress: return write_address;
    case FieldType::kText: return write_text;
    case FieldType::kEnum: return write_enum;
    case FieldType::kFlag: return write_bool;
    case FieldType::kContext: return write_context;
    case FieldType::kLate: return write_true;
    case FieldType::kList: return write_list;
  }
  return nullptr;
}

// The keys of an event type with their punctuation, and how each value is written: made once.
class ObjectWriter {
 public:
  ObjectWriter(const EventType& type, int version) : type_(&type) {
    head_ = "{\"v\":" + std::to_string(version) + ",\"event\":\"" + std::string(type.name) + '"';
    for (const Field* field : fields_of(type)) {
      const bool is_number = field->type == FieldType::kId && version < kIdsAreTextSince;
      members_.push_back({",\"" + std::string(key_in(field->name, version)) + "\":", field,
                          is_number ? write_number : writer_of(*field)});
    }
  }

  const EventType* type() const { return type_; }

  void add(Buffer& out, const Event& event, const WallTime& wall) const {
    out.add(head_);
    for (const Member& member : members_) {
      const bool present = is_present(*member.field, event);
      if (!present && member.field->presence.omit_key) continue;
      out.add(member.key);
      if (present) {
        member.write(out, *member.field, event, wall);
      } else {
        out.add("null");
      }
    }
    out.add("}\n");
  }

 private:
  struct Member {
    std::string key;
    const Field* field;
    Writer write;
  };
  const EventType* type_;
  std::string head_;
  std::vector<Member> members_;
};

class JsonSink : public Sink {
 public:
  JsonSink(Output output, int version) : lines_(std::move(output)), version_(version) {}

  void write(std::span<const Event> events, const WallTime& wall) override {
    for (const Event& event : events) {
      writer_for(*event.type).add(lines_.text(), event, wall);
      lines_.end_of(event);
    }
    lines_.flush();
  }

  Unwritten take_unwritten() override { return lines_.take_unwritten(); }
  Output& output() override { return lines_.output(); }

 private:
  const ObjectWriter& writer_for(const EventType& type) {
    for (const auto& writer : writers_) {
      if (writer->type() == &type) return *writer;
    }
    return *writers_.emplace_back(std::make_unique<ObjectWriter>(type, version_));
  }

  LineBuffer lines_;
  const int version_;
  std::vector<std::unique_ptr<ObjectWriter>> writers_;
};

std::unique_ptr<Sink> make(Output output, const SinkOptions& options) {
  return std::make_unique<JsonSink>(std::move(output), options.json_version);
}

}  // namespace

extern const SinkKind sink_json;
const SinkKind sink_json = {.formats = kFormats, .make = make};

}  // namespace sockeye
