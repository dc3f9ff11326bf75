// SPDX-License-Identifier: Apache-2.0
#include "enrich/cgroup_path.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sockeye {
namespace {

const std::string kA = "3f4c1a5b9e8d7c6b5a493827161504f3e2d1c0bfaeb9d8c7b6a5948372615040";
const std::string kB = "b7d2e9f0a1c3e5d7f9b1a3c5e7d9f1b3a5c7e9d1f3b5a7c9e1d3f5b7a9c1e3d5";
const std::string kUid = "0d2f5a1e-9b3c-4d7e-8f60-112233445566";
const std::string kUidUnderscored = "0d2f5a1e_9b3c_4d7e_8f60_112233445566";
const std::string kStaticUid = "a4b1c9e0f3d27856a4b1c9e0f3d27856";
const std::string kTask = "0123456789abcdef0123456789abcdef";

struct Case {
  std::string path;
  std::string container;
  std::string runtime;
  std::string pod;
  std::string unit;
};

void expect_all(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const Context context = parse_cgroup_path(c.path);
    EXPECT_EQ(context.container, c.container) << c.path;
    EXPECT_EQ(context.runtime, c.runtime) << c.path;
    EXPECT_EQ(context.pod, c.pod) << c.path;
    EXPECT_EQ(context.unit, c.unit) << c.path;
    EXPECT_EQ(context.cgroup_path, c.path);
  }
}

TEST(CgroupPath, Systemd) {
  expect_all({
      {"/", "", "", "", ""},
      {"/init.scope", "", "", "", "init.scope"},
      {"/system.slice", "", "", "", "system.slice"},
      {"/system.slice/nginx.service", "", "", "", "nginx.service"},
      {"/system.slice/system-getty.slice/getty@tty1.service", "", "", "", "getty@tty1.service"},
      {"/system.slice/system-postgresql.slice/postgresql@15-main.service", "", "", "", "postgresql@15-main.service"},
      {"/user.slice/user-1000.slice/session-3.scope", "", "", "", "session-3.scope"},
      {"/user.slice/user-1000.slice", "", "", "", "user-1000.slice"},
      {"/user.slice/user-1000.slice/user@1000.service/app.slice/app-gnome\\x2dterminal-4711.scope", "", "", "",
       "app-gnome\\x2dterminal-4711.scope"},
      {"/user.slice/user-1000.slice/user@1000.service/app.slice", "", "", "", "user@1000.service"},
      {"/system.slice/systemd-udevd.service/udev", "", "", "", "systemd-udevd.service"},
      {"/system.slice/system-systemd\\x2dcryptsetup.slice/systemd-cryptsetup@luks\\x2d0d2f.service", "", "", "",
       "systemd-cryptsetup@luks\\x2d0d2f.service"},
      {"/system.slice/var-lib-docker-overlay2.mount", "", "", "", "var-lib-docker-overlay2.mount"},
      {"/system.slice/cups.socket", "", "", "", "cups.socket"},
      {"/system.slice/_memory.service", "", "", "", "memory.service"},
      {"/system.slice/" + kA + ".service", "", "", "", kA + ".service"},  // a health check that Podman runs
      {"/machine.slice/machine-qemu\\x2d1\\x2ddebian12.scope/libvirt/emulator", "", "", "",
       "machine-qemu\\x2d1\\x2ddebian12.scope"},
  });
}

TEST(CgroupPath, Docker) {
  expect_all({
      {"/docker/" + kA, kA, "docker", "", ""},
      {"/system.slice/docker-" + kA + ".scope", kA, "docker", "", "docker-" + kA + ".scope"},
      {"/custom.slice/docker-" + kA + ".scope", kA, "docker", "", "docker-" + kA + ".scope"},
      {"/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" + kA + ".scope", kA, "docker", "",
       "docker-" + kA + ".scope"},
      {"/system.slice/docker-" + kA + ".scope/init", kA, "docker", "", "docker-" + kA + ".scope"},
      {"/system.slice:docker:" + kA, kA, "docker", "", ""},
      {"/podruntime/docker/" + kA, kA, "docker", "", ""},
      {"/actions_job/" + kA, kA, "docker", "", ""},
      {"/system.slice/docker.service", "", "", "", "docker.service"},
      {"/docker", "", "", "", ""},
      {"/docker/buildkit/q1w2e3r4t5z6u7i8o9p0a1s2d", "q1w2e3r4t5z6u7i8o9p0a1s2d", "buildkit", "", ""},
      {"/docker/buildkit", "", "", "", ""},
      {"/some/parent/" + kA, kA, "", "", ""},
  });
}

