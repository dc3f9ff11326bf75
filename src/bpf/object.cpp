// SPDX-License-Identifier: Apache-2.0
#include "bpf/object.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "base/clock.h"
#include "base/counter.h"
#include "bpf/btf_override.h"
#include "bpf/grace_period.h"
#include "bpf/host.h"
#include "bpf/kernel_symbols.h"
#include "bpf/libbpf_words.h"
#include "bpf/reason_names.h"
#include "bpf/want.h"
#include "event/collector.h"
#include "sockeye.skel.h"

namespace sockeye {
namespace {

// Of all types that the kernel side is compiled with: those of the kernel are relocated by these names, without what
// follows "___", which tells a type of other kernels apart.
std::vector<std::string_view> type_names(const bpf_object* object) {
  const btf* types = bpf_object__btf(object);
  std::vector<std::string_view> names;
  for (__u32 id = 1; id < btf__type_cnt(types); ++id) {
    const btf_type* type = btf__type_by_id(types, id);
    if (!btf_is_composite(type) && !btf_is_any_enum(type) && !btf_is_typedef(type) && !btf_is_int(type)) continue;
    const std::string_view name = btf__name_by_offset(types, type->name_off);
    if (!name.empty()) names.push_back(name.substr(0, name.find("___")));
  }
  return names;
}

// A program that was attached without BPF_F_ALLOW_MULTI (hierarchy_allows_attach() in kernel/bpf/cgroup.c).
constexpr char kAlone[] =
    "detach the program that allows no other beside it at the root cgroup: bpftool cgroup tree shows it";

// "" stays "": a method falls with any of its programs.
std::string method_of_program(const std::string& program) {
  const ProgramName name = split_program_name(program);
  return name.method.empty() ? program : std::string(name.hook) + "__" + std::string(name.method);
}

constexpr __u32 kStatistics = 4;  // BPF_LOG_STATS of <linux/bpf_verifier.h>

Status write_all(const Fd& file, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(file.get(), bytes.data(), bytes.size());
    if (n < 0) {
      return Error{ErrorCode::kFailed, "no room for the kernel's types: " + errno_text(errno),
                   errno == EFBIG ? "raise the limit of the size of files: ulimit -f unlimited" : ""};
    }
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
  return Ok{};
}

}  // namespace

Object::Object(Features features) : features_(std::move(features)) {}

Object::~Object() {
  detach();
  if (skeleton_) sockeye_bpf__destroy(skeleton_);
}

std::vector<Ladder> Object::ladders() {
  std::vector<Ladder> ladders;
  sockeye_bpf* skeleton = sockeye_bpf__open();
  if (!skeleton) return ladders;
  std::vector<std::string> programs;
  bpf_program* program;
  bpf_object__for_each_program(program, skeleton->obj) programs.emplace_back(bpf_program__name(program));
  sockeye_bpf__destroy(skeleton);
  // Where all are refused, all are tried.
  const auto none = [](const std::string&) -> Result<Ok> { return Error{}; };
  for (const Choice& choice : choose_methods(programs, none)) {
    Ladder& ladder = ladders.emplace_back(Ladder{choice.hook, {}});
    for (const Refusal& refusal : choice.refused) ladder.methods.push_back(refusal.method);
  }
  return ladders;
}

Result<std::unique_ptr<Object>> Object::open(const ObjectOptions& options) {
  listen_to_libbpf();
  SOCKEYE_TRY(check_process());
  auto features = Features::detect(options.btf_file);
  if (!features) return features.error();
  std::unique_ptr<Object> object(new Object(std::move(*features)));
  // libbpf reads it when it loads.
  object->excerpt_ = Fd(memfd_create("sockeye_types", MFD_CLOEXEC));
  const std::string path = "/proc/self/fd/" + std::to_string(object->excerpt_.get());
  LIBBPF_OPTS(bpf_object_open_opts, open_options, .btf_custom_path = path.c_str());
  object->skeleton_ = sockeye_bpf__open_opts(&open_options);
  if (!object->skeleton_) return load_error(errno, "the BPF object does not open");
  object->choose(options);
  return object;
}

Result<std::unique_ptr<Object>> Object::load(ObjectOptions options) { return load_what_is_taken(options); }

Result<std::unique_ptr<Object>> Object::start(ObjectOptions options, const std::function<Status(Object&)>& prepare) {
  for (;;) {
    auto object = load_what_is_taken(options);
    if (!object) return object.error();
    SOCKEYE_TRY(prepare(**object));
    const auto refusal = (*object)->attach();
    if (!refusal) return object;
    options.refused.push_back(*refusal);
  }
}

Result<std::unique_ptr<Object>> Object::load_what_is_taken(ObjectOptions& options) {
  for (;;) {
    auto object = open(options);
    if (!object) return object.error();
    SOCKEYE_TRY((*object)->features_.tracing());
    SOCKEYE_TRY((*object)->plan_.possible());
    SOCKEYE_TRY((*object)->confirm_targets());
    auto loaded = (*object)->load_programs();
    if (loaded) return object;
    // Its verifier refuses a program: without it there may be another method.
    const std::string refused = method_of_program(refused_program());
    const bool is_known = std::any_of(options.refused.begin(), options.refused.end(),
                                      [&](const Refusal& refusal) { return refusal.method == refused; });
    if (refused.empty() || is_known) return (*object)->explain(loaded.error());
    options.refused.push_back({refused, loaded.error().what, ""});
  }
}

// Why it does not load, where no program was refused: rights that only some kernels ask for.
Error Object::explain(Error error) const {
  const Status modules = features_.module_types();
  if (!modules && !plan_.settings.task_type) return modules.error();
  if (features_.memlock_counts_maps())
    error.hint = "raise RLIMIT_MEMLOCK (ulimit -l unlimited), run it as root, or give it CAP_SYS_RESOURCE";
  return error;
}

Status Object::load_programs() {
  SOCKEYE_TRY(write_all(excerpt_, features_.types().excerpt(type_names(skeleton_->obj))));
  std::optional<BtfOverride> lent;
  if (features_.are_types_given())
    lent.emplace(features_.types().bytes());
  else
    features_.forget_types();
  const int error = sockeye_bpf__load(skeleton_);
  const bool is_deaf = lent && !lent->were_asked_for();
  lent.reset();
  features_.forget_types();
  excerpt_ = Fd();
  if (error && is_deaf)
    return Error{ErrorCode::kNotPossible, "--btf: this libbpf takes the kernel's types from nobody",
                 "it was linked with -Bsymbolic: Debian's is not"};
  if (error) return load_error(-error, "the kernel does not load it");
  return Ok{};
}

// Where the types came from a file, an id of theirs may be something else in this kernel.
Status Object::confirm_targets() const {
  for (const Choice& choice : plan_.choices) {
    const bpf_program* program = program_of(choice);
    if (!program || bpf_program__type(program) != BPF_PROG_TYPE_TRACING) continue;
    const std::string section = bpf_program__section_name(program);
    SOCKEYE_TRY(
        features_.confirm_target(bpf_program__expected_attach_type(program), section.substr(section.find('/') + 1)));
  }
  return Ok{};
}

// What of the object is loaded.
void Object::choose(const ObjectOptions& options) {
  std::vector<Program> programs;
  bpf_program* program;
  bpf_object__for_each_program(program, skeleton_->obj) {
    bpf_program__set_autoload(program, false);
    programs.push_back({bpf_program__name(program), bpf_program__section_name(program)});
  }
  plan_ = plan_run(programs, features_, options);
  for (const Choice& choice : plan_.choices) {
    for (const std::string_view suffix : kProgramsOfMethod) {
      bpf_program* chosen = program_of(choice, suffix);
      if (!chosen) continue;
      bpf_program__set_autoload(chosen, true);
      if (options.verifier_statistics) bpf_program__set_log_level(chosen, kStatistics);
    }
  }
  skeleton_->rodata->settings = plan_.settings;
  if (plan_.has("dropped") || plan_.has("reset_sent")) skeleton_->rodata->reasons = name_reasons(features_.types());
  if (plan_.settings.in6_addr_type != 0) skeleton_->rodata->dst_entry_type = features_.types().structure("dst_entry");
  if (plan_.has("dropped") && plan_.settings.drop_arguments < 4) {
    const ReceiveCode code = find_receive_code();
    skeleton_->rodata->tcp_receive = code.tcp;
    skeleton_->rodata->copies = code.copies;
  }
  skeleton_->rodata->filters = options.filters;
  for (const std::string_view name : options.collectors) {
    want_collector(skeleton_, name);
    place_part(skeleton_, name);
    place_part(skeleton_, find_collector(name)->totals_of);  // which remembers the same
  }
  bpf_map__set_max_entries(skeleton_->maps.ring, options.ring_bytes);
  bpf_map__set_max_entries(skeleton_->maps.entry_by_address, plan_.entry_table.entries);
  for (bpf_map* map : {skeleton_->maps.entry_by_address, skeleton_->maps.entry_blank})
    bpf_map__set_value_size(map, skeleton_->rodata->entry_size);
  bpf_map__set_max_entries(skeleton_->maps.last_uses, plan_.settings.last_use_mask + 1);
  if (!plan_.entry_table.preallocated) {
    for (bpf_map* map :
         {skeleton_->maps.entry_by_address, skeleton_->maps.listener_by_end, skeleton_->maps.owning_processes})
      bpf_map__set_map_flags(map, BPF_F_NO_PREALLOC);
  }
  bpf_map* map;
  bpf_object__for_each_map(map, skeleton_->obj) bpf_map__set_autocreate(map, wants_map(bpf_map__name(map), options));
}

// A map called <collector>_... or <hook>_... belongs to it, and so does the one that a collector names. The others
// are shared.
bool Object::wants_map(const std::string& name, const ObjectOptions& options) const {
  const kernel_settings& settings = plan_.settings;
  if (name == "ring") {  // snapshots come through the files of their iterators, rows are swept
    return std::any_of(options.collectors.begin(), options.collectors.end(), [](std::string_view name) {
      const Collector* collector = find_collector(name);
      return !collector->snapshot && !collector->has_rows;
    });
  }
  if (name == "entry_by_address" || name == "entry_blank" || name == "listener_by_end" || name == "last_uses" ||
      name == "owning_processes")
    return settings.wants_entries;
  if (name == "listener_in_socket") return settings.wants_entries && settings.has_socket_storage;
  if (name == "owner_in_datagram_socket") return settings.follows_datagrams;
  if (name == "owner_after_life") return settings.wants_afterlife;
  if (name == "watched_listeners") return settings.watches_listeners;
  if (name == "verdict_by_container") return options.filters.containers != 0;
  if (name == "owner_by_cookie")
    return settings.wants_entries && (settings.follows_connections || settings.learns_accepts);
  for (const Collector* collector : collectors()) {
    const std::string_view owner = collector->event.name;
    if (name.starts_with(std::string(owner) + "_") || name == collector->known_map) {
      return std::count(options.collectors.begin(), options.collectors.end(), owner) > 0;
    }
  }
  bpf_program* program;
  bool of_a_hook = false;
  bpf_object__for_each_program(program, skeleton_->obj) {
    const std::string_view hook = split_program_name(bpf_program__name(program)).hook;
    if (name.starts_with(std::string(hook) + "_")) {
      if (plan_.has(hook)) return true;
      of_a_hook = true;
    }
  }
  return !of_a_hook;
}

bool Object::needs_visits_before_files() const {
  return std::any_of(plan_.choices.begin(), plan_.choices.end(),
                     [](const Choice& choice) { return choice.hook == "visit_file" && choice.method == "iter_probe"; });
}

bpf_program* Object::program_of(const Choice& choice, std::string_view suffix) const {
  if (choice.method.empty()) return nullptr;
  const std::string name = choice.hook + "__" + choice.method + std::string(suffix);
  return bpf_object__find_program_by_name(skeleton_->obj, name.c_str());
}

std::vector<const bpf_program*> Object::programs() const {
  std::vector<const bpf_program*> loaded;
  for (const Choice& choice : plan_.choices) {
    for (const std::string_view suffix : kProgramsOfMethod) {
      if (const bpf_program* program = program_of(choice, suffix)) loaded.push_back(program);
    }
  }
  return loaded;
}

std::optional<Refusal> Object::attach() {
  for (const Choice& choice : plan_.choices) {
    if (choice.method.empty() || choice.method.starts_with("iter")) continue;
    if (auto refusal = attach_hook(choice)) return refusal;
  }
  skeleton_->bss->counters.attached_ns = SystemClock().boot_ns();
  return {};
}

std::optional<Refusal> Object::attach_hook(const Choice& choice) {
  const bool at_cgroups = choice.method == "sockops" || choice.method == "getpeername";
  for (const std::string_view suffix : kProgramsOfMethod) {
    bpf_program* program = program_of(choice, suffix);
    if (!program) continue;
    bpf_link* link =
        at_cgroups ? bpf_program__attach_cgroup(program, features_.cgroup2().get()) : bpf_program__attach(program);
    if (link) {
      links_.push_back(link);
      continue;
    }
    const int error = errno;
    return Refusal{choice.hook + "__" + choice.method, "it does not attach: " + errno_text(error),
                   at_cgroups && error == EPERM ? kAlone : ""};
  }
  return {};
}

// A twin goes before its first, or it would take itself for alone.
void Object::detach() {
  for (auto link = links_.rbegin(); link != links_.rend(); ++link) bpf_link__destroy(*link);
  links_.clear();
}

Result<Fd> Object::open_iterator(std::string_view hook) {
  const auto choice =
      std::find_if(plan_.choices.begin(), plan_.choices.end(), [&](const Choice& c) { return c.hook == hook; });
  bpf_program* program = choice == plan_.choices.end() ? nullptr : program_of(*choice);
  if (!program) return Error{ErrorCode::kNotPossible, "this kernel has no iterator for " + std::string(hook), ""};
  bpf_link* link = bpf_program__attach_iter(program, nullptr);
  if (!link) return load_error(errno, "the iterator of " + std::string(hook) + " does not attach");
  Fd fd(bpf_iter_create(bpf_link__fd(link)));
  const int error = errno;
  bpf_link__destroy(link);
  if (!fd) return load_error(error, "the iterator of " + std::string(hook) + " does not start");
  return fd;
}

ssize_t Object::read_iterator(const Fd& iterator, std::span<std::byte> room) {
  ssize_t n;
  do {  // EAGAIN: a million objects without a word
    n = read(iterator.get(), room.data(), room.size());
  } while (n < 0 && (errno == EAGAIN || errno == EINTR));
  return n;
}

Status Object::run_iterator(std::string_view hook) {
  const auto iterator = open_iterator(hook);
  if (!iterator) return iterator.error();
  std::vector<std::byte> ignored(kIteratorBytes);
  ssize_t n;
  while ((n = read_iterator(*iterator, ignored)) > 0) {
  }
  if (n < 0) return load_error(errno, "the iterator of " + std::string(hook) + " stops early");
  return Ok{};
}

int Object::map_fd(const char* name) const { return bpf_object__find_map_fd_by_name(skeleton_->obj, name); }

uint32_t Object::change_rows_side() {
  uint32_t& side = skeleton_->bss->rows_side;
  const uint32_t before = side;
  __atomic_store_n(&side, 1 - before, __ATOMIC_SEQ_CST);
  wait_for_running_programs();
  return before;
}

int Object::ring_fd() const { return bpf_map__fd(skeleton_->maps.ring); }

const kernel_counters& Object::counters() const { return skeleton_->bss->counters; }

Losses Object::losses(bool exact) {
  losses_.read_counters(skeleton_->bss->counters);
  if (exact) {
    const SkippedRuns skipped = skipped_runs();
    const uint64_t rescued = __atomic_load_n(&counters().rescued, __ATOMIC_RELAXED);
    losses_.read_skips(skipped, rescued, SystemClock().boot_ns(), links_.empty());
  }
  return losses_.losses();
}

SkippedRuns Object::skipped_runs() const {
  SkippedRuns skipped;
  for (const Choice& choice : plan_.choices) {
    const bpf_program* program = program_of(choice);
    if (!program || bpf_program__type(program) != BPF_PROG_TYPE_TRACING) continue;
    bpf_prog_info info = {};
    __u32 size = sizeof info;
    if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size) != 0) continue;
    uint64_t& sum = program_of(choice, kTwin)       ? skipped.with_twin
                    : plan_.tells_each_time(choice) ? skipped.events
                                                    : skipped.others;
    sum += info.recursion_misses;
  }
  return skipped;
}

}  // namespace sockeye
