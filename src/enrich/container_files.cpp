// SPDX-License-Identifier: Apache-2.0
#include "enrich/container_files.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <pwd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <utility>

#include "base/directory.h"
#include "base/fd.h"
#include "base/read_file.h"
#include "base/text.h"
#include "enrich/local_directory.h"

namespace sockeye {
namespace {

constexpr size_t kIdLength = 64;
constexpr size_t kMaxConfig = 64 * 1024;
constexpr size_t kMaxNamespaces = 32;  // of containerd: moby, k8s.io, default, buildkit
constexpr std::string_view kTasks = "/io.containerd.runtime.v2.task";
constexpr std::string_view kUserStorage = ".local/share/containers/storage";
constexpr std::string_view kStorageDrivers[] = {"overlay", "vfs", "btrfs", "zfs"};
constexpr const char* kStoredLists[] = {"containers.json", "volatile-containers.json"};  // the second: run --rm

bool is_id(std::string_view text) {
  return text.size() == kIdLength &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// Calls `visit` with the names in a directory, at most `limit` of them, until it returns false.
template <typename Visit>
void each_name(const std::string& path, size_t limit, Visit visit) {
  const Directory directory(::opendir(path.c_str()));
  while (directory && limit > 0) {
    const dirent* entry = ::readdir(directory.get());
    if (!entry) return;
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    --limit;
    if (!visit(name)) return;
  }
}

std::string text_of(const std::string& path, size_t limit) {
  auto text = read_file(AT_FDCWD, path, limit);
  return text ? std::move(*text) : "";
}

// A file in a directory that another user may write to: nothing is followed that leads elsewhere, to a device of root's
// or to a file system of the user's own, which could keep us waiting.
Fd file_beneath(const Fd& directory, const std::string& path) {
  open_how how = {};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
  return Fd(static_cast<int>(::syscall(SYS_openat2, directory.get(), path.c_str(), &how, sizeof how)));
}

bool is_same(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

struct FileCloser {
  void operator()(FILE* file) const { ::fclose(file); }
};
using File = std::unique_ptr<FILE, FileCloser>;

void add_first(std::vector<std::string>& paths, const std::string& path) {
  if (path.starts_with('/') && std::count(paths.begin(), paths.end(), path) == 0) paths.insert(paths.begin(), path);
}

// Of the directories of a runtime the first that there is.
ContainerStore store_of(std::string_view runtime, const std::string& root, const std::vector<std::string>& paths,
                        std::string_view below) {
  ContainerStore store{runtime, paths.empty() ? "" : paths.back() + std::string(below),
                       ContainerStore::State::kNotThere, ""};
  for (const std::string& each : paths) {
    const std::string path = each + std::string(below);
    const Fd directory(::open((root + path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory && (errno == ENOENT || errno == ENOTDIR)) continue;
    store.path = path;
    store.state = directory ? ContainerStore::State::kFound : ContainerStore::State::kNotReadable;
    if (directory) break;
    store.problem = errno_text(errno);
  }
  return store;
}

}  // namespace

ContainerFiles::ContainerFiles(std::string root)
    : root_(std::move(root)),
      docker_roots_{"/var/snap/docker/common/var-lib-docker", "/var/lib/docker"},
      containerd_states_{"/var/snap/microk8s/common/run/containerd", "/run/k0s/containerd", "/run/k3s/containerd",
                         "/run/containerd"},
      storages_{"/run/containers/storage", "/var/lib/containers/storage"} {
  add_first(docker_roots_, docker_data_root(text_of(root_ + "/etc/docker/daemon.json", kMaxConfig)));
  add_first(containerd_states_, toml_string(text_of(root_ + "/etc/containerd/config.toml", kMaxConfig), "state"));
  for (const char* file : {"/usr/share/containers/storage.conf", "/etc/containers/storage.conf"}) {
    const std::string text = text_of(root_ + file, kMaxConfig);
    for (const char* key : {"runroot", "graphroot"}) add_first(storages_, toml_string(text, key));
  }
}

ContainerLabels ContainerFiles::of(const Context& where) {
  ContainerLabels labels;
  const std::string& id = where.container;
  if (!is_id(id)) return labels;
  if (const auto uid = user_of(where)) {
    of_user(id, *uid, &labels);
    return labels;
  }
  of_docker(id, &labels);
  if (!labels.is_complete()) of_bundles(id, &labels);
  for (const std::string& storage : storages_) {
    if (!labels.is_complete()) of_storage(root_ + storage, id, &labels);
  }
  of_kubelet(where, &labels);
  return labels;
}

void ContainerFiles::of_docker(const std::string& id, ContainerLabels* labels) const {
  for (const std::string& data : docker_roots_) {
    const auto text = read_file(AT_FDCWD, root_ + data + "/containers/" + id + "/config.v2.json", kMaxFile);
    if (text) return labels->add(labels_in_docker_config(*text));
  }
}

void ContainerFiles::of_bundles(const std::string& id, ContainerLabels* labels) const {
  for (const std::string& state : containerd_states_) {
    const std::string tasks = root_ + state + std::string(kTasks);
    bool found = false;
    each_name(tasks, kMaxNamespaces, [&](std::string_view name) {
      const auto text = read_file(AT_FDCWD, tasks + "/" + std::string(name) + "/" + id + "/config.json", kMaxFile);
      found = static_cast<bool>(text);
      if (text) labels->add(labels_in_oci_config(*text));
      return !found;
    });
    if (found) return;
  }
}

void ContainerFiles::of_storage(const std::string& storage, const std::string& id, ContainerLabels* labels) {
  for (const std::string_view driver : kStorageDrivers) {
    const std::string containers = storage + "/" + std::string(driver) + "-containers/";
    const auto text = read_file(AT_FDCWD, containers + id + "/userdata/config.json", kMaxFile);
    if (text) labels->add(labels_in_oci_config(*text));
    for (const char* list : kStoredLists) {
      if (labels->is_complete()) continue;
      const std::string path = containers + list;
      const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
      size_t may_read = kMaxList;
      of_list(lists_[path], file, &may_read, id, labels);
    }
  }
}

// `file`: what the list is in now. It is read where it has changed and is not longer than `*may_read`, which is what of
// it may be read later.
void ContainerFiles::of_list(StoredList& list, const Fd& file, size_t* may_read, const std::string& id,
                             ContainerLabels* labels) {
  struct stat now = {};
  if (!file || ::fstat(file.get(), &now) != 0 || !S_ISREG(now.st_mode)) return;
  const size_t size = std::min(static_cast<size_t>(now.st_size), kMaxList);
  if (!is_same(list.version, now) && size <= *may_read) {
    *may_read -= size;
    list.version = now;
    list.labels.clear();
    const std::string text = text_of("/proc/self/fd/" + std::to_string(file.get()), size);
    each_stored_container(text, [&list](std::string_view stored, const ContainerLabels& its) {
      if (is_id(stored) && list.labels.size() < kMaxEntries) list.labels.emplace(stored, its);
    });
  }
  const auto found = list.labels.find(id);
  if (found != list.labels.end()) labels->add(found->second);
}

// Of a user without a home, or with one that is elsewhere, nothing is to be had.
ContainerFiles::User ContainerFiles::begin_user(uint32_t uid) {
  const std::string passwd = root_ + "/etc/passwd";
  struct stat now = {};
  if (::stat(passwd.c_str(), &now) == 0 && !is_same(passwd_version_, now)) {
    passwd_version_ = now;
    passwd_ = text_of(passwd, kMaxFile);
  }
  const std::string home = home_in_passwd(passwd_, uid);
  return {home.empty() ? Fd() : open_local_directory(root_, home)};
}

// Podman without root keeps everything in the user's home.
void ContainerFiles::of_user(const std::string& id, uint32_t uid, ContainerLabels* labels) {
  auto found = users_.find(uid);
  if (found == users_.end()) found = users_.emplace(uid, begin_user(uid)).first;
  User& user = found->second;
  if (!user.home) return;
  if (user_bytes_ > kMaxOfUsers) {
    user_lists_.clear();
    user_bytes_ = 0;
  }
  for (const std::string_view driver : kStorageDrivers) {
    for (const char* list : kStoredLists) {
      const std::string path = std::string(kUserStorage) + "/" + std::string(driver) + "-containers/" + list;
      const Fd file = file_beneath(user.home, path);
      if (!file) continue;
      const size_t may_read = user.may_read;
      of_list(user_lists_[std::to_string(uid) + "/" + path], file, &user.may_read, id, labels);
      user_bytes_ += may_read - user.may_read;
      if (labels->is_complete()) return;
    }
  }
}

// What the kubelet calls its logs (pkg/kubelet/kuberuntime: BuildPodLogsDirectory(), legacyLogSymlink()). No name in
// Kubernetes has an underscore. The directory of the pod is older than its first container, the link younger.
void ContainerFiles::of_kubelet(const Context& where, ContainerLabels* labels) const {
  if (where.pod.empty()) return;
  const auto take = [](std::string* to, std::string_view value) {
    if (to->empty()) to->assign(value.substr(0, kMaxContainerName));
  };
  if (labels->pod_name.empty() || labels->pod_namespace.empty()) {
    each_name(root_ + "/var/log/pods", kMaxEntries, [&](std::string_view name) {
      const size_t first = name.find('_'), last = name.rfind('_');
      if (first == last || name.substr(last + 1) != where.pod) return true;
      take(&labels->pod_namespace, name.substr(0, first));
      take(&labels->pod_name, name.substr(first + 1, last - first - 1));
      return false;
    });
  }
  if (!labels->name.empty()) return;
  const std::string end = "-" + where.container + ".log";
  each_name(root_ + "/var/log/containers", kMaxEntries, [&](std::string_view name) {
    if (!name.ends_with(end)) return true;
    name.remove_suffix(end.size());
    const size_t at = name.rfind('_');
    if (at != std::string_view::npos) take(&labels->name, name.substr(at + 1));
    return false;
  });
}

std::vector<ContainerStore> ContainerFiles::stores() const {
  std::vector<std::string> containers;
  // The last is what is named where there is none.
  for (auto driver = std::rbegin(kStorageDrivers); driver != std::rend(kStorageDrivers); ++driver) {
    for (const std::string& storage : storages_)
      containers.push_back(storage + "/" + std::string(*driver) + "-containers");
  }
  return {store_of("docker", root_, docker_roots_, "/containers"),
          store_of("containerd", root_, containerd_states_, kTasks), store_of("podman, cri-o", root_, containers, ""),
          store_of("kubelet", root_, {"/var/log/pods"}, "")};
}

std::optional<uint32_t> user_of(const Context& where) {
  if (where.container_user != kUnknownUser) return number_in<uint32_t>(where.container_user);
  const auto uid = user_of_cgroup(where.cgroup_path);
  return uid && *uid != 0 ? uid : std::nullopt;
}

std::optional<uint32_t> user_of_cgroup(std::string_view cgroup_path) {
  for (const std::string_view before : {"/user@", "/user-"}) {
    const size_t at = cgroup_path.find(before);
    if (at == std::string_view::npos) continue;
    const std::string_view rest = cgroup_path.substr(at + before.size());
    const size_t dot = rest.find('.');
    if (dot == std::string_view::npos) continue;
    if (const auto uid = number_in<uint32_t>(rest.substr(0, dot))) return uid;
  }
  return std::nullopt;
}

std::string home_in_passwd(std::string_view passwd, uint32_t uid) {
  if (passwd.empty()) return "";
  const File file(::fmemopen(const_cast<char*>(passwd.data()), passwd.size(), "r"));  // it is only read
  while (const struct passwd* entry = file ? ::fgetpwent(file.get()) : nullptr) {
    const char sign = *entry->pw_name;  // of NIS: such a line stands for others' users, and what it lacks is null
    if (entry->pw_uid == uid && sign != '+' && sign != '-') return *entry->pw_dir == '/' ? entry->pw_dir : "";
  }
  return "";
}

}  // namespace sockeye
