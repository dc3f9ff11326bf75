// SPDX-License-Identifier: Apache-2.0
#include "bpf/run_plan.h"

#include <algorithm>
#include <bit>

namespace sockeye {
namespace {

// The hooks from which owners are learned.
constexpr std::string_view kOwnerHooks[] = {"set_state", "accepted", "sent", "received", "visit_file"};
// The states whose being entered may tell whose a socket is, or begins or ends it.
constexpr StateSet kOwnerStates =
    state_set(TCP_SYN_SENT, TCP_SYN_RECV, TCP_ESTABLISHED, TCP_FIN_WAIT1, TCP_LAST_ACK, TCP_CLOSE, TCP_LISTEN);
// The hooks at which what is remembered is deleted.
constexpr std::string_view kLastHooks[] = {"destroyed", "process_exits", "process_freed"};
// Those that visit one network namespace after the other, and those that lead to the namespaces.
constexpr std::string_view kWalkingHooks[] = {"visit_socket", "visit_state"};
constexpr std::string_view kLeadingHooks[] = {"visit_namespace", "visit_thread"};
// Those whose every run is an event, where a collector has a handler there. Of a use only the first is told, of
// connect() an error, and of a packet that the kernel lets go only a SYN.
constexpr std::string_view kToldEachTime[] = {"dropped",       "process_exec", "reset_received",      "reset_sent",
                                              "retransmitted", "set_state",    "synack_retransmitted"};
// Those of a snapshot, which is over before anything can change.
constexpr std::string_view kSnapshotHooks[] = {"visit_socket", "visit_holder"};

struct MethodLoss {
  std::string_view hook;
  std::string_view method;  // empty: without the hook
  std::string_view loses;
  bool essential = false;  // a collector with a handler there makes no sense without it
};

// A hook's best method loses nothing and is not here, nor is another that sees the same.
constexpr MethodLoss kMethodLosses[] = {
    {"accepted", "", "an accepted socket has its listener's owner until a process uses it"},
    {"accepted", "sys_exit",
     "every system call of the machine costs more, and accepts through io_uring or by 32-bit programs are not seen"},
    {"accepted", "getpeername",
     "where accept() does not ask for the peer's address, the process is known from its first use of the socket on"},
    {"connect_returned", "", "a connect() that fails before its first SYN (no route, forbidden) is not seen"},
    {"connect_returned", "sys_exit",
     "every system call of the machine costs more, and connects through io_uring or by 32-bit programs that fail "
     "before "
     "their first SYN are not seen"},
    {"cgroup_made", "",
     "a container is known from its first event on: one that has gone when this is read has no name"},
    {"connection_received", "", "receiving does not tell whose an MPTCP connection is"},
    {"connection_sent", "", "sending does not tell whose an MPTCP connection is"},
    {"destroyed", "", "what is remembered of a socket stays when it is gone, until no room is left"},
    {"dropped", "", "no packet that the kernel drops is seen", true},
    {"process_exec", "", "no program that a process starts to run is seen", true},
    {"process_exits", "", "a socket keeps an owner that has ended, until somebody else uses it"},
    {"process_freed", "", "owners that have ended are remembered until their number is another's"},
    {"received", "", "receiving does not tell whose a socket is that was accepted or passed on"},
    {"reset_received", "", "no reset that a peer sends is seen"},
    {"reset_sent", "", "no reset that this machine sends is seen"},
    {"retransmitted", "", "no retransmission of a connection is seen", true},
    {"sent", "", "sending does not tell whose a socket is that was accepted or passed on"},
    {"sent", "fexit", "sendfile() is not seen as a use of the socket"},
    {"set_state", "", "no change of a socket's state is seen", true},
    {"syn_dropped", "", "a SYN that finds the accept queue full is dropped unseen"},
    {"syn_dropped", "consumed",
     "with more than eight listeners on one port, some of the SYNs that they drop are not seen; and each packet that "
     "the kernel consumes (SYNs, datagrams, what a driver has sent) costs a little"},
    {"syn_sent", "", "the event of connect() comes with the next one, and has no port where there is none"},
    {"synack_retransmitted", "", "SYN-ACKs that are sent again are not seen"},
    {"visit_file", "", "sockets that were there before have no owner until a process uses them"},
    {"visit_file", "iter_probe", "a socket that was there before has an owner only where its namespace can be entered"},
    {"visit_namespace", "", "a network namespace that only a socket or a descriptor holds may be missing"},
    {"visit_holder", "", "who holds a socket is not known"},
    {"visit_socket", "", "sockets that are there cannot be visited", true},
    {"visit_state", "", "sockets that are there cannot be counted", true},
    {"visit_thread", "", "a network namespace that only a thread holds may be missing"},
};

const MethodLoss* find_loss(std::string_view hook, std::string_view method) {
  const auto found = std::find_if(std::begin(kMethodLosses), std::end(kMethodLosses),
                                  [&](const MethodLoss& loss) { return loss.hook == hook && loss.method == method; });
  return found == std::end(kMethodLosses) ? nullptr : found;
}

Error refuse(std::string why, std::string remedy = "") {
  return {ErrorCode::kNotPossible, std::move(why), std::move(remedy)};
}

const std::string kAsksForIt = " asks for it";
const std::string kLockdownForbids = "lockdown=confidentiality forbids bpf_probe_read_kernel";
const std::string kLockdownRemedy = "boot without lockdown=confidentiality";

Status trampoline_allowed(std::string_view method, const std::string& target, const Features& features) {
  const int parameters = features.types().parameters(target);
  if (parameters < 0) return refuse("this kernel has no function " + target);
  if (method.starts_with("fexit_") && method != "fexit_" + std::to_string(parameters))
    return refuse(target + " has " + std::to_string(parameters) + " parameters");
  return features.tracing() ? features.trampoline() : Ok{};
}

Status sys_exit_allowed(std::string_view hook, const Features& features, const ObjectOptions& options) {
  const bool of_connect = hook == "connect_returned";
  if (!(of_connect ? options.connect_errors : options.accept_owner))
    return refuse("it slows every system call down", (of_connect ? "--connect-errors" : "--accept-owner") + kAsksForIt);
  if (of_connect && features.settings().tcp_sock_type == 0) return refuse("this kernel has no bpf_rdonly_cast");
  if (!features.has_tracepoint("sys_exit")) return refuse("this kernel has no tracepoint sys_exit");
  if (!features.may_probe_read()) return refuse(kLockdownForbids, kLockdownRemedy);
  return Ok{};
}

Status iterator_allowed(std::string_view method, const std::string& target, const Features& features) {
  if (features.types().structure("bpf_iter__" + target) == 0) return refuse("this kernel has no iterator " + target);
  if (method == "iter" && target == "task_file" && !features.settings().has_sock_from_file)
    return refuse("this kernel has no bpf_sock_from_file");
  if (method == "iter_probe" && !features.may_probe_read()) return refuse(kLockdownForbids, kLockdownRemedy);
  return Ok{};
}

// Where fentry is not allowed: the SYN and its listener are found through addresses alone.
Status consumed_allowed(const Features& features) {
  if (!features.has_tracepoint("consume_skb")) return refuse("this kernel has no tracepoint consume_skb");
  if (features.settings().in6_addr_type == 0) return refuse("this kernel has no bpf_rdonly_cast");
  return Ok{};
}

Status available(const Program& program, const Features& features, const ObjectOptions& options) {
  const std::string target = program.section.substr(program.section.find('/') + 1);
  const std::string_view method = split_program_name(program.name).method;
  for (const Refusal& refusal : options.refused) {
    if (refusal.method == program.name) return refuse(refusal.why, refusal.remedy);
  }
  if (method == "tp_btf")
    return features.has_tracepoint(target) ? Status(Ok{}) : refuse("this kernel has no tracepoint " + target);
  if (method == "fentry" || method.starts_with("fexit")) return trampoline_allowed(method, target, features);
  if (method == "sys_exit") return sys_exit_allowed(split_program_name(program.name).hook, features, options);
  if (method == "consumed") return consumed_allowed(features);
  if (method == "sockops" || method == "getpeername") {
    if (method == "getpeername" && options.accept_owner) return refuse("--accept-owner asks for each accept()");
    SOCKEYE_TRY(features.whole_cgroup2());
    if (!features.tracing()) return Ok{};
    return method == "sockops" ? features.sockops() : features.getpeername();
  }
  return iterator_allowed(method, target, features);
}

bool has_handler(std::string_view hook, std::span<const std::string_view> collectors) {
  return std::any_of(handlers().begin(), handlers().end(), [&](const Handler& handler) {
    return handler.hook == hook && std::count(collectors.begin(), collectors.end(), handler.collector) > 0;
  });
}

// Which hooks the run wants; what of the settings follows from who wants them.
std::vector<std::string_view> wanted_hooks(const Features& features, const ObjectOptions& options,
                                           kernel_settings& settings) {
  bool wants_owners = options.owners;
  std::vector<std::string_view> hooks;
  for (const std::string_view name : options.collectors) {
    const Collector* collector = find_collector(name);
    if (collector->needs_owner || collector->needs_entry) settings.wants_entries = 1;
    if (collector->snapshot) hooks.insert(hooks.end(), std::begin(kSnapshotHooks), std::end(kSnapshotHooks));
    wants_owners |= collector->needs_owner && !collector->snapshot;
  }
  if (wants_owners) {
    settings.wants_entries = 1;
    hooks.insert(hooks.end(), std::begin(kOwnerHooks), std::end(kOwnerHooks));
    hooks.insert(hooks.end(), std::begin(kLastHooks), std::end(kLastHooks));
    if (!settings.has_sock_from_file) hooks.push_back("visit_socket");  // visit_file finds only what that has met
    if (settings.follows_connections && !features.has_tracepoint("sock_send_length")) {
      hooks.insert(hooks.end(), {"connection_sent", "connection_received"});
    }
  }
  if (options.new_cgroups) hooks.push_back("cgroup_made");
  for (const Handler& handler : handlers()) {
    if (has_handler(handler.hook, options.collectors)) hooks.push_back(handler.hook);
  }
  const bool walks = std::any_of(hooks.begin(), hooks.end(), [](std::string_view hook) {
    return std::count(std::begin(kWalkingHooks), std::end(kWalkingHooks), hook) > 0;
  });
  if (walks) hooks.insert(hooks.end(), std::begin(kLeadingHooks), std::end(kLeadingHooks));
  return hooks;
}

// Why a hook has no method: of its refusals the one that somebody can do something about, else the last.
std::string reason_of(const Choice& choice) {
  const auto curable = std::find_if(choice.refused.begin(), choice.refused.end(),
                                    [](const Refusal& refusal) { return !refusal.remedy.empty(); });
  if (curable == choice.refused.end()) return " (" + choice.refused.back().why + ")";
  return " (" + curable->why + ": " + curable->remedy + ")";
}

// Of the packets that the kernel drops.
void add_of_drops(const RunPlan& plan, std::vector<Limitation>& list) {
  const kernel_settings& settings = plan.settings;
  if (!plan.has("dropped")) return;
  if (settings.drop_arguments < 3) {
    list.push_back({"", "",
                    "this kernel does not say why it drops a packet, and not at all what TCP itself throws away "
                    "(tcp_drop())",
                    ""});
  }
  if (settings.drop_arguments < 4)
    list.push_back({"", "", "this kernel does not say for which socket a packet was that it drops", ""});
  if (!settings.has_socket_storage)
    list.push_back({"", "", "owners of UDP sockets are not learned on this kernel", ""});
  if (!settings.in6_addr_type && !settings.may_probe_read) {
    list.push_back({"", "",
                    "lockdown=confidentiality: of dropped packets only those of a known socket are seen, and none of "
                    "their headers",
                    kLockdownRemedy});
  }
}

// Those of the whole machine, where sockets are remembered.
void add_general(const RunPlan& plan, std::vector<Limitation>& list) {
  const kernel_settings& settings = plan.settings;
  if (settings.wants_entries && plan.entry_table.preallocated) {
    list.push_back({"", "",
                    "this kernel's programs allocate no memory for a socket: 65,536 sockets are remembered at a time",
                    ""});
  }
  if (settings.wants_entries && !settings.has_socket_storage && plan.has("set_state")) {
    const std::string why = plan.is_realtime ? " (PREEMPT_RT: to keep something in a socket may sleep)" : "";
    list.push_back({"", "",
                    "this kernel clones nothing from a listener to its children" + why +
                        ": where several listen on one port, the last one to listen is taken for the owner of a "
                        "connection until it is used",
                    ""});
  }
  if (plan.ring_may_sleep && plan.has("set_state")) {
    list.push_back(
        {"", "",
         "this real-time kernel (PREEMPT_RT) takes a lock that may sleep for its ring buffer: where two CPUs "
         "want it at once it says \"scheduling while atomic\"",
         "a kernel with \"bpf: Use raw_spinlock_t in ringbuf\": 6.12, or a later release of 6.1 or 6.6"});
  }
  // What is only counted is counted anew by each visit.
  if (settings.wants_entries && !plan.counts_skips && plan.has("set_state"))
    list.push_back(
        {"", "", "this kernel does not count how often it skips a program: what is lost so is not told", ""});
  if ((settings.wants_entries || plan.has("visit_holder")) && !settings.may_probe_read) {
    list.push_back(
        {"", "",
         "lockdown=confidentiality: the pid that a process has in its own pid namespace is not known, and the "
         "subflows of MPTCP belong to whoever connects or closes them",
         kLockdownRemedy});
  }
}

// What the run asks the kernel side for.
void settle_wishes(kernel_settings& settings, const ObjectOptions& options) {
  settings.ring_wake_bytes = options.ring_bytes / 4;
  settings.wants_groups = options.group_visits;
  settings.wants_afterlife = options.owners;
  settings.wants_accept_time = has_handler("syn_dropped", options.collectors);
  settings.follows_datagrams = settings.has_socket_storage && has_handler("dropped", options.collectors);
  settings.states_entered = states_entered(options.collectors);
}

}  // namespace

std::string_view loss_of(std::string_view hook, std::string_view method) {
  const MethodLoss* loss = find_loss(hook, method);
  return loss ? loss->loses : std::string_view();
}

std::vector<std::string_view> known_hooks() {
  std::vector<std::string_view> hooks;
  for (const MethodLoss& loss : kMethodLosses) {
    if (loss.method.empty()) hooks.push_back(loss.hook);
  }
  return hooks;
}

std::string remedy_of(const Choice& choice) {
  std::string remedies;
  for (const Refusal& refusal : choice.refused) {
    if (refusal.remedy.empty() || remedies.find(refusal.remedy) != std::string::npos) continue;
    remedies += (remedies.empty() ? "" : "; or ") + refusal.remedy;
  }
  return remedies;
}

std::string Limitation::sentence() const {
  if (hook.empty()) return what;
  return (method.empty() ? "without " + hook : hook + " by " + method) + ": " + what;
}

bool RunPlan::has(std::string_view hook) const {
  return std::any_of(choices.begin(), choices.end(),
                     [&](const Choice& choice) { return choice.hook == hook && !choice.method.empty(); });
}

bool RunPlan::tells_each_time(const Choice& choice) const {
  const auto& hooks = kToldEachTime;
  return std::count(std::begin(hooks), std::end(hooks), choice.hook) > 0 && has_handler(choice.hook, collectors);
}

Status RunPlan::possible() const {
  for (const Handler& handler : handlers()) {
    const MethodLoss* loss = find_loss(handler.hook, "");
    const bool is_for_us = std::count(collectors.begin(), collectors.end(), handler.collector) > 0;
    if (!is_for_us || !loss || !loss->essential || has(handler.hook)) continue;
    const auto choice = std::find_if(choices.begin(), choices.end(),
                                     [&](const Choice& candidate) { return candidate.hook == handler.hook; });
    const bool has_reason = choice != choices.end() && !choice->refused.empty();
    return Error{ErrorCode::kNotPossible,
                 std::string(handler.collector) + " cannot work: " + std::string(loss->loses) +
                     (has_reason ? ", " + choice->refused.back().why : ""),
                 has_reason ? choice->refused.back().remedy : ""};
  }
  return Ok{};
}

std::vector<Limitation> RunPlan::limitations() const {
  std::vector<Limitation> list;
  for (const Choice& choice : choices) {
    std::string what(loss_of(choice.hook, choice.method));
    if (what.empty()) continue;
    if (choice.method.empty() && !choice.refused.empty()) what += reason_of(choice);
    list.push_back({choice.hook, choice.method, what, remedy_of(choice)});
  }
  add_of_drops(*this, list);
  add_general(*this, list);
  return list;
}

StateSet states_entered(std::span<const std::string_view> collectors) {
  StateSet entered = kOwnerStates;
  for (const Handler& handler : handlers()) {
    if (handler.hook != "set_state" || std::count(collectors.begin(), collectors.end(), handler.collector) == 0)
      continue;
    entered |= find_collector(handler.collector)->enters;
  }
  return entered;
}

void put_events_first(std::vector<Choice>& choices, std::span<const std::string_view> collectors) {
  const auto cannot_wait = [&](const Choice& choice) {
    // What is remembered of a socket or a process that goes before anybody sees it go would stay.
    const bool forgets = std::find(std::begin(kLastHooks), std::end(kLastHooks), choice.hook) != std::end(kLastHooks);
    const bool is_attached = !choice.method.starts_with("iter");
    return forgets || !is_attached || has_handler(choice.hook, collectors);
  };
  std::stable_partition(choices.begin(), choices.end(), cannot_wait);
}

RunPlan plan_run(std::span<const Program> programs, const Features& features, const ObjectOptions& options) {
  RunPlan plan;
  plan.collectors = options.collectors;
  kernel_settings& settings = plan.settings;
  settings = features.settings();
  plan.entry_table = features.entry_table();
  if (options.most_sockets != 0) plan.entry_table.entries = options.most_sockets;
  if (settings.has_socket_cookie) settings.last_use_mask = std::bit_floor(plan.entry_table.entries) - 1;
  plan.counts_skips = features.counts_skips();
  plan.is_realtime = features.is_realtime();
  plan.ring_may_sleep = features.ring_may_sleep();
  settle_wishes(settings, options);
  const auto hooks = wanted_hooks(features, options, settings);

  std::vector<std::string> wanted;
  for (const Program& program : programs) {
    const std::string_view hook = split_program_name(program.name).hook;
    if (std::count(hooks.begin(), hooks.end(), hook) > 0) wanted.push_back(program.name);
  }
  plan.choices = choose_methods(wanted, [&](const std::string& name) -> Result<Ok> {
    const auto program =
        std::find_if(programs.begin(), programs.end(), [&](const Program& p) { return p.name == name; });
    return available(*program, features, options);
  });
  put_events_first(plan.choices, options.collectors);
  settings.follows_connections &= settings.wants_entries || plan.has("visit_holder");
  for (const Choice& choice : plan.choices) {
    if (choice.method == "consumed") settings.watches_listeners = 1;
    if (choice.hook == "connect_returned") settings.sees_connect_errors = !choice.method.empty();
    if (choice.method != "sys_exit") continue;
    if (choice.hook == "accepted") settings.learns_accepts = settings.has_socket_cookie;
    if (choice.hook == "connect_returned") settings.sees_connect_calls = 1;
  }
  return plan;
}

}  // namespace sockeye
