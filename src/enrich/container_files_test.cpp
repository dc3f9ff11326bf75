// SPDX-License-Identifier: Apache-2.0
#include "enrich/container_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/fake_root_for_tests.h"
#include "enrich/container_names.h"

namespace sockeye {
namespace {

using namespace std::string_view_literals;

const std::string kId(64, 'a');
const std::string kOther(64, 'b');
const std::string kPod = "4cad64d0-7a36-452a-8a08-bd3a694cdad5";
const std::string kStorage = "/var/lib/containers/storage/overlay-containers/";

Context in(const std::string& container, const std::string& pod = "") {
  Context context;
  context.container = container;
  context.pod = pod;
  return context;
}

Context said_by(const std::string& user) {
  Context context = in(kId);
  context.container_user = user;
  return context;
}

std::string words(const ContainerLabels& labels) {
  return labels.name + "|" + labels.image + "|" + labels.pod_name + "|" + labels.pod_namespace;
}

std::string found(const FakeRoot& root, const Context& where) { return words(ContainerFiles(root.path()).of(where)); }

std::string stored(const std::string& id, const std::string& name, const std::string& image) {
  return R"({"id":")" + id + R"(","names":[")" + name + R"("],"metadata":"{\"image-name\":\")" + image + R"(\"}"})";
}

std::string cri_config(const std::string& name) {
  return R"({"process":{},"annotations":{"io.kubernetes.cri.container-name":")" + name +
         R"(","io.kubernetes.cri.image-name":"acme/api:1.4","io.kubernetes.cri.sandbox-name":"api-0",)" +
         R"("io.kubernetes.cri.sandbox-namespace":"shop"}})";
}

TEST(ContainerFiles, OfDocker) {
  FakeRoot root;
  root.file("/var/lib/docker/containers/" + kId + "/config.v2.json",
            R"({"Name":"/web","Config":{"Image":"nginx:1.25"}})");
  EXPECT_EQ(found(root, in(kId)), "web|nginx:1.25||");
  EXPECT_EQ(found(root, in(kOther)), "|||");
}

TEST(ContainerFiles, OfDockerWhoseDataIsElsewhere) {
  FakeRoot root;
  root.file("/etc/docker/daemon.json", R"({"data-root":"/srv/docker"})");
  root.file("/srv/docker/containers/" + kId + "/config.v2.json", R"({"Name":"/web","Config":{"Image":"nginx"}})");
  EXPECT_EQ(found(root, in(kId)), "web|nginx||");
}

TEST(ContainerFiles, OfContainerdAndThoseThatShipIt) {
  for (const char* state : {"/run/containerd", "/run/k3s/containerd", "/run/k0s/containerd"}) {
    FakeRoot root;
    const std::string tasks = std::string(state) + "/io.containerd.runtime.v2.task/";
    root.directory(tasks + "moby");
    root.file(tasks + "k8s.io/" + kId + "/config.json", cri_config("api"));
    EXPECT_EQ(found(root, in(kId, kPod)), "api|acme/api:1.4|api-0|shop") << state;
  }
}

TEST(ContainerFiles, OfContainerdWhoseStateIsElsewhere) {
  FakeRoot root;
  root.file("/etc/containerd/config.toml", "version = 2\nstate = \"/srv/state\"\n");
  root.file("/srv/state/io.containerd.runtime.v2.task/k8s.io/" + kId + "/config.json", cri_config("api"));
  EXPECT_EQ(found(root, in(kId)), "api|acme/api:1.4|api-0|shop");
}

TEST(ContainerFiles, OfCrio) {
  FakeRoot root;
  root.file("/run/containers/storage/overlay-containers/" + kId + "/userdata/config.json",
            R"({"annotations":{"io.kubernetes.container.name":"api","io.kubernetes.pod.name":"api-0",
                "io.kubernetes.pod.namespace":"shop","io.kubernetes.cri-o.ImageName":"acme/api:1.4"}})");
  root.file(kStorage + "containers.json", "[" + stored(kId, "k8s_api_api-0_shop_uid_0", "other") + "]");
  EXPECT_EQ(found(root, in(kId, kPod)), "api|acme/api:1.4|api-0|shop");
}