TEST(CgroupPath, Containerd) {
  const std::string slice = "kubepods-burstable-pod" + kUidUnderscored + ".slice";
  expect_all({
      {"/system.slice/nerdctl-" + kA + ".scope", kA, "containerd", "", "nerdctl-" + kA + ".scope"},
      {"/default/" + kA, kA, "containerd", "", ""},
      {"/k8s.io/" + kA, kA, "containerd", "", ""},
      {"/kubepods.slice/kubepods-burstable.slice/" + slice + "/cri-containerd-" + kA + ".scope", kA, "containerd", kUid,
       "cri-containerd-" + kA + ".scope"},
      {"/system.slice/containerd.service/" + slice + ":cri-containerd:" + kA, kA, "containerd", kUid,
       "containerd.service"},
      {"/" + slice + ":cri-containerd:" + kA, kA, "containerd", kUid, ""},
      {"/kubepods/besteffort/pod" + kUid + "/" + kA, kA, "containerd", kUid, ""},
      {"/kubepods/pod" + kUid + "/" + kA, kA, "containerd", kUid, ""},
      {"/system.slice/k3s.service/kubepods/burstable/pod" + kUid + "/" + kA, kA, "containerd", kUid, "k3s.service"},
      {"/kubepods/burstable/pod" + kUid + "/kata_" + kA, kA, "kata", kUid, ""},
      {"/cri-containerd:" + kA, kA, "containerd", "", ""},
      {"/kubepods/besteffort/pod" + kUid + "/cri-containerd:" + kA, kA, "containerd", kUid, ""},
      {"/system.slice/containerd.service", "", "", "", "containerd.service"},
      {"/new-runtime:" + kA, "", "", "", ""},
      {"/new-runtime:" + kA + ".scope", "", "", "", "new-runtime:" + kA + ".scope"},
      {"/cri-containerd:" + kA.substr(1), "", "", "", ""},
  });
}

TEST(CgroupPath, Kubernetes) {
  expect_all({
      {"/kubepods.slice/kubepods-pod" + kUidUnderscored + ".slice/docker-" + kA + ".scope", kA, "docker", kUid,
       "docker-" + kA + ".scope"},
      {"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + kStaticUid + ".slice/cri-containerd-" + kA +
           ".scope",
       kA, "containerd", kStaticUid, "cri-containerd-" + kA + ".scope"},
      {"/kubepods/burstable/pod" + kStaticUid + "/" + kA, kA, "containerd", kStaticUid, ""},
      {"/kubepods/besteffort/pod" + kUid, "", "", kUid, ""},
      {"/kubepods.slice", "", "", "", "kubepods.slice"},
      {"/kubepods.slice/kubepods-besteffort.slice", "", "", "", "kubepods-besteffort.slice"},
      {"/kubepods/burstable", "", "", "", ""},
      {"/podinfo", "", "", "", ""},
      {"/app-pod" + kUidUnderscored + ".slice", "", "", "", "app-pod" + kUidUnderscored + ".slice"},
      {"/kubepods/pod" + kUid.substr(1), "", "", "", ""},
      {"/kubepods/pod" + kUid + "0", "", "", "", ""},
      {"/kubepods/pod0d2f5a1e-9b3c-4d7e-8f60x112233445566", "", "", "", ""},
      {"/kubepods/pod0D2F5A1E-9B3C-4D7E-8F60-112233445566", "", "", "", ""},
  });
}

TEST(CgroupPath, CriO) {
  const std::string pod =
      "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + kUidUnderscored + ".slice";
  expect_all({
      {pod + "/crio-" + kA + ".scope", kA, "cri-o", kUid, "crio-" + kA + ".scope"},
      {pod + "/crio-" + kA + ".scope/container", kA, "cri-o", kUid, "crio-" + kA + ".scope"},
      {pod + "/crio-conmon-" + kA + ".scope", "", "", kUid, "crio-conmon-" + kA + ".scope"},
      {"/kubepods/burstable/pod" + kUid + "/crio-" + kA, kA, "cri-o", kUid, ""},
      {"/kubepods/burstable/pod" + kUid + "/crio-conmon-" + kA, "", "", kUid, ""},
      {"/system.slice/crio.service", "", "", "", "crio.service"},
  });
}

