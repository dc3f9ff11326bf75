// SPDX-License-Identifier: Apache-2.0
#include "enrich/container_json.h"

#include <algorithm>
#include <utility>

#include "enrich/json_strings.h"

namespace sockeye {
namespace {

// What is too long is cut, not left out: its beginning says which it is.
void take(std::string* to, std::string_view value) {
  if (to->empty()) to->assign(value.substr(0, kMaxContainerName));
}

std::string_view without_slash(std::string_view name) {
  if (name.starts_with('/')) name.remove_prefix(1);  // Docker's names are paths of links: "/web", and "/other/alias"
  return name;
}

// The kubelet's labels (pkg/kubelet/types/labels.go), which Docker and Podman have as labels and CRI-O as annotations.
void take_kubelet_label(ContainerLabels* labels, std::string_view key, std::string_view value) {
  if (key == "io.kubernetes.container.name") labels->name.assign(value.substr(0, kMaxContainerName));
  if (key == "io.kubernetes.pod.name") take(&labels->pod_name, value);
  if (key == "io.kubernetes.pod.namespace") take(&labels->pod_namespace, value);
}

class OciConfig : public JsonVisitor {
 public:
  void text(JsonPath path, std::string_view value) override {
    if (!is_path(path, {"annotations", "*"})) return;
    const std::string& key = path[1];
    take_kubelet_label(&labels, key, value);
    if (key == "io.kubernetes.cri.container-name" || key == "nerdctl/name") take(&labels.name, value);
    if (key == "io.kubernetes.cri.image-name" || key == "io.kubernetes.cri-o.ImageName") take(&labels.image, value);
    if (key == "io.kubernetes.cri.sandbox-name") take(&labels.pod_name, value);
    if (key == "io.kubernetes.cri.sandbox-namespace") take(&labels.pod_namespace, value);
  }
  ContainerLabels labels;
};

class DockerConfig : public JsonVisitor {
 public:
  void text(JsonPath path, std::string_view value) override {
    if (is_path(path, {"Name"})) take(&name, without_slash(value));
    if (is_path(path, {"Config", "Image"})) take(&labels.image, value);
    if (is_path(path, {"Config", "Labels", "*"})) take_kubelet_label(&labels, path[2], value);
  }
  ContainerLabels labels;
  std::string name;  // which in a pod is k8s_NAME_POD_NAMESPACE_UID_ATTEMPT: the label is better
};

// Container.metadata: a JSON text in a string, of Podman (libpod/storage.go) or CRI-O (internal/storage/runtime.go).
class StoredMetadata : public JsonVisitor {
 public:
  explicit StoredMetadata(ContainerLabels* labels) : labels_(labels) {}
  void text(JsonPath path, std::string_view value) override {
    if (is_path(path, {"image-name"})) take(&labels_->image, value);
  }

 private:
  ContainerLabels* labels_;
};

class StoredContainers : public JsonVisitor {
 public:
  using Found = std::function<void(std::string_view id, const ContainerLabels& labels)>;
  explicit StoredContainers(const Found& found) : found_(found) {}

  void text(JsonPath path, std::string_view value) override {
    if (is_path(path, {"[]", "id"})) take(&id_, value);
    if (is_path(path, {"[]", "names", "[]"})) take(&labels_.name, value);
    if (is_path(path, {"[]", "metadata"})) {
      StoredMetadata metadata(&labels_);
      visit_json(value, metadata);
    }
  }
  void end_object(JsonPath path) override {
    if (!is_path(path, {"[]"})) return;
    if (!id_.empty()) found_(id_, labels_);
    id_.clear();
    labels_ = {};
  }

 private:
  const Found& found_;
  std::string id_;
  ContainerLabels labels_;
};

class ContainerList : public JsonVisitor {
 public:
  explicit ContainerList(std::string_view id) : id_(id) {}

  void text(JsonPath path, std::string_view value) override {
    if (is_path(path, {"[]", "Id"})) is_it_ = value == id_;
    // "/other/alias" is what another container's link calls it.
    if (is_path(path, {"[]", "Names", "[]"}) && value.rfind('/') + 1 <= 1) take(&name_, without_slash(value));
    if (is_path(path, {"[]", "Image"})) take(&labels_.image, value);
    if (is_path(path, {"[]", "PodName"})) take(&labels_.pod_name, value);
    if (is_path(path, {"[]", "Labels", "*"})) take_kubelet_label(&labels_, path[2], value);
  }
  void end_object(JsonPath path) override {
    if (!is_path(path, {"[]"})) return;
    take(&labels_.name, name_);
    if (is_it_) found.add(labels_);
    labels_ = {};
    name_.clear();
    is_it_ = false;
  }
  ContainerLabels found;

 private:
  std::string_view id_;
  ContainerLabels labels_;
  std::string name_;
  bool is_it_ = false;
};

class DaemonConfig : public JsonVisitor {
 public:
  void text(JsonPath path, std::string_view value) override {
    if (is_path(path, {"data-root"})) take(&data_root, value);
  }
  std::string data_root;
};

}  // namespace

void ContainerLabels::add(const ContainerLabels& other) {
  take(&name, other.name);
  take(&image, other.image);
  take(&pod_name, other.pod_name);
  take(&pod_namespace, other.pod_namespace);
}

ContainerLabels labels_in_oci_config(std::string_view text) {
  OciConfig config;
  visit_json(text, config);
  return std::move(config.labels);
}

ContainerLabels labels_in_docker_config(std::string_view text) {
  DockerConfig config;
  visit_json(text, config);
  take(&config.labels.name, config.name);
  return std::move(config.labels);
}

void each_stored_container(std::string_view text,
                           const std::function<void(std::string_view id, const ContainerLabels& labels)>& found) {
  StoredContainers containers(found);
  visit_json(text, containers);
}

ContainerLabels labels_in_container_list(std::string_view text, std::string_view id) {
  ContainerList list(id);
  visit_json(text, list);
  return std::move(list.found);
}

std::string docker_data_root(std::string_view text) {
  DaemonConfig config;
  visit_json(text, config);
  return std::move(config.data_root);
}

// By hand: toml++ 3.3 (Debian 12) ends the program at "[:x]", and what it does with the bytes EF BB BB is not defined.
std::string toml_string(std::string_view text, std::string_view key) {
  constexpr std::string_view kBlanks = " \t";
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const auto skip_blanks = [&] { line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size())); };
    skip_blanks();
    if (!line.starts_with(key)) continue;
    line.remove_prefix(key.size());
    skip_blanks();
    if (!line.starts_with('=')) continue;
    line.remove_prefix(1);
    skip_blanks();
    if (line.size() < 2 || (line[0] != '"' && line[0] != '\'')) continue;
    const size_t end = line.find(line[0], 1);
    if (end != std::string_view::npos) return std::string(line.substr(1, std::min(end - 1, kMaxContainerName)));
  }
  return "";
}

}  // namespace sockeye
