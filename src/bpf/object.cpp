// SPDX-License-Identifier: Apache-2.0
#include "bpf/object.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <sstream>

#include "bpf/want.h"
#include "event/collector.h"
#include "sockeye.skel.h"

namespace sockeye {
namespace {

// The moments from which owners are learned.
constexpr std::string_view kOwnerMoments[] = {"set_state", "accepted", "sent", "received", "tick_file"};
// Besides, where records are hashed by address: tick_file meets nothing else, and nobody else deletes them.
constexpr std::string_view kAddressMoments[] = {"tick_socket", "destroyed"};
// The same for a snapshot, which is over before anything can change.
constexpr std::string_view kSnapshotMoments[] = {"tick_socket", "tick_file"};

// What libbpf complained about: the kernel's own words for an error message are among it.
std::string libbpf_words;

int keep_words(libbpf_print_level level, const char* format, va_list arguments) {
  if (level != LIBBPF_WARN || libbpf_words.size() > 1 << 20) return 0;
  va_list again;
  va_copy(again, arguments);
  std::string text(static_cast<size_t>(std::max(0, vsnprintf(nullptr, 0, format, arguments))) + 1, '\0');
  vsnprintf(text.data(), text.size(), format, again);
  va_end(again);
  text.pop_back();
  libbpf_words += text;
  return 0;
}

// Of a verifier's log the line that says what it refuses: the last but for its statistics. Else libbpf's last line.
std::string reason_in(const std::string& words) {
  std::istringstream lines(words.substr(0, words.find("-- END PROG LOAD LOG --")));
  std::string reason;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && !line.starts_with("processed ")) reason = line;
  }
  return reason;
}

Error load_error(int error, const std::string& doing) {
  if (error == EPERM || error == EACCES) {
    return {ErrorCode::kNotPossible, doing + ": " + errno_text(error),
            "run it as root (sudo sockeye ...), or with CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN and CAP_SYS_ADMIN"};
  }
  const std::string words = reason_in(libbpf_words);
  return {ErrorCode::kNotPossible, doing + ": " + errno_text(error) + (words.empty() ? "" : " (" + words + ")"),
          "this kernel refuses what sockeye needs"};
}

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

Status write_all(const Fd& file, std::span<const std::byte> bytes) {
  if (write(file.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size())) return Ok{};
  return Error{ErrorCode::kFailed, "no room for the kernel's types: " + errno_text(errno), ""};
}

}  // namespace

Object::Object(Features features) : features_(std::move(features)) {}

Object::~Object() {
  detach();
  if (skeleton_) sockeye_bpf__destroy(skeleton_);
}

Result<std::unique_ptr<Object>> Object::load(const ObjectOptions& options) {
  libbpf_set_print(keep_words);
  auto features = Features::detect();
  if (!features) return features.error();
  std::unique_ptr<Object> object(new Object(std::move(*features)));
  // libbpf reads it when it loads.
  const Fd excerpt(memfd_create("sockeye_types", MFD_CLOEXEC));
  const std::string path = "/proc/self/fd/" + std::to_string(excerpt.get());
  LIBBPF_OPTS(bpf_object_open_opts, open_options, .btf_custom_path = path.c_str());
  object->skeleton_ = sockeye_bpf__open_opts(&open_options);
  if (!object->skeleton_) return load_error(errno, "the BPF object does not open");
  object->choose(options);
  SOCKEYE_TRY(write_all(excerpt, object->features_.types().excerpt(type_names(object->skeleton_->obj))));
  object->features_.forget_types();
  if (const int error = sockeye_bpf__load(object->skeleton_)) return load_error(-error, "the BPF programs do not load");
  return object;
}

