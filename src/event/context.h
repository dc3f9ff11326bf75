// SPDX-License-Identifier: Apache-2.0
// What user space knows about where an owner runs. Events carry a `const Context*`; the enricher owns the object and
// keeps it until the next batch.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sockeye {

// Read out of a cgroup path, which whoever may make cgroups can choose: `cgroup_path` is untrusted bytes; the others of
// the path hold printable ASCII without blanks. What people call it is from files and daemons of container runtimes:
// untrusted bytes, at most 512 each. A field is empty where nobody tells.
struct Context {
  std::string container;  // innermost container: 64 hex digits, or what its runtime calls it
  // docker, containerd, cri-o, podman, buildkit, kata, lxc, libvirt-lxc, systemd-nspawn, nomad, garden or mesos
  std::string runtime;
  std::string pod;          // Kubernetes pod uid: 8-4-4-4-12, or a static pod's 32 hex digits, as the API spells it
  std::string unit;         // innermost systemd service, scope, socket, mount or swap, else innermost slice
  std::string cgroup_path;  // from the root of the hierarchy; "/" is the root

  std::string container_name;   // in a Kubernetes pod as its specification spells it, else as the runtime does
  std::string container_image;  // as it was asked for: nginx:1.25
  std::string pod_name;         // of Kubernetes or Podman
  std::string pod_namespace;    // of Kubernetes

  // Who says that it is in this container and pod, where that need not be true: the uid of who may make cgroups there,
  // or kUnknownUser. Empty: root does, or it is in no container.
  std::string container_user;
};

inline constexpr std::string_view kUnknownUser = "unknown";

// What a network namespace calls one of its interfaces: whoever owns the namespace chooses it, untrusted bytes.
struct InterfaceName {
  uint32_t netns;  // inode number
  uint32_t index;  // socket_id.scope_id
  std::string name;
};

}  // namespace sockeye