TEST(ContainerFiles, OfPodman) {
  FakeRoot root;
  root.file(kStorage + "containers.json", "[" + stored(kId, "web", "localhost/busybox:latest") + "]");
  root.file(kStorage + kId + "/userdata/config.json", R"({"annotations":{"io.container.manager":"libpod"}})");
  EXPECT_EQ(found(root, in(kId)), "web|localhost/busybox:latest||");
}

TEST(ContainerFiles, OfPodmanWithRmAndElsewhere) {
  FakeRoot root;
  root.file("/etc/containers/storage.conf", "[storage]\ngraphroot = \"/srv/storage\"\n");
  root.file("/srv/storage/vfs-containers/containers.json", "[]");
  root.file("/srv/storage/vfs-containers/volatile-containers.json", "[" + stored(kId, "web", "busybox") + "]");
  EXPECT_EQ(found(root, in(kId)), "web|busybox||");
}

TEST(ContainerFiles, AListIsReadAnewWhenItHasChanged) {
  FakeRoot root;
  const std::string list = kStorage + "containers.json";
  root.file(list, "[" + stored(kId, "web", "busybox") + "]");
  ContainerFiles files(root.path());
  EXPECT_EQ(words(files.of(in(kId))), "web|busybox||");
  EXPECT_EQ(words(files.of(in(kOther))), "|||");
  // As runtimes do it: a new file takes the place of the old one.
  root.file(list + ".new", "[" + stored(kId, "web", "busybox") + "," + stored(kOther, "db", "postgres") + "]");
  std::filesystem::rename(root.path() + list + ".new", root.path() + list);
  EXPECT_EQ(words(files.of(in(kOther))), "db|postgres||");
}

TEST(ContainerFiles, OfPodmanWithoutRoot) {
  FakeRoot root;
  const std::string list = "/home/kim/.local/share/containers/storage/overlay-containers/containers.json";
  root.file("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nkim:x:1000:1000::/home/kim:/bin/sh\n");
  root.file(list, "[" + stored(kId, "web", "busybox") + "]");
  root.mount_all("ext4");
  EXPECT_EQ(found(root, in(kId)), "|||") << "root says so";
  EXPECT_EQ(found(root, said_by("1000")), "web|busybox||");
  EXPECT_EQ(found(root, said_by("1001")), "|||");
  Context where = said_by("unknown");
  where.cgroup_path = "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + kId + ".scope";
  EXPECT_EQ(found(root, where), "web|busybox||");
}

TEST(ContainerFiles, AUserHasNoSayOfWhatIsRoots) {
  FakeRoot root;
  root.file("/var/lib/docker/containers/" + kId + "/config.v2.json", R"({"Name":"/web","Config":{"Image":"nginx"}})");
  root.directory("/var/log/pods/shop_api-0_" + kPod);
  Context where = said_by("1000");
  where.pod = kPod;
  EXPECT_EQ(found(root, where), "|||");
  where.container_user = "unknown";
  EXPECT_EQ(found(root, where), "web|nginx|api-0|shop") << "perhaps it is root";
}

// What a server or a process of the user's answers for may never be answered.
TEST(ContainerFiles, AHomeThatIsNotLocalIsNotAsked) {
  const std::string list = "/home/kim/.local/share/containers/storage/overlay-containers/containers.json";
  for (const auto& [type, is_asked] : {std::pair("ext4", true),
                                       {"btrfs", true},
                                       {"fuse.sshfs", false},
                                       {"fuseblk", false},
                                       {"nfs4", false},
                                       {"cifs", false},
                                       {"autofs", false},
                                       {"9p", false}}) {
    for (const char* point : {"/home", "/home/kim"}) {
      FakeRoot root;
      root.file("/etc/passwd", "kim:x:1000:1000::/home/kim:/bin/sh\n");
      root.file(list, "[" + stored(kId, "web", "busybox") + "]");
      root.mountinfo(root.mount("/", "/", "- ext4 x rw") + root.mount("/", "/homes", "- nfs x rw") +
                     root.mount("/", point, std::string("- ") + type + " x rw"));
      EXPECT_EQ(found(root, said_by("1000")), is_asked ? "web|busybox||" : "|||") << type << " at " << point;
    }
  }
}