TEST(CgroupPath, Podman) {
  const std::string rootless = "/user.slice/user-1000.slice/user@1000.service/user.slice";
  const std::string scope = "libpod-" + kA + ".scope";
  expect_all({
      {"/machine.slice/" + scope, kA, "podman", "", scope},
      {"/machine.slice/" + scope + "/container", kA, "podman", "", scope},
      {"/machine.slice/machine-libpod_pod_" + kB + ".slice/" + scope, kA, "podman", "", scope},
      {rootless + "/" + scope + "/container", kA, "podman", "", scope},
      {rootless + "/user-libpod_pod_" + kB + ".slice/" + scope, kA, "podman", "", scope},
      {rootless + "/libpod-conmon-" + kA + ".scope", "", "", "", "libpod-conmon-" + kA + ".scope"},
      {"/libpod_parent/libpod-" + kA, kA, "podman", "", ""},
      {"/libpod_parent/" + kB + "/libpod-" + kA, kA, "podman", "", ""},
      {"/libpod_parent/" + kB + "/conmon", "", "", "", ""},
      {"/libpod_parent/conmon", "", "", "", ""},
      {"/system.slice/web.service/libpod-payload-" + kA, kA, "podman", "", "web.service"},
      {"/system.slice/web.service/runtime", "", "", "", "web.service"},
  });
}

TEST(CgroupPath, MachinesOfOtherKinds) {
  expect_all({
      {"/lxc.payload.web1", "web1", "lxc", "", ""},
      {"/lxc.payload.web1/system.slice/nginx.service", "web1", "lxc", "", "nginx.service"},
      {"/lxc.payload/web1", "web1", "lxc", "", ""},
      {"/lxc/101/ns/system.slice/ssh.service", "101", "lxc", "", "ssh.service"},
      {"/lxc.monitor.web1", "", "", "", ""},
      {"/lxc.monitor/101", "", "", "", ""},
      {"/lxc.payload.outer/lxc.payload.inner", "inner", "lxc", "", ""},
      {"/lxc.payload.", "", "", "", ""},
      {"/machine.slice/systemd-nspawn@deb12.service/payload/system.slice/ssh.service", "deb12", "systemd-nspawn", "",
       "ssh.service"},
      {"/machine.slice/systemd-nspawn@my\\x2dbox.service/payload", "my-box", "systemd-nspawn", "",
       "systemd-nspawn@my\\x2dbox.service"},
      {"/machine.slice/systemd-nspawn@deb12.service/supervisor", "", "", "", "systemd-nspawn@deb12.service"},
      {"/machine.slice/machine-my\\x2dbox.scope/payload", "my-box", "systemd-nspawn", "", "machine-my\\x2dbox.scope"},
      {"/machine.slice/machine-lxc\\x2d4711\\x2dweb.scope", "lxc-4711-web", "libvirt-lxc", "",
       "machine-lxc\\x2d4711\\x2dweb.scope"},
      {"/machine.slice/machine-a\\x1bb.scope", "", "", "", "machine-a\\x1bb.scope"},
      {"/machine.slice/machine-a\\x2.scope", "", "", "", "machine-a\\x2.scope"},
      {"/ecs/0d2f5a1e-9b3c-4d7e-8f60-112233445566/" + kA, kA, "docker", "", ""},
      {"/ecs/" + kTask + "/" + kA, kA, "docker", "", ""},
      {"/ecs/" + kTask + "/" + kTask + "-2158401234", kTask + "-2158401234", "containerd", "", ""},
      {"/ecs/" + kTask + "/" + kTask + "-", "", "", "", ""},
      {"/ecs/" + kTask + "/" + kTask + "-21584012345", "", "", "", ""},
      {"/ecs/" + kTask, "", "", "", ""},
      {"/ecstasks.slice/ecstasks-" + kTask + ".slice/docker-" + kA + ".scope", kA, "docker", "",
       "docker-" + kA + ".scope"},
      {"/system.slice/new-runtime-" + kA + ".scope", kA, "", "", "new-runtime-" + kA + ".scope"},
      {"/process_api/" + kTask, "", "", "", ""},
  });
}

