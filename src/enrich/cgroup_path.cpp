// SPDX-License-Identifier: Apache-2.0
#include "enrich/cgroup_path.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

namespace sockeye {
namespace {

constexpr size_t kIdLength = 64;       // a container id: SHA-256 or 32 random bytes in hex
constexpr size_t kMaxComponent = 255;  // NAME_MAX, the longest name of a cgroup
constexpr size_t kMaxTaskNumber = 10;  // digits after the task in the name of a Fargate container
constexpr size_t kUuidLength = 36;     // 8-4-4-4-12
constexpr size_t kGardenLength = 28;   // 8-4-4-4-4: how Cloud Foundry shortens a handle

struct RuntimeName {
  std::string_view name;
  std::string_view runtime;
};

// What runtimes put before an id: PREFIX-ID.scope, PREFIX-ID, SLICE:PREFIX:ID, PREFIX:ID.
constexpr std::array<RuntimeName, 6> kPrefixes = {{
    {"docker", "docker"},
    {"cri-containerd", "containerd"},
    {"nerdctl", "containerd"},
    {"crio", "cri-o"},
    {"libpod", "podman"},
    {"libpod-payload", "podman"},
}};

// Directories whose children are named by the bare id.
constexpr std::array<RuntimeName, 4> kParents = {{
    {"docker", "docker"},
    {"actions_job", "docker"},
    {"default", "containerd"},
    {"k8s.io", "containerd"},
}};

template <size_t N>
std::string_view runtime_of(const std::array<RuntimeName, N>& table, std::string_view name) {
  for (const RuntimeName& row : table) {
    if (row.name == name) return row.runtime;
  }
  return {};
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }
bool is_alnum(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool all_hex(std::string_view text) { return std::all_of(text.begin(), text.end(), is_hex); }
bool is_id(std::string_view text) { return text.size() == kIdLength && all_hex(text); }

bool is_name(std::string_view text, std::string_view punctuation) {
  return !text.empty() && text.size() <= kMaxComponent && std::all_of(text.begin(), text.end(), [&](char c) {
    return is_alnum(c) || punctuation.find(c) != std::string_view::npos;
  });
}
bool is_machine_name(std::string_view text) { return is_alnum(text.empty() ? '-' : text[0]) && is_name(text, "._-"); }

bool take_prefix(std::string_view* text, std::string_view prefix) {
  if (!text->starts_with(prefix)) return false;
  text->remove_prefix(prefix.size());
  return true;
}

bool take_suffix(std::string_view* text, std::string_view suffix) {
  if (!text->ends_with(suffix)) return false;
  text->remove_suffix(suffix.size());
  return true;
}

int hex_value(char c) { return is_digit(c) ? c - '0' : c - 'a' + 10; }

// systemd's escaping of a name inside a unit's name: \xHH.
std::string unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && text[i + 1] == 'x' && all_hex(text.substr(i + 2, 2))) {
      out += static_cast<char>(hex_value(text[i + 2]) * 16 + hex_value(text[i + 3]));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

// "8-4-4-4-12" in lower case, or its beginning.
bool is_uuid(std::string_view text, size_t length = kUuidLength) {
  if (text.size() != length) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool is_joint = i == 8 || i == 13 || i == 18 || i == 23;
    if (is_joint ? text[i] != '-' : !is_hex(text[i])) return false;
  }
  return true;
}

// The same with dashes or, as systemd wants no dashes in the name of a slice, underscores; or 32 hex digits.
std::optional<std::string> pod_uid(std::string_view text) {
  if (text.size() == 32 && all_hex(text)) return std::string(text);
  if (text.size() != 36) return std::nullopt;
  std::string uid(text);
  for (size_t i = 0; i < uid.size(); ++i) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (uid[i] != '-' && uid[i] != '_') return std::nullopt;
      uid[i] = '-';
    } else if (!is_hex(uid[i])) {
      return std::nullopt;
    }
  }
  return uid;
}

// podUID, or PREFIXkubepods[-QOS]-podUID.slice.
std::optional<std::string> pod_of(std::string_view component) {
  if (take_suffix(&component, ".slice")) {
    const size_t at = component.rfind("-pod");
    if (at == std::string_view::npos || component.substr(0, at).find("kubepods") == std::string_view::npos)
      return std::nullopt;
    return pod_uid(component.substr(at + 4));
  }
  if (!take_prefix(&component, "pod")) return std::nullopt;
  return pod_uid(component);
}

class PathReader {
 public:
  void read(std::string_view component) {
    if (component.empty() || component == "." || component == ".." || component.size() > kMaxComponent) return;
    read_pod(component);
    if (!read_prefixed(component) && !read_bare(component) && !read_of_cluster(component) && !read_lxc(component))
      read_machine(component);
    read_unit(component);
    grandparent_ = parent_;
    parent_ = component;
  }

  Context take() { return std::move(context_); }

 private:
  void enter(std::string_view container, std::string_view runtime) {
    context_.container = container;
    context_.runtime = runtime;
  }

  void read_pod(std::string_view component) {
    auto uid = pod_of(component.substr(0, component.find(':')));
    if (!uid) return;
    context_.pod = std::move(*uid);
    enter({}, {});
  }

