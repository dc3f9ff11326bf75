// SPDX-License-Identifier: Apache-2.0
// Container, pod and unit from the path of a cgroup: a pure function.
#pragma once

#include <cstddef>
#include <string_view>

#include "event/context.h"

namespace sockeye {

// Bytes of a path that are looked at: PATH_MAX, more than which neither /proc nor readlink can show.
inline constexpr size_t kMaxCgroupPath = 4096;

// Never fails: what is not recognised leaves its field empty. A longer path is cut after the last whole component that
// fits. Of nested containers the innermost wins; a pod inside a container (kind, minikube) hides that container.
// The monitors of containers (conmon, lxc.monitor, nspawn's supervisor) are not in the container they watch.
//
// Shapes, by who makes them:
//   /docker/ID  docker-ID.scope                        Docker, cgroupfs and systemd driver
//   cri-containerd-ID.scope  nerdctl-ID.scope          containerd
//   .../podUID/ID  /default/ID  /k8s.io/ID             containerd, cgroupfs driver (cri-dockerd's look the same)
//   SLICE:cri-containerd:ID  cri-containerd:ID         a systemd name given to a runtime with the cgroupfs driver
//   crio-ID.scope  crio-ID                             CRI-O
//   libpod-ID.scope  libpod_parent/libpod-ID  libpod-payload-ID   Podman
//   kata_ID  docker/buildkit/ID  actions_job/ID        Kata, BuildKit, GitHub's runner (Docker)
//   podUID  kubepods-QOS-podU_I_D.slice                Kubernetes pods, cgroupfs and systemd driver
//   /ecs/TASK/ID  /ecs/TASK/TASK-NUMBER                ECS on EC2, on Fargate
//   nomad.slice/share.slice/ALLOC.TASK.scope           Nomad's own drivers since 1.7 (reserve.slice: reserved cores)
//   nomad.slice/ALLOC.TASK.scope                       before
//   /nomad/ALLOC.TASK  /nomad/UUID                     the same on v1, before 1.7
//   /garden/HANDLE  /garden/good/HANDLE  /garden/bad/HANDLE   Garden of Cloud Foundry and Concourse
//   /mesos/UUID  /mesos/UUID/mesos/UUID                Mesos, nested
//   lxc.payload.NAME  /lxc/NAME                        LXC 4 and newer, older
//   machine-NAME.scope  systemd-nspawn@NAME.service    systemd-nspawn; machine-lxc-N-NAME: libvirt
//   NAME-ID.scope  /anything/ID                        a container of a runtime that is not known
Context parse_cgroup_path(std::string_view path);

}  // namespace sockeye