TEST(CgroupPath, Nomad) {
  const std::string task = kUid + ".web";
  expect_all({
      {"/nomad.slice/share.slice/" + task + ".scope", task, "nomad", "", task + ".scope"},
      {"/nomad.slice/reserve.slice/" + task + ".scope", task, "nomad", "", task + ".scope"},
      {"/nomad.slice/" + task + ".scope", task, "nomad", "", task + ".scope"},
      {"/nomad.slice/share.slice/" + kUid + ".log-shipper_2.0.scope", kUid + ".log-shipper_2.0", "nomad", "",
       kUid + ".log-shipper_2.0.scope"},
      {"/nomad/" + task, task, "nomad", "", ""},
      {"/nomad/" + kUid, kUid, "nomad", "", ""},
      {"/nomad.slice/share.slice/docker-" + kA + ".scope", kA, "docker", "", "docker-" + kA + ".scope"},
      // What looks like it.
      {"/nomad.slice", "", "", "", "nomad.slice"},
      {"/nomad.slice/share.slice", "", "", "", "share.slice"},
      {"/nomad.slice/other.slice/" + task + ".scope", "", "", "", task + ".scope"},
      {"/share.slice/" + task + ".scope", "", "", "", task + ".scope"},
      {"/system.slice/nomad.service", "", "", "", "nomad.service"},
      {"/system.slice/nomad.service/" + task, "", "", "", "nomad.service"},
      {"/nomad/" + kUid + "web", "", "", "", ""},
      {"/nomad/" + kUid + ".", "", "", "", ""},
      {"/nomad/" + kUid + ".a\x1b[31m", "", "", "", ""},
      {"/nomad/" + kUid.substr(1) + ".web", "", "", "", ""},
      {"/nomad/" + kUidUnderscored + ".web", "", "", "", ""},
      {"/nomad/shared", "", "", "", ""},
  });
}

TEST(CgroupPath, Garden) {
  const std::string handle = kUid.substr(0, 28);
  expect_all({
      {"/garden/" + handle, handle, "garden", "", ""},
      {"/garden/" + kUid, kUid, "garden", "", ""},
      {"/system.slice/garden.service/garden/" + kUid, kUid, "garden", "", "garden.service"},
      {"/system.slice/garden.service/garden/good/" + handle, handle, "garden", "", "garden.service"},
      {"/system.slice/garden.service/garden/bad/" + handle + "/init", handle, "garden", "", "garden.service"},
      {"/garden-1/good/" + kUid, kUid, "garden", "", ""},
      // What looks like it.
      {"/garden/good", "", "", "", ""},
      {"/garden/init", "", "", "", ""},
      {"/good/" + kUid, "", "", "", ""},
      {"/garden/other/" + kUid, "", "", "", ""},
      {"/gardener/" + kUid, "", "", "", ""},
      {"/system.slice/garden.service/" + kUid, "", "", "", "garden.service"},
      {"/garden/" + kUid.substr(0, 27), "", "", "", ""},
      {"/garden/" + kUid.substr(0, 32), "", "", "", ""},
      {"/garden/roses", "", "", "", ""},
  });
}

TEST(CgroupPath, Mesos) {
  const std::string nested = "1" + kUid.substr(1);
  expect_all({
      {"/mesos/" + kUid, kUid, "mesos", "", ""},
      {"/mesos/" + kUid + "/leaf", kUid, "mesos", "", ""},
      {"/mesos/" + kUid + "/mesos/" + nested, nested, "mesos", "", ""},
      {"/system.slice/mesos-agent.service/mesos/" + kUid, kUid, "mesos", "", "mesos-agent.service"},
      // What looks like it.
      {"/mesos/agent/leaf", "", "", "", ""},
      {"/mesos/" + kUid + "0", "", "", "", ""},
      {"/mesosphere/" + kUid, "", "", "", ""},
      {"/mesos/" + kUid + "/mesos/check", kUid, "mesos", "", ""},
      {"/mesos/0D2F5A1E-9B3C-4D7E-8F60-112233445566", "", "", "", ""},
      {"/" + kUid, "", "", "", ""},
  });
}

