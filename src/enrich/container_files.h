// SPDX-License-Identifier: Apache-2.0
// What container runtimes and the kubelet keep on disk about containers. Runtimes write it before the first process of
// a container runs, so that its names are there with its first packet, and no daemon has to answer.
//
//   Docker       DATA/containers/ID/config.v2.json         DATA: /var/lib/docker, the snap's, data-root of daemon.json
//   containerd   STATE/io.containerd.runtime.v2.task/NAMESPACE/ID/config.json
//                                                          STATE: /run/containerd, those of k3s, k0s and MicroK8s
//   CRI-O        ROOT/DRIVER-containers/ID/userdata/config.json
//   Podman       ROOT/DRIVER-containers/{,volatile-}containers.json
//                                                          ROOT: graphroot and runroot of storage.conf, or their
//                                                          defaults; without root ~/.local/share/containers/storage
//   kubelet      /var/log/containers/POD_NAMESPACE_NAME-ID.log, /var/log/pods/NAMESPACE_POD_UID
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "enrich/container_json.h"
#include "event/context.h"

namespace sockeye {

// Where one runtime keeps what it writes, as far as this process can see.
struct ContainerStore {
  enum class State : uint8_t { kFound, kNotThere, kNotReadable };
  std::string_view runtime;  // docker, containerd, podman (and CRI-O: they share one), kubelet
  std::string path;          // the directory; where there is none, the usual one
  State state = State::kNotThere;
  std::string problem;  // kNotReadable: why
};

class ContainerFiles {
 public:
  // `root` is put before every path; "" is the machine itself. Where runtimes were told to keep their files elsewhere
  // is read now.
  explicit ContainerFiles(std::string root);

  // Of the container with the id `where.container` (64 hex digits, else nothing is found), what files say: those of the
  // user who says that it is one (user_of()), else root's. Reads a few small files; of each at most kMaxFile bytes, of
  // directories at most kMaxEntries entries.
  ContainerLabels of(const Context& where);

  // Lists of users may be read anew, kMaxOfUser bytes of each user's: they can make them as large, and change them as
  // often, as they like.
  void begin_batch() { users_.clear(); }

  // One entry a runtime.
  std::vector<ContainerStore> stores() const;

  static constexpr size_t kMaxFile = size_t{1} << 20;
  static constexpr size_t kMaxList = size_t{8} << 20;     // containers.json: about 1,500 bytes a container
  static constexpr size_t kMaxOfUser = size_t{1} << 20;   // of a user's lists together, in a batch
  static constexpr size_t kMaxOfUsers = size_t{4} << 20;  // of all users' lists, what is kept
  static constexpr size_t kMaxEntries = 8192;

 private:
  // A containers.json as it was last read. It is replaced as a whole (a new file is renamed over it) when a container
  // comes or goes.
  struct StoredList {
    struct stat version = {};
    std::map<std::string, ContainerLabels, std::less<>> labels;
  };
  using StoredLists = std::map<std::string, StoredList>;  // by path
  struct User {
    Fd home;
    size_t may_read = kMaxOfUser;
  };

  void of_docker(const std::string& id, ContainerLabels* labels) const;
  void of_bundles(const std::string& id, ContainerLabels* labels) const;
  void of_storage(const std::string& storage, const std::string& id, ContainerLabels* labels);
  static void of_list(StoredList& list, const Fd& file, size_t* may_read, const std::string& id,
                      ContainerLabels* labels);
  void of_user(const std::string& id, uint32_t uid, ContainerLabels* labels);
  User begin_user(uint32_t uid);
  void of_kubelet(const Context& where, ContainerLabels* labels) const;

  std::string root_;
  std::vector<std::string> docker_roots_;
  std::vector<std::string> containerd_states_;
  std::vector<std::string> storages_;
  StoredLists lists_;               // a few
  StoredLists user_lists_;          // at most eight for each user
  size_t user_bytes_ = 0;           // what was read for user_lists_
  std::map<uint32_t, User> users_;  // in this batch
  std::string passwd_;              // /etc/passwd as it was last read
  struct stat passwd_version_ = {};
};

// The user who says that it is a container: of Context::container_user; where that is kUnknownUser, of the path.
// nullopt: root does, or it cannot be known.
std::optional<uint32_t> user_of(const Context& where);

// The user in whose session a cgroup is: UID of user-UID.slice or user@UID.service.
std::optional<uint32_t> user_of_cgroup(std::string_view cgroup_path);

// The home directory of a user in the text of a passwd(5) file; empty: there is none.
std::string home_in_passwd(std::string_view passwd, uint32_t uid);

}  // namespace sockeye
