// SPDX-License-Identifier: Apache-2.0
// The kernel side as user space holds it: the one object with the hooks that this run wants, on the methods that this
// kernel takes.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "bpf/features.h"
#include "bpf/kernel_losses.h"
#include "bpf/run_plan.h"
#include "event/loss.h"

struct bpf_link;
struct bpf_map;
struct bpf_program;
struct sockeye_bpf;

namespace sockeye {

// A hook and its methods, best first.
struct Ladder {
  std::string hook;
  std::vector<std::string> methods;
};

class Object {
 public:
  // All hooks that there are, whatever this kernel offers.
  static std::vector<Ladder> ladders();

  // Chooses methods; nothing is loaded, which takes no rights. Such an object has a plan and nothing else.
  static Result<std::unique_ptr<Object>> open(const ObjectOptions& options);
  // The same, and loads. Programs and maps that nobody wants are left out. What the kernel's verifier refuses is left
  // out as well: the next method is taken.
  static Result<std::unique_ptr<Object>> load(ObjectOptions options);
  // Loads, lets `prepare` do with the object what must be done before anything is attached, and attaches the hooks in
  // the order of plan(). A method that does not attach is given up like one that does not load. What the other programs
  // are to do may depend on it, so all of it begins anew, with another object that `prepare` is given when the first is
  // gone: nothing is left attached, and what was told by then was so before the run began. An error where the run makes
  // no sense without it.
  static Result<std::unique_ptr<Object>> start(ObjectOptions options, const std::function<Status(Object&)>& prepare);
  ~Object();

  void detach();

  // The hooks on their methods, and what the run does less well on this kernel than on others.
  const RunPlan& plan() const { return plan_; }
  bool has(std::string_view hook) const { return plan_.has(hook); }  // wanted and loaded
  // Whether visit_socket has to meet the sockets before visit_file can give them owners.
  bool needs_visits_before_files() const;
  // The file of a hook's iterator program: it visits what the namespaces of the calling thread show now, while it is
  // read, and yields the events that handlers write, whole ones for a reader of at least kIteratorBytes.
  Result<Fd> open_iterator(std::string_view hook);
  static constexpr size_t kIteratorBytes = 64 * 1024;  // the kernel's own buffer has 8 pages
  // The number of bytes read, 0 at the end, -1 with errno.
  static ssize_t read_iterator(const Fd& iterator, std::span<std::byte> room);
  // Runs an iterator to its end; what its handlers write is thrown away.
  Status run_iterator(std::string_view hook);

  std::vector<const bpf_program*> programs() const;  // that are loaded, hook by hook

  int map_fd(const char* name) const;  // negative: there is no such map in this run
  // Of rows (bpf/rows.h): programs write the other side from now on. The side that they wrote, 0 or 1, is left alone
  // when this returns.
  uint32_t change_rows_side();
  int ring_fd() const;
  const kernel_counters& counters() const;
  uint64_t anomalies() const { return __atomic_load_n(&counters().anomalies, __ATOMIC_RELAXED); }
  uint64_t without_role() const { return __atomic_load_n(&counters().without_role, __ATOMIC_RELAXED); }
  // Kernel-side losses. With `exact` the programs are asked for the events the kernel skipped.
  Losses losses(bool exact);

 private:
  explicit Object(Features features);

  // Adds to options.refused what the kernel refuses.
  static Result<std::unique_ptr<Object>> load_what_is_taken(ObjectOptions& options);
  void choose(const ObjectOptions& options);
  Status load_programs();
  Status confirm_targets() const;
  Error explain(Error error) const;
  bool wants_map(const std::string& name, const ObjectOptions& options) const;
  bpf_program* program_of(const Choice& choice, std::string_view suffix = "") const;
  // Of the first method that does not attach; else all are attached.
  std::optional<Refusal> attach();
  std::optional<Refusal> attach_hook(const Choice& choice);
  SkippedRuns skipped_runs() const;

  Features features_;
  sockeye_bpf* skeleton_ = nullptr;
  Fd excerpt_;  // of the kernel's types, until it is loaded
  RunPlan plan_;
  std::vector<bpf_link*> links_;
  KernelLosses losses_;
};

}  // namespace sockeye