  // PREFIX-ID, PREFIX-ID.scope, SLICE:PREFIX:ID, PREFIX:ID; any PREFIX where it is a scope or has a slice.
  bool read_prefixed(std::string_view component) {
    const bool scope = take_suffix(&component, ".scope");
    if (component.size() < kIdLength + 2) return false;
    const std::string_view id = component.substr(component.size() - kIdLength);
    std::string_view prefix = component.substr(0, component.size() - kIdLength - 1);
    const char joint = component[prefix.size()];
    if (!is_id(id) || prefix.ends_with("conmon")) return false;
    if (joint == '_' && prefix == "kata") {
      enter(id, "kata");
      return true;
    }
    const size_t colon = prefix.rfind(':');
    const bool triple = joint == ':' && colon != std::string_view::npos;
    if (triple) prefix.remove_prefix(colon + 1);
    if (prefix.empty() || (joint != ':' && joint != '-')) return false;
    const std::string_view runtime = runtime_of(kPrefixes, prefix);
    if (runtime.empty() && !triple && (!scope || joint == ':')) return false;
    enter(id, runtime);
    return true;
  }

  // ID below a directory that says whose it is; what ECS on Fargate and BuildKit have in its place.
  bool read_bare(std::string_view component) {
    if (is_id(component)) {
      // Podman's pods without systemd: libpod_parent/POD/libpod-ID.
      if (parent_ == "libpod_parent") return false;
      if (!context_.pod.empty() && context_.container.empty())
        enter(component, "containerd");
      else
        enter(component, grandparent_ == "ecs" ? "docker" : runtime_of(kParents, parent_));
      return true;
    }
    if (parent_ == "buildkit" && is_name(component, "")) {
      enter(component, "buildkit");
      return true;
    }
    std::string_view number = component;
    if (grandparent_ == "ecs" && take_prefix(&number, parent_) && take_prefix(&number, "-") && parent_.size() == 32 &&
        all_hex(parent_) && !number.empty() && number.size() <= kMaxTaskNumber &&
        std::all_of(number.begin(), number.end(), is_digit)) {
      enter(component, "containerd");  // Fargate has no Docker since platform version 1.4
      return true;
    }
    return false;
  }

  // What schedulers and platforms run without one of the runtimes above: below a directory of theirs, named by a UUID.
  bool read_of_cluster(std::string_view component) {
    if (is_below_nomad() && is_uuid(component.substr(0, kUuidLength))) {
      std::string_view task = component.substr(kUuidLength);
      take_suffix(&task, ".scope");
      // Before tasks were named: the UUID alone.
      if (!task.empty() && (!take_prefix(&task, ".") || !is_name(task, "._-"))) return false;
      enter(component.substr(0, kUuidLength + (task.empty() ? 0 : 1 + task.size())), "nomad");
      return true;
    }
    if (is_below_garden() && (is_uuid(component) || is_uuid(component, kGardenLength))) {
      enter(component, "garden");
      return true;
    }
    if (parent_ != "mesos" || !is_uuid(component)) return false;
    enter(component, "mesos");
    return true;
  }

  // The slices below nomad.slice are for shared and for reserved cores.
  bool is_below_nomad() const {
    const bool is_part = parent_ == "share.slice" || parent_ == "reserve.slice";
    return parent_ == "nomad" || parent_ == "nomad.slice" || (is_part && grandparent_ == "nomad.slice");
  }

  // `good` and `bad` are for those that stay within their share of the processors and those that do not; a tag may
  // follow.
  bool is_below_garden() const {
    const std::string_view garden = parent_ == "good" || parent_ == "bad" ? grandparent_ : parent_;
    return garden == "garden" || garden.starts_with("garden-");
  }

  bool read_lxc(std::string_view component) {
    const bool named = take_prefix(&component, "lxc.payload.");
    if (!named && parent_ != "lxc" && parent_ != "lxc.payload") return false;
    if (!is_machine_name(component)) return false;
    enter(component, "lxc");
    return true;
  }

  void read_machine(std::string_view component) {
    if (component == "supervisor" && context_.runtime == "systemd-nspawn" && parent_ == machine_unit_) {
      enter({}, {});
      return;
    }
    std::string_view escaped = component;
    const bool nspawn = take_prefix(&escaped, "systemd-nspawn@") && take_suffix(&escaped, ".service");
    if (!nspawn && (!take_prefix(&escaped, "machine-") || !take_suffix(&escaped, ".scope"))) return;
    const std::string name = unescape(escaped);
    if (!is_machine_name(name) || (!nspawn && name.starts_with("qemu-"))) return;  // a virtual machine is no container
    enter(name, !nspawn && name.starts_with("lxc-") ? "libvirt-lxc" : "systemd-nspawn");
    machine_unit_ = component;
  }

  void read_unit(std::string_view component) {
    // systemd's cg_escape(): a name that the kernel could take for a file of its own has an underscore before it.
    take_prefix(&component, "_");
    const size_t dot = component.rfind('.');
    if (dot == 0 || dot == std::string_view::npos || !is_name(component, ":-_.\\@")) return;
    const std::string_view type = component.substr(dot);
    if (type == ".service" || type == ".scope" || type == ".socket" || type == ".mount" || type == ".swap") {
      context_.unit = component;
      in_slice_only_ = false;
    } else if (type == ".slice" && in_slice_only_) {
      context_.unit = component;
    }
  }

  Context context_;
  std::string_view parent_;
  std::string_view grandparent_;
  std::string_view machine_unit_;  // the component that made a machine the innermost container
  bool in_slice_only_ = true;
};

}  // namespace

Context parse_cgroup_path(std::string_view path) {
  if (path.size() > kMaxCgroupPath) {
    const size_t cut = path.rfind('/', kMaxCgroupPath);
    path = path.substr(0, cut == std::string_view::npos ? 0 : cut);
  }
  PathReader reader;
  for (size_t begin = 0; begin < path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    reader.read(path.substr(begin, end - begin));
    begin = end + 1;
  }
  Context context = reader.take();
  context.cgroup_path = path;
  return context;
}

}  // namespace sockeye
