// SPDX-License-Identifier: Apache-2.0
// What container runtimes write about their containers, as far as it says what people call them: pure functions over
// files and answers that others have made. What is missing, broken or too long leaves its member empty.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace sockeye {

// What people call a container. Untrusted bytes, each at most kMaxContainerName; empty where unknown.
struct ContainerLabels {
  std::string name;           // in a pod of Kubernetes as the pod's specification spells it, else as its runtime does
  std::string image;          // as it was asked for: nginx:1.25, registry/path@sha256:...
  std::string pod_name;       // Kubernetes, or Podman's pod
  std::string pod_namespace;  // Kubernetes

  bool is_complete() const { return !name.empty() && !image.empty(); }
  // Takes what is not known yet.
  void add(const ContainerLabels& other);
};

inline constexpr size_t kMaxContainerName = 512;  // bytes

// config.json of an OCI bundle. Its annotations are of containerd's CRI plugin (io.kubernetes.cri.*,
// pkg/cri/annotations), of CRI-O (io.kubernetes.*, pkg/annotations), or of nerdctl (nerdctl/name).
ContainerLabels labels_in_oci_config(std::string_view text);

// config.v2.json of Docker (daemon/container.Container): Name, Config.Image, and the kubelet's labels in Config.Labels.
ContainerLabels labels_in_docker_config(std::string_view text);

// containers.json and volatile-containers.json of Podman and CRI-O (containers/storage, Container): calls `found` for
// each container with its id.
void each_stored_container(std::string_view text,
                           const std::function<void(std::string_view id, const ContainerLabels& labels)>& found);

// The answer to GET /containers/json of Docker and Podman, or to /libpod/containers/json of Podman, about one
// container.
ContainerLabels labels_in_container_list(std::string_view text, std::string_view id);

// "data-root" of Docker's daemon.json; empty: it is not set.
std::string docker_data_root(std::string_view text);

// The value of `key = "value"` at the beginning of a line of a TOML file; empty: it is not set so.
std::string toml_string(std::string_view text, std::string_view key);

}  // namespace sockeye