TEST(ContainerFiles, AHomeBelowWhatIsNotLocalIsNotAsked) {
  FakeRoot root;
  root.file("/etc/passwd", "kim:x:1000:1000::/net/home/kim:/bin/sh\n");
  root.file("/net/home/kim/.local/share/containers/storage/overlay-containers/containers.json",
            "[" + stored(kId, "web", "busybox") + "]");
  const std::string local = root.mount("/", "/", "- ext4 x rw") + root.mount("/", "/net/home", "- ext4 x rw");
  root.mountinfo(local + root.mount("/", "/net", "- nfs x rw"));
  EXPECT_EQ(found(root, said_by("1000")), "|||");
  root.mountinfo(local);
  EXPECT_EQ(found(root, said_by("1000")), "web|busybox||");
}

TEST(ContainerFiles, AHomeThatSomethingWasMountedOverIsNotAsked) {
  FakeRoot root;
  root.file("/etc/passwd", "kim:x:1000:1000::/home/kim:/bin/sh\n");
  root.file("/home/kim/.local/share/containers/storage/overlay-containers/containers.json",
            "[" + stored(kId, "web", "busybox") + "]");
  root.mountinfo("99999999 23 0:28 / /home/kim rw - ext4 x rw\n");
  EXPECT_EQ(found(root, said_by("1000")), "|||");
}

TEST(ContainerFiles, ListsOfUsersAreForgottenWhereThereAreMany) {
  FakeRoot root;
  root.mount_all("ext4");
  constexpr size_t kUsers = ContainerFiles::kMaxOfUsers / ContainerFiles::kMaxOfUser + 2;
  std::string passwd;
  for (size_t i = 0; i < kUsers; ++i) {
    const std::string uid = std::to_string(1000 + i), text = "[" + stored(kId, "web" + uid, "busybox") + "]";
    passwd += "kim:x:" + uid + ":1000::/home/" + uid + ":/bin/sh\n";
    root.file("/home/" + uid + "/.local/share/containers/storage/overlay-containers/containers.json",
              text + std::string(ContainerFiles::kMaxOfUser - text.size(), ' '));
  }
  root.file("/etc/passwd", passwd);
  ContainerFiles files(root.path());
  EXPECT_EQ(files.of(said_by("1000")).name, "web1000");
  EXPECT_EQ(files.of(said_by("1000")).name, "web1000") << "it is kept";
  for (size_t i = 1; i < kUsers; ++i) {
    const std::string uid = std::to_string(1000 + i);
    EXPECT_EQ(files.of(said_by(uid)).name, "web" + uid);
  }
  EXPECT_EQ(files.of(said_by("1000")).name, "") << "not again in this batch";
  files.begin_batch();
  EXPECT_EQ(files.of(said_by("1000")).name, "web1000");
}

TEST(ContainerFiles, AUsersListsAreReadSoMuchInABatch) {
  FakeRoot root;
  const std::string list = "/home/kim/.local/share/containers/storage/overlay-containers/containers.json";
  root.file("/etc/passwd", "kim:x:1000:1000::/home/kim:/bin/sh\n");
  root.mount_all("ext4");
  const Context where = said_by("1000");
  ContainerFiles files(root.path());
  const auto name = [&](const std::string& it, size_t size) {
    root.file(list, "[" + stored(kId, it, "busybox") + "]" + std::string(size, ' '));
    return files.of(where).name;
  };
  EXPECT_EQ(name("one", ContainerFiles::kMaxOfUser / 2), "one");
  EXPECT_EQ(name("two", ContainerFiles::kMaxOfUser / 2 + 1), "one") << "not again in this batch";
  files.begin_batch();
  EXPECT_EQ(files.of(where).name, "two");
  files.begin_batch();
  EXPECT_EQ(name("three", ContainerFiles::kMaxOfUser), "two") << "too long";
}

