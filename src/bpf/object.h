// SPDX-License-Identifier: Apache-2.0
// The kernel side as user space holds it: the one object with the moments that this run wants, on the rungs that this
// kernel takes.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "bpf/features.h"
#include "bpf/filter_rules.h"
#include "bpf/ladder.h"
#include "bpf/settings.h"
#include "event/loss.h"

struct bpf_link;
struct bpf_map;
struct bpf_program;
struct sockeye_bpf;

namespace sockeye {

struct ObjectOptions {
  std::vector<std::string_view> collectors;
  uint32_t ring_bytes = 4 << 20;  // a power of two, at least a page
  filter_rules filters = {};
  bool group_visits = false;  // visits for counting tell what sockets are grouped by
  bool owners = false;        // learn owners, also of minisockets, whatever the collectors need
  bool accept_owner = false;  // see accept() even where that costs every system call
};

class Object {
 public:
  // Chooses rungs, loads. Programs and maps that nobody wants are left out.
  static Result<std::unique_ptr<Object>> load(const ObjectOptions& options);
  ~Object();

  // Attaches the moments, those that events come from first. A rung that does not attach after all is reported in
  // choices(); an error where the run makes no sense without it.
  Status attach();
  void detach();

  bool has(std::string_view moment) const;  // wanted and loaded
  // Whether tick_socket has to meet the sockets before tick_file can give them owners.
  bool needs_visits_before_files() const;
  // The file of a moment's iterator program: it visits what the namespaces of the calling thread show now, while it is
  // read, and yields the records that handlers write, whole ones for a reader of at least kIteratorBytes.
  Result<Fd> open_iterator(std::string_view moment);
  static constexpr size_t kIteratorBytes = 64 * 1024;  // the kernel's own buffer has 8 pages
  // The number of bytes read, 0 at the end, -1 with errno.
  static ssize_t read_iterator(const Fd& iterator, std::span<std::byte> room);
  // Runs an iterator to its end; what its handlers write is thrown away.
  Status run_iterator(std::string_view moment);

  int map_fd(const char* name) const;  // negative: there is no such map in this run
  int ring_fd() const;
  const kernel_counters& counters() const;
  // Kernel-side losses. With `exact` the programs are asked for the events the kernel skipped.
  Losses losses(bool exact);
  const std::vector<Choice>& choices() const { return choices_; }
  // What this run does less well on this kernel than on others, a sentence each.
  std::vector<std::string> shortcomings() const;

 private:
  explicit Object(Features features);

  void choose(const ObjectOptions& options);
  Result<Ok> available(const std::string& program, const ObjectOptions& options) const;
  bool wants_map(const std::string& name, const ObjectOptions& options) const;
  bpf_program* program_of(const Choice& choice, bool twin) const;
  Status attach_moment(Choice& choice);
  uint64_t missed_events() const;

  Features features_;
  sockeye_bpf* skeleton_ = nullptr;
  std::vector<Choice> choices_;  // of the moments that the run wants
  std::vector<bpf_link*> links_;
  uint64_t missed_before_ = 0;  // recursion misses at the last exact reading
  uint64_t missed_ = 0;         // of them, those that no twin rescued
};

}  // namespace sockeye