// What of the object is loaded.
void Object::choose(const ObjectOptions& options) {
  kernel_settings& settings = skeleton_->rodata->settings;
  settings = features_.settings();
  settings.ring_wake_bytes = options.ring_bytes / 4;
  bpf_map__set_max_entries(skeleton_->maps.ring, options.ring_bytes);
  skeleton_->rodata->filters = options.filters;

  settings.wants_groups = options.group_visits;
  settings.wants_afterlife = options.owners;
  bool wants_owners = options.owners;
  std::vector<std::string_view> moments;
  for (const std::string_view name : options.collectors) {
    const Collector* collector = find_collector(name);
    want_collector(skeleton_, name);
    if (collector->needs_owner || collector->needs_record) settings.wants_records = 1;
    if (collector->snapshot) moments.insert(moments.end(), std::begin(kSnapshotMoments), std::end(kSnapshotMoments));
    wants_owners |= collector->needs_owner && !collector->snapshot;
  }
  if (wants_owners) {
    settings.wants_records = 1;
    moments.insert(moments.end(), std::begin(kOwnerMoments), std::end(kOwnerMoments));
    if (!settings.has_socket_storage)
      moments.insert(moments.end(), std::begin(kAddressMoments), std::end(kAddressMoments));
    if (settings.follows_connections && !features_.has_tracepoint("sock_send_length")) {
      moments.insert(moments.end(), {"connection_sent", "connection_received"});
    }
  }
  for (const Handler& handler : handlers()) {
    if (std::count(options.collectors.begin(), options.collectors.end(), handler.collector) > 0) {
      moments.push_back(handler.moment);
    }
  }
  std::vector<std::string> programs;
  bpf_program* program;
  bpf_object__for_each_program(program, skeleton_->obj) {
    bpf_program__set_autoload(program, false);
    const std::string name = bpf_program__name(program);
    if (std::count(moments.begin(), moments.end(), split_program_name(name).moment) > 0) programs.push_back(name);
  }
  choices_ = choose_rungs(programs, [&](const std::string& name) { return available(name, options); });
  settings.follows_connections = settings.follows_connections && settings.wants_records;
  for (const Choice& choice : choices_) {
    if (choice.rung == "sys_exit") settings.learns_accepts = settings.has_socket_storage;
    for (const bool twin : {false, true}) {
      if (bpf_program* chosen = program_of(choice, twin)) bpf_program__set_autoload(chosen, true);
    }
  }
  bpf_map* map;
  bpf_object__for_each_map(map, skeleton_->obj) bpf_map__set_autocreate(map, wants_map(bpf_map__name(map), options));
}

Result<Ok> Object::available(const std::string& name, const ObjectOptions& options) const {
  const bpf_program* program = bpf_object__find_program_by_name(skeleton_->obj, name.c_str());
  const std::string section = bpf_program__section_name(program);
  const std::string target = section.substr(section.find('/') + 1);
  const std::string_view rung = split_program_name(name).rung;
  const kernel_settings settings = features_.settings();
  const auto refuse = [](std::string why) { return Error{ErrorCode::kNotPossible, std::move(why), ""}; };
  if (rung == "tp_btf") {
    if (!features_.has_tracepoint(target)) return refuse("this kernel has no tracepoint " + target);
  } else if (rung == "fentry" || rung.starts_with("fexit")) {
    const int parameters = features_.types().parameters(target);
    if (parameters < 0) return refuse("this kernel has no function " + target);
    if (rung.starts_with("fexit_") && rung != "fexit_" + std::to_string(parameters)) {
      return refuse(target + " has " + std::to_string(parameters) + " parameters");
    }
    return features_.trampoline();
  } else if (rung == "sys_exit") {
    if (!options.accept_owner) return refuse("it costs every system call; --accept-owner asks for it");
    if (!features_.has_tracepoint("sys_exit")) return refuse("this kernel has no tracepoint sys_exit");
    if (!settings.may_probe_read) return refuse("lockdown forbids bpf_probe_read_kernel");
  } else if (rung == "sockops") {
    if (!features_.cgroup2()) return refuse("no cgroup v2 hierarchy is mounted");
  } else {
    if (features_.types().structure("bpf_iter__" + target) == 0) return refuse("this kernel has no iterator " + target);
    if (rung == "iter" && target == "task_file" && !settings.has_sock_from_file) {
      return refuse("this kernel has no bpf_sock_from_file");
    }
    if (rung == "iter_probe" && !settings.may_probe_read) return refuse("lockdown forbids bpf_probe_read_kernel");
  }
  return Ok{};
}