TEST(ContainerFiles, StoresOfEachStorageDriver) {
  for (const char* driver : {"overlay", "vfs", "btrfs", "zfs"}) {
    FakeRoot root;
    const std::string path = "/run/containers/storage/" + std::string(driver) + "-containers";
    root.directory(path);
    EXPECT_EQ(ContainerFiles(root.path()).stores().at(2).path, path);
  }
}

TEST(ContainerFiles, FollowsNothingThatAUserLaid) {
  FakeRoot root;
  const std::string home = "/home/kim", storage = home + "/.local/share/containers/storage";
  root.file("/etc/passwd", "kim:x:1000:1000::/home/kim:/bin/sh\n");
  root.file("/secret/containers.json", "[" + stored(kId, "web", "busybox") + "]");
  root.directory(storage + "/overlay-containers");
  root.mount_all("ext4");
  const Context where = said_by("1000");
  const std::string list = root.path() + storage + "/overlay-containers/containers.json";
  std::filesystem::create_symlink(root.path() + "/secret/containers.json", list);
  EXPECT_EQ(found(root, where), "|||") << "a link to a file";
  std::filesystem::remove(list);
  ASSERT_EQ(::mkfifo(list.c_str(), 0600), 0);
  EXPECT_EQ(found(root, where), "|||") << "a pipe";
  std::filesystem::remove_all(root.path() + storage + "/overlay-containers");
  std::filesystem::create_symlink(root.path() + "/secret", root.path() + storage + "/overlay-containers");
  EXPECT_EQ(found(root, where), "|||") << "a link to a directory";
}

TEST(ContainerFiles, OfTheKubelet) {
  FakeRoot root;
  root.directory("/var/log/pods/shop_db-0_00000000-7a36-452a-8a08-bd3a694cdad5");
  root.directory("/var/log/pods/shop_api-0_" + kPod);
  EXPECT_EQ(found(root, in(kId)), "|||") << "in no pod";
  EXPECT_EQ(found(root, in(kId, kPod)), "||api-0|shop");
  root.file("/var/log/containers/db-0_shop_db-" + kOther + ".log", "");
  root.file("/var/log/containers/api-0_shop_api-server-" + kId + ".log", "");
  EXPECT_EQ(found(root, in(kId, kPod)), "api-server||api-0|shop");
}

TEST(ContainerFiles, OnlyOfIds) {
  FakeRoot root;
  root.file("/var/lib/docker/config.v2.json", R"({"Name":"/no"})");
  for (const char* id : {"", "..", "web", "../../x"}) EXPECT_EQ(found(root, in(id)), "|||") << id;
}

TEST(ContainerFiles, StoresThatAreThereAndThoseThatAreNot) {
  FakeRoot root;
  root.directory("/var/lib/docker/containers");
  root.directory("/run/k3s/containerd/io.containerd.runtime.v2.task");
  std::string all;
  for (const ContainerStore& store : ContainerFiles(root.path()).stores()) {
    all += std::string(store.runtime) + " " + store.path + " " + std::to_string(static_cast<int>(store.state)) + "\n";
  }
  EXPECT_EQ(all,
            "docker /var/lib/docker/containers 0\n"
            "containerd /run/k3s/containerd/io.containerd.runtime.v2.task 0\n"
            "podman, cri-o /var/lib/containers/storage/overlay-containers 1\n"
            "kubelet /var/log/pods 1\n");
}

