// SPDX-License-Identifier: Apache-2.0
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "base/text.h"
#include "doctor/diagnosis_text.h"

namespace sockeye {
namespace {

// Text is of the kernel, of /proc and of mount points: any bytes.
class Json {
 public:
  std::string_view text() const { return {buffer_.GetString(), buffer_.GetSize()}; }

  template <typename Content>
  void object(std::string_view key, Content content) {
    name(key);
    writer_.StartObject();
    content();
    writer_.EndObject();
  }
  template <typename List, typename Each>
  void array(std::string_view key, const List& list, Each each) {
    name(key);
    writer_.StartArray();
    for (const auto& item : list) {
      writer_.StartObject();
      each(item);
      writer_.EndObject();
    }
    writer_.EndArray();
  }
  void put(std::string_view key, std::string_view value) {
    name(key);
    Buffer text(value.size() + 2);
    text.add('"');
    add_json_text(text, value);
    text.add('"');
    writer_.RawValue(text.view().data(), text.size(), rapidjson::kStringType);
  }
  // Null where it is empty: not known, or nothing.
  void put_if_any(std::string_view key, std::string_view value) {
    if (!value.empty()) return put(key, value);
    name(key);
    writer_.Null();
  }
  void put(std::string_view key, bool value) {
    name(key);
    writer_.Bool(value);
  }
  void put(std::string_view key, uint64_t value) {
    name(key);
    writer_.Uint64(value);
  }
  void put(std::string_view key, const std::optional<uint64_t>& value) {
    if (value) return put(key, *value);
    name(key);
    writer_.Null();
  }
  void put_known(std::string_view key, bool is_known, bool value) {
    if (is_known) return put(key, value);
    name(key);
    writer_.Null();
  }

 private:
  void name(std::string_view key) {
    if (!key.empty()) writer_.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
  }

  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> writer_{buffer_};
};

void put_trial(Json& json, std::string_view key, const Trial& trial) {
  json.object(key, [&] {
    json.put_known("allowed", trial.is_known(), trial.allowed);
    json.put_if_any("why", trial.refusal);
  });
}

void put_machine(Json& json, const Diagnosis& diagnosis) {
  const Machine& machine = diagnosis.machine;
  json.put("kernel", machine.kernel);
  json.put("architecture", machine.architecture);
  json.object("btf", [&] {
    json.put("path", machine.btf_path);
    json.put("bytes", machine.btf_bytes);
    json.put_if_any("problem", machine.btf_problem);
  });
  json.put_if_any("lockdown", machine.lockdown);
  json.array("capabilities", machine.capabilities, [&](const CapabilityState& capability) {
    json.put("name", capability.name);
    json.put("effective", capability.effective);
    json.put("needed_for", capability.needed_for);
  });
  json.put("initial_user_namespace", machine.initial_user_namespace);
  json.put("initial_pid_namespace", machine.initial_pid_namespace);
  json.put("guards_process_1", machine.guards_process_1);
  json.object("network_namespaces", [&] {
    json.put("entered", static_cast<uint64_t>(diagnosis.namespaces.entered));
    json.put("refused", static_cast<uint64_t>(diagnosis.namespaces.refused));
    json.put_if_any("why", diagnosis.namespaces.why);
  });
  json.put("unprivileged_bpf_disabled", machine.unprivileged_bpf_disabled);
  json.put("bpf_jit_enable", machine.jit);
  json.put("bpf_stats_enabled", machine.bpf_stats);
  json.put_if_any("tracefs", machine.tracefs);
  json.put_if_any("cgroup2", machine.cgroup2);
  json.put_if_any("cgroup_v1_memory", machine.cgroup_v1_memory);
  json.object("limits", [&] {
    json.put("memlock_bytes", machine.limits.memlock);
    json.put("memlock_counts_maps", machine.limits.memlock_counts_maps);
    json.put("memory_cgroup_bytes", machine.limits.cgroup);
    json.put("open_files", machine.limits.files);
  });
  json.array("container_runtimes", diagnosis.runtimes, [&](const RuntimeDiagnosis& runtime) {
    static constexpr std::string_view kStates[] = {"found", "not found", "not readable"};
    json.put("runtime", runtime.store.runtime);
    json.put("path", runtime.store.path);
    json.put("state", kStates[static_cast<size_t>(runtime.store.state)]);
    json.put_if_any("problem", runtime.store.problem);
    json.put_if_any("api", runtime.api ? runtime.api->socket : "");
    json.put_if_any("api_problem", runtime.api ? runtime.api->problem : "");
    json.put_if_any("remedy", runtime.remedy());
  });
  json.object("programs", [&] {
    put_trial(json, "tracepoint", diagnosis.tracing);
    put_trial(json, "trampoline", diagnosis.trampoline);
    put_trial(json, "probe_read", diagnosis.probe_read);
  });
}

void put_collector(Json& json, const CollectorDiagnosis& collector) {
  json.put("name", collector.name);
  json.put("verdict", word_of(collector.verdict));
  json.put("tried", collector.tried);
  json.put_if_any("reason", collector.reason);
  json.put_if_any("remedy", collector.remedy);
  json.array("hooks", collector.hooks, [&](const HookDiagnosis& hook) {
    json.put("hook", hook.hook);
    json.put_if_any("method", hook.method);
    json.put_if_any("loses", hook.loses);
    json.put_if_any("remedy", hook.remedy);
    json.array("refused", hook.refused, [&](const Refusal& refusal) {
      json.put("method", refusal.method);
      json.put("why", refusal.why);
      json.put_if_any("remedy", refusal.remedy);
    });
  });
  json.array("limitations", collector.others, [&](const Limitation& other) {
    json.put("what", other.what);
    json.put_if_any("remedy", other.remedy);
  });
}

}  // namespace

void add_diagnosis_json(Buffer& out, const Diagnosis& diagnosis) {
  Json json;
  json.object("", [&] {
    json.put("v", uint64_t{2});
    json.put("works", diagnosis.all_work());
    json.object("machine", [&] { put_machine(json, diagnosis); });
    json.array("collectors", diagnosis.collectors,
               [&](const CollectorDiagnosis& collector) { put_collector(json, collector); });
  });
  out.add(json.text());
  out.add('\n');
}

}  // namespace sockeye
