// SPDX-License-Identifier: Apache-2.0
// A directory that stands in for / in tests: /proc and cgroup hierarchies made of ordinary files.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

namespace sockeye {

class FakeRoot {
 public:
  FakeRoot() : path_(testing::TempDir() + "sockeye-root-XXXXXX") {
    if (!::mkdtemp(path_.data())) ADD_FAILURE() << "cannot make " << path_;
  }
  FakeRoot(const FakeRoot&) = delete;
  FakeRoot& operator=(const FakeRoot&) = delete;
  ~FakeRoot() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::string& path() const { return path_; }

  // Makes the directory and those above it; the inode number stands in for the id of a cgroup.
  uint64_t directory(const std::string& path) const {
    std::filesystem::create_directories(path_ + path);
    struct stat status = {};
    EXPECT_EQ(::stat((path_ + path).c_str(), &status), 0) << path;
    return status.st_ino;
  }

  // Gives a directory to a user. False: only root may.
  bool give(const std::string& path, uid_t user) const { return ::chown((path_ + path).c_str(), user, user) == 0; }

  void file(const std::string& path, const std::string& text) const {
    directory(path.substr(0, path.rfind('/')));
    std::ofstream(path_ + path) << text;
  }

  // A process as /proc shows it. `cgroup`: the text of its cgroup file.
  void process(uint32_t pid, uint64_t start_ns, const std::string& cgroup) const {
    const std::string directory = "/proc/" + std::to_string(pid);
    const uint64_t ticks = start_ns / (1'000'000'000 / static_cast<uint64_t>(::sysconf(_SC_CLK_TCK)));
    file(directory + "/stat", std::to_string(pid) + " (a) b ( c) S 1 1 1 0 -1 4194304 101 0 0 0 0 0 0 0 20 0 1 0 " +
                                  std::to_string(ticks) + " 3133440 410 18446744073709551615\n");
    file(directory + "/cgroup", cgroup);
  }

  // A line of /proc/self/mountinfo; `after`: what follows the options of the mount. The directory at the mount point is
  // made, and the id is that of the mount in which it really is.
  std::string mount(const std::string& mount_root, const std::string& point, const std::string& after) const {
    directory(point);
    struct statx status = {};
    EXPECT_EQ(::statx(AT_FDCWD, (path_ + point).c_str(), 0, STATX_MNT_ID, &status), 0) << point;
    return std::to_string(status.stx_mnt_id) + " 23 0:28 " + mount_root + " " + point + " rw,relatime " + after + "\n";
  }

  void mountinfo(const std::string& text) const { file("/proc/self/mountinfo", text); }

  // The hybrid layout: v1 hierarchies beside v2.
  void mount_hybrid() const {
    mountinfo(mount("/", "/proc", "- proc proc rw") + mount("/", "/sys/fs/cgroup", "- tmpfs tmpfs rw,mode=755") +
              mount("/", "/sys/fs/cgroup/memory", "- cgroup cgroup rw,memory") +
              mount("/", "/sys/fs/cgroup/systemd", "- cgroup cgroup rw,xattr,name=systemd") +
              mount("/", "/sys/fs/cgroup/unified", "shared:9 master:2 - cgroup2 cgroup2 rw,nsdelegate"));
  }

  // All of it is on one file system of a type.
  void mount_all(const std::string& type) const { mountinfo(mount("/", "/", "- " + type + " x rw")); }

  void mount_v2() const { mountinfo(mount("/", "/sys/fs/cgroup", "shared:4 - cgroup2 cgroup2 rw,nsdelegate")); }

 private:
  std::string path_;
};

}  // namespace sockeye