TEST(ContainerFiles, TheUserOfACgroup) {
  EXPECT_EQ(user_of_cgroup("/user.slice/user-1000.slice/session-3.scope"), 1000u);
  EXPECT_EQ(user_of_cgroup("/user.slice/user-1000.slice/user@1001.service/x"), 1001u);
  for (const char* path : {"", "/user.slice", "/user-.slice", "/user-1000", "/user-99999999999.slice", "/user-a.slice"})
    EXPECT_EQ(user_of_cgroup(path), std::nullopt) << path;
}

TEST(ContainerFiles, TheHomeOfAUser) {
  const char* passwd = "root:x:0:0:root:/root:/bin/sh\n1000:x:1:1:::\nkim:x:1000:1000:K,,,:/home/kim:/bin/sh\nx:x:7\n";
  EXPECT_EQ(home_in_passwd(passwd, 1000), "/home/kim");
  EXPECT_EQ(home_in_passwd(passwd, 0), "/root");
  EXPECT_EQ(home_in_passwd(passwd, 1), "") << "a home that is none";
  EXPECT_EQ(home_in_passwd(passwd, 7), "");
  EXPECT_EQ(home_in_passwd("", 0), "");
  EXPECT_EQ(
      home_in_passwd("# kim:x:7:7::/no:\n\nkim:x:99999999999:7::/no:\nkim:x:seven:7::/no:\nkim:x:7:7::/home/kim", 7),
      "/home/kim")
      << "comments, blank lines and numbers that are none are passed over, and the last line may lack its end";
  EXPECT_EQ(home_in_passwd("kim:x:7:7::/no\0\nkim:x:8:7:\xff:/home/\xff:"sv, 8), "/home/\xff");
  EXPECT_EQ(home_in_passwd("+\n+::::::\n-\nroot:x:0:0::/root:", 0), "/root");
  const std::string name(size_t{1} << 20, 'x');
  EXPECT_EQ(home_in_passwd(name + ":x:7:7::/no:\n" + name + "\nkim:x:8:8::/home/kim:", 8), "/home/kim") << "long lines";
}

TEST(ContainerNames, AContainerIsLookedUpOnce) {
  FakeRoot root;
  const std::string file = "/var/lib/docker/containers/" + kId + "/config.v2.json";
  root.file(file, R"({"Name":"/web","Config":{"Image":"nginx:1.25"}})");
  ContainerNames names(root.path());
  Context first = in(kId), second = in(kId);
  names.complete(&first);
  std::filesystem::remove(root.path() + file);
  names.complete(&second);
  EXPECT_EQ(second.container_name, "web") << "known after the container has gone";
  EXPECT_EQ(second.container_image, "nginx:1.25");
}

TEST(ContainerNames, WhatUsersSayMakesNothingElseForgotten) {
  FakeRoot root;
  const std::string file = "/var/lib/docker/containers/" + kId + "/config.v2.json";
  root.file(file, R"({"Name":"/web","Config":{"Image":"nginx:1.25"}})");
  ContainerNames names(root.path());
  Context first = in(kId), again = in(kId), claimed = said_by("1000");
  names.complete(&first);
  names.complete(&claimed);
  EXPECT_EQ(claimed.container_name, "") << "the name of root's";
  std::filesystem::remove(root.path() + file);
  for (size_t i = 0; i <= ContainerNames::kCapacity; ++i) {
    const std::string number = std::to_string(i);
    claimed.container = std::string(64 - number.size(), 'b') + number;
    names.complete(&claimed);
  }
  names.complete(&again);
  EXPECT_EQ(again.container_name, "web");
}

TEST(ContainerNames, WhatHasANameInPlaceOfAnId) {
  ContainerNames names("/nowhere");
  Context lxc = in("web"), none = in("");
  lxc.runtime = "lxc";
  names.complete(&lxc);
  names.complete(&none);
  EXPECT_EQ(lxc.container_name, "web");
  EXPECT_EQ(none.container_name, "");
}

}  // namespace
}  // namespace sockeye
