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

// Of what users say no daemon is asked: whoever makes cgroups could keep it busy.
bool is_asked_for(const Context& context) {
  return !context.container.empty() && !has_name_for_id(context.runtime) && is_hex(context.container) &&
         !user_of(context);
}

}  // namespace

void ContainerNames::complete(Context* context) {
  if (context->container.empty()) return;
  if (has_name_for_id(context->runtime)) {
    context->container_name = context->container;
    return;
  }
  const ContainerLabels& labels = known_of(*context).labels;
  context->container_name = labels.name;
  context->container_image = labels.image;
  context->pod_name = labels.pod_name;
  context->pod_namespace = labels.pod_namespace;
}

ContainerNames::Known& ContainerNames::known_of(const Context& context) {
  const auto user = user_of(context);
  Containers& containers = user ? claimed_ : known_;
  const std::string& id = context.container;
  const auto [found, is_new] = containers.try_emplace(user ? std::to_string(*user) + "/" + id : id);
  Known& known = found->second;
  if (!is_new) {
    if (known.question == Question::kWaitsForRoom) ask(id, &known);
    return known;
  }
  // An answer that is under way is not forgotten: what it is for could not be told from what nobody knows.
  if (containers.size() > kCapacity) {
    std::erase_if(containers, [&known](const auto& other) {
      return &other.second != &known && other.second.question != Question::kAsked;
    });
  }
  known.labels = files_.of(context);
  const bool is_all =
      known.labels.is_complete() && (!known.labels.pod_name.empty() || !is_in_podman_pod(context.cgroup_path));
  if (!is_all && is_asked_for(context)) {
    known.since = std::chrono::steady_clock::now();
    ask(id, &known);
  }
  return known;
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

bool ContainerNames::is_awaited(const Context& context) const {
  if (!has_daemons() || !is_asked_for(context)) return false;
  const auto found = known_.find(context.container);
  return found == known_.end() || found->second.question != Question::kNone;  // what was forgotten is asked anew
}

bool ContainerNames::is_due(const Context& context) const {
  if (!has_daemons() || !is_asked_for(context)) return false;
  const auto found = known_.find(context.container);
  return found != known_.end() && found->second.question != Question::kNone &&
         std::chrono::steady_clock::now() - found->second.since < kDue;
}

}  // namespace sockeye
