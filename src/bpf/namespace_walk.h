// SPDX-License-Identifier: Apache-2.0
// One network namespace after the other: an iterator sees only the namespace of whoever opens it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/fd.h"

namespace sockeye {

// Visits the own network namespace and all that a process or a file under /run/netns holds, each once. The calling
// thread is in the namespace that enter_next() entered last, and in its own again once that has returned false or the
// walk is over.
class NamespaceWalk {
 public:
  // `wanted`: whether to visit the namespace with this inode number.
  using Wanted = std::function<bool(uint32_t inode)>;
  explicit NamespaceWalk(const Wanted& wanted = [](uint32_t) { return true; });
  ~NamespaceWalk() { go_home(); }
  NamespaceWalk(const NamespaceWalk&) = delete;
  NamespaceWalk& operator=(const NamespaceWalk&) = delete;

  // False: there are no more. One that cannot be entered is counted and passed over.
  bool enter_next();

  int unvisited() const { return unvisited_; }
  // Why a namespace could not be entered, or may not be known of; empty: all could.
  const std::string& shortcoming() const { return shortcoming_; }

 private:
  // Paths lead to it while the process lives that they name, so there are several.
  struct Namespace {
    std::pair<uint64_t, uint64_t> identity;  // device and inode number
    std::vector<std::string> paths;
  };

  void find_others(const Wanted& wanted);
  bool enter(const Namespace& other);
  void go_home();

  Fd own_;
  std::vector<Namespace> others_;
  size_t next_ = 0;
  bool own_is_next_;
  bool away_ = false;
  int unvisited_ = 0;
  std::string shortcoming_;
};

}  // namespace sockeye
