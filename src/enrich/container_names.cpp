// SPDX-License-Identifier: Apache-2.0
#include "enrich/container_names.h"

#include <algorithm>

namespace sockeye {
namespace {

// Of runtimes that have no ids: what the cgroup is called by is the name.
bool has_name_for_id(std::string_view runtime) {
  return runtime == "lxc" || runtime == "libvirt-lxc" || runtime == "systemd-nspawn";
}

// A pod of Podman's, whose name stands in its database alone: libpod_pod_POD.slice (systemd), libpod_parent/POD
// (cgroupfs).
bool is_in_podman_pod(std::string_view path) {
  constexpr std::string_view kParent = "/libpod_parent/";
  if (path.find("libpod_pod_") != std::string_view::npos) return true;
  const size_t at = path.find(kParent);
  return at != std::string_view::npos && !path.substr(at + kParent.size()).starts_with("libpod-");
}

// What the API takes in a filter.
bool is_hex(std::string_view id) {
  return std::all_of(id.begin(), id.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

void ContainerNames::complete(Context* context) {
  if (context->container.empty()) return;
  if (has_name_for_id(context->runtime)) {
    context->container_name = context->container;
    return;
  }
  auto found = known_.find(context->container);
  if (found == known_.end()) {
    if (known_.size() >= kCapacity) {
      known_.clear();
      awaited_ = 0;
    }
    found = known_.emplace(context->container, Known{files_.of(*context)}).first;
    const ContainerLabels& labels = found->second.labels;
    const bool is_all = labels.is_complete() && (!labels.pod_name.empty() || !is_in_podman_pod(context->cgroup_path));
    if (!is_all && is_hex(found->first)) ask(found->first, &found->second);
  } else if (found->second.question == Question::kWaitsForRoom) {
    ask(found->first, &found->second);
  }
  const ContainerLabels& labels = found->second.labels;
  context->container_name = labels.name;
  context->container_image = labels.image;
  context->pod_name = labels.pod_name;
  context->pod_namespace = labels.pod_namespace;
}

void ContainerNames::ask(const std::string& id, Known* known) {
  const bool is_asked = api_.ask(id);
  awaited_ += is_asked;
  known->question = is_asked ? Question::kAsked : has_daemons() ? Question::kWaitsForRoom : Question::kNone;
}

bool ContainerNames::take_answers() {
  if (awaited_ == 0) return false;
  bool any = false;
  api_.take([&](const std::string& id, const ContainerLabels& labels) {
    const auto found = known_.find(id);
    if (found == known_.end() || found->second.question != Question::kAsked) return;
    found->second.question = Question::kNone;
    found->second.labels.add(labels);
    --awaited_;
    any = true;
  });
  return any;
}

bool ContainerNames::is_awaited(const std::string& container) const {
  const auto found = known_.find(container);
  return found != known_.end() && found->second.question != Question::kNone && has_daemons();
}

}  // namespace sockeye
