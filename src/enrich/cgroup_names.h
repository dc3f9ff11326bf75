// SPDX-License-Identifier: Apache-2.0
// From the id of a cgroup to its path.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/cgroup_mounts.h"
#include "base/fd.h"

namespace sockeye {

// How look-ups ended, one count a look-up; walks_cut is on top of them.
struct CgroupLookups {
  uint64_t by_handle = 0;   // the kernel named it
  uint64_t by_process = 0;  // /proc/PID/cgroup of the owner
  uint64_t by_walk = 0;     // found in the hierarchy
  uint64_t gone = 0;        // the kernel says there is no such cgroup any more
  uint64_t unnamed = 0;     // none of the ways led to it
  uint64_t walks_cut = 0;   // a walk ended at its limit
};

// Who chose the names in the path of a cgroup: who may make directories there.
struct CgroupNaming {
  size_t given;      // bytes from the beginning of the path that root alone can have chosen
  std::string user;  // who chose what follows: a uid, or kUnknownUser; empty: nothing follows
};

// Finds the path by, in this order:
//  1. open_by_handle_at() on the hierarchy's mount. A kernfs file handle is nothing but the id (FILEID_KERNFS, Linux
//     5.5), so the answer is exact, also when it is "gone". Needs CAP_DAC_READ_SEARCH.
//  2. /proc/PID/cgroup of the owner, if the cgroup it names has that id (a process may have been moved since). Where
//     the directory cannot be reached to compare, the start time of the process has to be known and equal.
//  3. A walk of the hierarchy for the inode number, which is the id. At 13 us a directory it is bounded:
//     `walk_limit` directories at once, of which each begin_batch() gives back a sixteenth.
// `root` is put before every path that is opened; "" is the machine itself. Paths are those of the cgroup namespace
// that sockeye runs in: in a container with one of its own they lack what is above that container.
class CgroupNames {
 public:
  static constexpr size_t kWalkLimit = 4096;

  explicit CgroupNames(std::string root, size_t walk_limit = kWalkLimit);

  void begin_batch() { walk_left_ = std::min(walk_limit_, walk_left_ + walk_limit_ / 16); }

  // `hierarchy`: CGROUP_* of wire.h. `pid`, `start_ns`: a process that is or was in it, 0 where unknown.
  // nullopt: the name is not to be had.
  std::optional<std::string> path_of(uint8_t hierarchy, uint64_t id, uint32_t pid, uint64_t start_ns);

  // For a process in the root of its hierarchy, as services are where systemd runs v1 without memory accounting: the
  // first path that is not the root of v1 memory, name=systemd, any other v1 hierarchy. `start_ns` has to be known.
  std::optional<std::string> v1_path_of(uint32_t pid, uint64_t start_ns);

  // `path`: of a cgroup that there is or was. Root is whoever owns the root of the hierarchy as far as it is mounted
  // here; what is above that was chosen by him. Where the hierarchy is not mounted, or the path not in it, nobody is
  // known.
  CgroupNaming naming_of(uint8_t hierarchy, std::string_view path) const;

  // Calls `found` for each cgroup of v2 and of v1 memory that there is now, from the root on, with its hierarchy
  // (CGROUP_*), id and path; of each hierarchy in at most kWalkLimit directories.
  void visit_all(const std::function<void(uint8_t hierarchy, uint64_t id, const std::string& path)>& found) const;

  const CgroupMounts& mounts() const { return mounts_; }
  const CgroupLookups& lookups() const { return lookups_; }

 private:
  // A mounted hierarchy; without a directory where it is not mounted.
  struct Hierarchy {
    CgroupMount mount;
    Fd directory;
    bool takes_handles = false;
  };
  enum class Answer { kFound, kGone, kUnknown };

  Hierarchy open_hierarchy(const std::optional<CgroupMount>& mount) const;
  Answer ask_handle(Hierarchy& hierarchy, uint64_t id, std::string* path) const;
  bool ask_process(const Hierarchy& hierarchy, bool v2, uint64_t id, uint32_t pid, uint64_t start_ns,
                   std::string* path) const;
  bool walk(const Hierarchy& hierarchy, uint64_t id, std::string* path);

  std::string root_;
  CgroupMounts mounts_;
  Hierarchy v2_;
  Hierarchy v1_memory_;
  size_t walk_limit_;
  size_t walk_left_;
  CgroupLookups lookups_;
};

// The path in the line of the text of a /proc/PID/cgroup for which `wanted` is one of the controllers; "" wants the
// line of v2, "*" that of any v1 hierarchy in which the path is not the root. Empty: there is none.
std::string_view proc_cgroup_path(std::string_view text, std::string_view wanted);

}  // namespace sockeye