// A map called <collector>_... or <moment>_... belongs to it, and so does the one that a collector names. The others
// are shared.
bool Object::wants_map(const std::string& name, const ObjectOptions& options) const {
  const kernel_settings& settings = skeleton_->rodata->settings;
  const bool has_storage = settings.has_socket_storage;
  if (name == "ring") {  // snapshots come through the files of their iterators
    return std::any_of(options.collectors.begin(), options.collectors.end(),
                       [](std::string_view collector) { return !find_collector(collector)->snapshot; });
  }
  if (name == "record_in_socket") return settings.wants_records && has_storage;
  if (name == "record_by_address" || name == "record_blank" || name == "listener_by_port")
    return settings.wants_records && !has_storage;
  if (name == "afterlife_by_cookie") return settings.wants_afterlife;
  if (name == "verdict_by_container") return options.filters.containers != 0;
  if (name == "owner_by_cookie") return settings.follows_connections || settings.learns_accepts;
  for (const Collector* collector : collectors()) {
    const std::string_view owner = collector->event.name;
    if (name.starts_with(std::string(owner) + "_") || name == collector->known_map) {
      return std::count(options.collectors.begin(), options.collectors.end(), owner) > 0;
    }
  }
  bpf_program* program;
  bool of_a_moment = false;
  bpf_object__for_each_program(program, skeleton_->obj) {
    const std::string_view moment = split_program_name(bpf_program__name(program)).moment;
    if (name.starts_with(std::string(moment) + "_")) {
      if (has(moment)) return true;
      of_a_moment = true;
    }
  }
  return !of_a_moment;
}

bool Object::has(std::string_view moment) const {
  return std::any_of(choices_.begin(), choices_.end(),
                     [&](const Choice& choice) { return choice.moment == moment && !choice.rung.empty(); });
}

bool Object::needs_visits_before_files() const {
  return std::any_of(choices_.begin(), choices_.end(),
                     [](const Choice& choice) { return choice.moment == "tick_file" && choice.rung == "iter_probe"; });
}

std::vector<std::string> Object::shortcomings() const {
  std::vector<std::string> sentences;
  for (const Choice& choice : choices_) {
    if (!choice.rung.empty()) continue;
    sentences.push_back("without the moment " + choice.moment + ": " +
                        (choice.refused.empty() ? "this kernel offers no way to it" : choice.refused.back().why));
  }
  const kernel_settings& settings = skeleton_->rodata->settings;
  if (settings.wants_records && !settings.has_socket_storage && has("set_state")) {
    sentences.push_back(
        "this kernel clones nothing from a listener to its children: where several listen on one port, the last one to "
        "listen is taken for the owner of a connection until it is used");
  }
  return sentences;
}

bpf_program* Object::program_of(const Choice& choice, bool twin) const {
  if (choice.rung.empty()) return nullptr;
  const std::string name = choice.moment + "__" + choice.rung + (twin ? "__twin" : "");
  return bpf_object__find_program_by_name(skeleton_->obj, name.c_str());
}

Status Object::attach() {
  // Owners can be learned a moment later than the first event; events that are not there cannot.
  const auto is_event_source = [](const Choice& choice) {
    return choice.moment != "accepted" && choice.moment != "sent" && choice.moment != "received";
  };
  std::stable_partition(choices_.begin(), choices_.end(), is_event_source);
  for (Choice& choice : choices_) {
    if (!choice.rung.empty() && !choice.rung.starts_with("iter")) SOCKEYE_TRY(attach_moment(choice));
  }
  return Ok{};
}

