// SPDX-License-Identifier: Apache-2.0
// One network namespace after the other: an iterator sees only the namespace of whoever opens it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/fd.h"
#include "bpf/namespace_holders.h"

namespace sockeye {

// Which namespaces to visit, by their inode numbers. Once `most` of them have been there are no more.
struct WantedNamespaces {
  std::function<bool(uint32_t inode)> takes = [](uint32_t) { return true; };
  size_t most = SIZE_MAX;
};

// Visits the own network namespace and all that a process or a mounted file holds, each once; then those that threads,
// sockets and descriptors lead to and that were not visited, so that what cannot be visited is known. The calling
// thread is in the namespace that enter_next() entered last, and in its own again once that has returned false or the
// walk is over.
class NamespaceWalk {
 public:
  using Wanted = WantedNamespaces;
  // Without `holders` nobody asks for what leads there beside processes and files.
  explicit NamespaceWalk(Wanted wanted = {}, NamespaceHolders holders = {});
  ~NamespaceWalk() { go_home(); }
  NamespaceWalk(const NamespaceWalk&) = delete;
  NamespaceWalk& operator=(const NamespaceWalk&) = delete;

  // False: there are no more. One that cannot be entered is counted and passed over.
  bool enter_next();

  int unvisited() const { return unvisited_; }
  // Why a namespace could not be entered, or may not be known of; empty: all could.
  const std::string& limitation() const { return limitation_; }

 private:
  // What leads to it does so while a process lives, so there are several.
  struct Namespace {
    uint64_t inode;
    std::vector<std::string> paths;
    std::vector<namespace_holder> holders;
  };

  void find_others();
  Namespace* place_of(uint64_t inode);
  bool consider_path(const std::string& path);
  void consider_holder(const namespace_holder& holder);
  bool find_held();
  bool enter_other();
  bool enter(const Namespace& other);
  int enter_by(const Fd& file, uint64_t inode);
  void leave_out(const std::string& which, int error, const char* remedy);
  void go_home();

  Wanted wanted_;
  NamespaceHolders holders_;
  Fd own_;
  dev_t nsfs_ = 0;                              // the file system that all namespaces are files of
  std::vector<Namespace> others_;               // to visit, and visited
  std::unordered_map<uint64_t, size_t> known_;  // by inode number: the place among others_, or kDone
  size_t next_ = 0;
  size_t entered_ = 0;
  int rounds_ = 0;  // so often holders were asked for
  bool own_is_next_ = true;
  bool away_ = false;
  int unvisited_ = 0;
  std::string limitation_;
};

}  // namespace sockeye