TEST(CgroupPath, TheInnermostContainerWins) {
  expect_all({
      {"/docker/" + kA + "/docker/" + kB, kB, "docker", "", ""},
      {"/system.slice/docker-" + kA + ".scope/system.slice/docker-" + kB + ".scope", kB, "docker", "",
       "docker-" + kB + ".scope"},
      {"/docker/" + kA + "/system.slice/containerd.service", kA, "docker", "", "containerd.service"},
      {"/docker/" + kA + "/kubelet/kubepods/burstable/pod" + kUid + "/" + kB, kB, "containerd", kUid, ""},
      {"/docker/" + kA +
           "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/"
           "kubelet-kubepods-besteffort-pod" +
           kUidUnderscored + ".slice/cri-containerd-" + kB + ".scope",
       kB, "containerd", kUid, "cri-containerd-" + kB + ".scope"},
      {"/docker/" + kA + "/kubelet/kubepods/besteffort/pod" + kUid, "", "", kUid, ""},
      {"/kubepods/burstable/pod" + kUid + "/" + kA + "/docker/" + kB, kB, "docker", kUid, ""},
      {"/kubepods/burstable/pod" + kUid + "/" + kA + "/libpod_parent/libpod-" + kB, kB, "podman", kUid, ""},
      {"/docker/" + kA + "/libpod_parent/libpod-conmon-" + kB, kA, "docker", "", ""},
      {"/lxc.payload.c1/docker/" + kA, kA, "docker", "", ""},
  });
}

TEST(CgroupPath, Garbage) {
  const std::string upper(64, 'A');
  expect_all({
      {"", "", "", "", ""},
      {"relative/docker/" + kA, kA, "docker", "", ""},
      {"//docker//" + kA + "/", kA, "docker", "", ""},
      {"/../../docker/" + kA, kA, "docker", "", ""},
      {"/docker/" + kA.substr(1), "", "", "", ""},
      {"/docker/" + kA + "0", "", "", "", ""},
      {"/docker/" + upper, "", "", "", ""},
      {"/docker-.scope", "", "", "", "docker-.scope"},
      {"/docker-" + kA.substr(0, 12) + ".scope", "", "", "", "docker-" + kA.substr(0, 12) + ".scope"},
      {"/-" + kA + ".scope", "", "", "", "-" + kA + ".scope"},
      {"/:" + kA, "", "", "", ""},
      {"/::" + kA, "", "", "", ""},
      {"/.scope/.service/.slice/.", "", "", "", ""},
      {"/a\x1b[31m.service", "", "", "", ""},
      {"/a b.service/c\nd.scope/\x80\xff.slice", "", "", "", ""},
      {"/lxc.payload.a\x07"
       "b",
       "", "", "", ""},
      {"/lxc/-rf", "", "", "", ""},
      {std::string("/docker\0/x.service\0", 19), "", "", "", ""},
      {"/" + std::string(250, 'x') + ".service", "", "", "", ""},
  });
}

TEST(CgroupPath, IsBounded) {
  std::string path;
  while (path.size() < 3 * kMaxCgroupPath) path += "/level.slice";
  const Context cut = parse_cgroup_path(path + "/docker/" + kA);
  EXPECT_LE(cut.cgroup_path.size(), kMaxCgroupPath);
  EXPECT_GT(cut.cgroup_path.size(), kMaxCgroupPath - 20);
  EXPECT_EQ(path.substr(0, cut.cgroup_path.size()), cut.cgroup_path);
  EXPECT_TRUE(cut.cgroup_path.ends_with("/level.slice"));
  EXPECT_EQ(cut.container, "");
  EXPECT_EQ(cut.unit, "level.slice");

  const Context fits = parse_cgroup_path(std::string(kMaxCgroupPath - 1, 'x') + "/");
  EXPECT_EQ(fits.cgroup_path.size(), kMaxCgroupPath);
  EXPECT_EQ(parse_cgroup_path(std::string(100'000, 'x')).cgroup_path, "");
}

TEST(CgroupPath, EveryPrefixOfARealPathIsRead) {
  const std::string path = "/docker/" + kA + "/kubelet.slice/kubelet-kubepods-burstable-pod" + kUidUnderscored +
                           ".slice/cri-containerd-" + kB + ".scope/machine-a\\x2db.scope/ecs/" + kTask + "/" + kTask +
                           "-1";
  for (size_t length = 0; length <= path.size(); ++length) {
    const Context context = parse_cgroup_path(path.substr(0, length));
    EXPECT_EQ(context.cgroup_path.size(), length);
    EXPECT_TRUE(context.container.empty() || path.find(context.container) != std::string::npos ||
                context.container == "a-b")
        << context.container;
  }
}

}  // namespace
}  // namespace sockeye