Status Object::attach_moment(Choice& choice) {
  for (const bool twin : {false, true}) {
    bpf_program* program = program_of(choice, twin);
    if (!program) continue;
    bpf_link* link = choice.rung == "sockops" ? bpf_program__attach_cgroup(program, features_.cgroup2().get())
                                              : bpf_program__attach(program);
    if (link) {
      links_.push_back(link);
      continue;
    }
    const int error = errno;
    if (choice.moment == "set_state") return load_error(error, "the program at inet_sock_set_state does not attach");
    choice.refused.push_back({choice.rung, "it does not attach: " + errno_text(error)});
    choice.rung.clear();
  }
  return Ok{};
}

// A twin goes before its first, or it would take itself for alone.
void Object::detach() {
  for (auto link = links_.rbegin(); link != links_.rend(); ++link) bpf_link__destroy(*link);
  links_.clear();
}

Result<Fd> Object::open_iterator(std::string_view moment) {
  const auto choice =
      std::find_if(choices_.begin(), choices_.end(), [&](const Choice& c) { return c.moment == moment; });
  bpf_program* program = choice == choices_.end() ? nullptr : program_of(*choice, false);
  if (!program) return Error{ErrorCode::kNotPossible, "this kernel has no iterator for " + std::string(moment), ""};
  bpf_link* link = bpf_program__attach_iter(program, nullptr);
  if (!link) return load_error(errno, "the iterator of " + std::string(moment) + " does not attach");
  Fd fd(bpf_iter_create(bpf_link__fd(link)));
  const int error = errno;
  bpf_link__destroy(link);
  if (!fd) return load_error(error, "the iterator of " + std::string(moment) + " does not start");
  return fd;
}

ssize_t Object::read_iterator(const Fd& iterator, std::span<std::byte> room) {
  ssize_t n;
  do {  // EAGAIN: a million objects without a word
    n = read(iterator.get(), room.data(), room.size());
  } while (n < 0 && (errno == EAGAIN || errno == EINTR));
  return n;
}

Status Object::run_iterator(std::string_view moment) {
  const auto iterator = open_iterator(moment);
  if (!iterator) return iterator.error();
  std::vector<std::byte> ignored(kIteratorBytes);
  ssize_t n;
  while ((n = read_iterator(*iterator, ignored)) > 0) {
  }
  if (n < 0) return load_error(errno, "the iterator of " + std::string(moment) + " stops early");
  return Ok{};
}

int Object::map_fd(const char* name) const { return bpf_object__find_map_fd_by_name(skeleton_->obj, name); }

int Object::ring_fd() const { return bpf_map__fd(skeleton_->maps.ring); }

const kernel_counters& Object::counters() const { return skeleton_->bss->counters; }

Losses Object::losses(bool exact) {
  Losses losses;
  losses[LossReason::kRingFull] = __atomic_load_n(&counters().lost[LOST_RING_FULL], __ATOMIC_RELAXED);
  losses[LossReason::kRecordAlloc] = __atomic_load_n(&counters().lost[LOST_RECORD_ALLOC], __ATOMIC_RELAXED);
  if (exact) {
    // An event that was skipped may be in its twin's hands this very moment: misses count once they are of the
    // reading before, or once nothing runs any more.
    const uint64_t misses = missed_events();
    const uint64_t settled = links_.empty() ? misses : missed_before_;
    const uint64_t rescued = __atomic_load_n(&counters().rescued, __ATOMIC_RELAXED);
    missed_before_ = misses;
    if (settled > rescued) missed_ = std::max(missed_, settled - rescued);
  }
  losses[LossReason::kMissed] = missed_;
  return losses;
}

// bpf_prog_info.recursion_misses of the programs that have a twin.
uint64_t Object::missed_events() const {
  uint64_t misses = 0;
  for (const Choice& choice : choices_) {
    if (!program_of(choice, true)) continue;
    bpf_prog_info info = {};
    __u32 size = sizeof info;
    if (bpf_obj_get_info_by_fd(bpf_program__fd(program_of(choice, false)), &info, &size) == 0) {
      misses += info.recursion_misses;
    }
  }
  return misses;
}

}  // namespace sockeye
