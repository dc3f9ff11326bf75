// SPDX-License-Identifier: Apache-2.0
#include "bpf/run_plan.h"

#include <algorithm>
#include <bit>

namespace sockeye {
namespace {

// The moments from which owners are learned.
constexpr std::string_view kOwnerMoments[] = {"set_state", "accepted", "sent", "received", "tick_file"};
// The states whose being entered may tell whose a socket is, or begins or ends it.
constexpr StateSet kOwnerStates = state_set(STATE_SYN_SENT, STATE_SYN_RECV, STATE_ESTABLISHED, STATE_FIN_WAIT1,
                                            STATE_LAST_ACK, STATE_CLOSE, STATE_LISTEN);
// The moments at which what is remembered is deleted.
constexpr std::string_view kLastMoments[] = {"destroyed", "process_exits", "process_freed"};
// Those that visit one network namespace after the other, and those that lead to the namespaces.
constexpr std::string_view kWalkingMoments[] = {"tick_socket", "tick_state"};
constexpr std::string_view kLeadingMoments[] = {"tick_namespace", "tick_thread"};
// Those whose every run is an event, where a collector has a handler there. Of a use only the first is told, of
// connect() an error, and of a packet that the kernel lets go only a SYN.
constexpr std::string_view kToldEachTime[] = {"dropped",       "reset_received", "reset_sent",
                                              "retransmitted", "set_state",      "synack_retransmitted"};
// Those of a snapshot, which is over before anything can change.
constexpr std::string_view kSnapshotMoments[] = {"tick_socket", "tick_holder"};

struct RungLoss {
  std::string_view moment;
  std::string_view rung;  // empty: without the moment
  std::string_view loses;
  bool essential = false;  // a collector with a handler there makes no sense without it
};

// A moment's best rung loses nothing and is not here, nor is another that sees the same.
constexpr RungLoss kRungLosses[] = {
    {"accepted", "", "an accepted socket has its listener's owner until a process uses it"},
    {"accepted", "sys_exit",
     "every system call of the machine costs more, and accepts through io_uring or by 32-bit programs are not seen"},
    {"accepted", "getpeername",
     "a process that accepts without asking for the peer's address has the socket from its first use on"},
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
     "what the kernel lets go by consume_skb (each SYN, datagrams, what a driver has sent) costs a look, and of more "
     "than eight listeners on one port some drop their SYNs unseen"},
    {"syn_sent", "", "the row of connect() comes with the next one, and has no port where there is none"},
    {"synack_retransmitted", "", "SYN-ACKs that are sent again are not seen"},
    {"tick_file", "", "sockets that were there before have no owner until a process uses them"},
    {"tick_file", "iter_probe", "a socket that was there before has an owner only where its namespace can be entered"},
    {"tick_namespace", "", "a network namespace that only a socket or a descriptor holds may be missing"},
    {"tick_holder", "", "who holds a socket is not known"},
    {"tick_socket", "", "sockets that are there cannot be visited", true},
    {"tick_state", "", "sockets that are there cannot be counted", true},
    {"tick_thread", "", "a network namespace that only a thread holds may be missing"},
};

const RungLoss* find_loss(std::string_view moment, std::string_view rung) {
  const auto found = std::find_if(std::begin(kRungLosses), std::end(kRungLosses),
                                  [&](const RungLoss& loss) { return loss.moment == moment && loss.rung == rung; });
  return found == std::end(kRungLosses) ? nullptr : found;
}

Error refuse(std::string why, std::string remedy = "") {
  return {ErrorCode::kNotPossible, std::move(why), std::move(remedy)};
}

const std::string kAsksForIt = " asks for it";
const std::string kLockdownForbids = "lockdown=confidentiality forbids bpf_probe_read_kernel";
const std::string kLockdownRemedy = "boot without lockdown=confidentiality";

Status trampoline_allowed(std::string_view rung, const std::string& target, const Features& features) {
  const int parameters = features.types().parameters(target);
  if (parameters < 0) return refuse("this kernel has no function " + target);
  if (rung.starts_with("fexit_") && rung != "fexit_" + std::to_string(parameters))
    return refuse(target + " has " + std::to_string(parameters) + " parameters");
  return features.tracing() ? features.trampoline() : Ok{};
}

Status sys_exit_allowed(std::string_view moment, const Features& features, const ObjectOptions& options) {
  const bool of_connect = moment == "connect_returned";
  if (!(of_connect ? options.connect_errors : options.accept_owner))
    return refuse("it costs every system call", (of_connect ? "--connect-errors" : "--accept-owner") + kAsksForIt);
  if (of_connect && features.settings().tcp_sock_type == 0) return refuse("this kernel has no bpf_rdonly_cast");
  if (!features.has_tracepoint("sys_exit")) return refuse("this kernel has no tracepoint sys_exit");
  if (!features.may_probe_read()) return refuse(kLockdownForbids, kLockdownRemedy);
  return Ok{};
}

Status iterator_allowed(std::string_view rung, const std::string& target, const Features& features) {
  if (features.types().structure("bpf_iter__" + target) == 0) return refuse("this kernel has no iterator " + target);
  if (rung == "iter" && target == "task_file" && !features.settings().has_sock_from_file)
    return refuse("this kernel has no bpf_sock_from_file");
  if (rung == "iter_probe" && !features.may_probe_read()) return refuse(kLockdownForbids, kLockdownRemedy);
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
  const std::string_view rung = split_program_name(program.name).rung;
  for (const Refusal& refusal : options.refused) {
    if (refusal.rung == program.name) return refuse(refusal.why, refusal.remedy);
  }
  if (rung == "tp_btf")
    return features.has_tracepoint(target) ? Status(Ok{}) : refuse("this kernel has no tracepoint " + target);
  if (rung == "fentry" || rung.starts_with("fexit")) return trampoline_allowed(rung, target, features);
  if (rung == "sys_exit") return sys_exit_allowed(split_program_name(program.name).moment, features, options);
  if (rung == "consumed") return consumed_allowed(features);
  if (rung == "sockops" || rung == "getpeername") {
    if (rung == "getpeername" && options.accept_owner) return refuse("--accept-owner asks for each accept()");
    SOCKEYE_TRY(features.whole_cgroup2());
    if (!features.tracing()) return Ok{};
    return rung == "sockops" ? features.sockops() : features.getpeername();
  }
  return iterator_allowed(rung, target, features);
}

bool has_handler(std::string_view moment, std::span<const std::string_view> collectors) {
  return std::any_of(handlers().begin(), handlers().end(), [&](const Handler& handler) {
    return handler.moment == moment && std::count(collectors.begin(), collectors.end(), handler.collector) > 0;
  });
}

// Which moments the run wants; what of the settings follows from who wants them.
std::vector<std::string_view> wanted_moments(const Features& features, const ObjectOptions& options,
                                             kernel_settings& settings) {
  bool wants_owners = options.owners;
  std::vector<std::string_view> moments;
  for (const std::string_view name : options.collectors) {
    const Collector* collector = find_collector(name);
    if (collector->needs_owner || collector->needs_record) settings.wants_records = 1;
    if (collector->snapshot) moments.insert(moments.end(), std::begin(kSnapshotMoments), std::end(kSnapshotMoments));
    wants_owners |= collector->needs_owner && !collector->snapshot;
  }
  if (wants_owners) {
    settings.wants_records = 1;
    moments.insert(moments.end(), std::begin(kOwnerMoments), std::end(kOwnerMoments));
    moments.insert(moments.end(), std::begin(kLastMoments), std::end(kLastMoments));
    if (!settings.has_sock_from_file) moments.push_back("tick_socket");  // tick_file finds only what that has met
    if (settings.follows_connections && !features.has_tracepoint("sock_send_length")) {
      moments.insert(moments.end(), {"connection_sent", "connection_received"});
    }
  }
  if (options.new_cgroups) moments.push_back("cgroup_made");
  for (const Handler& handler : handlers()) {
    if (has_handler(handler.moment, options.collectors)) moments.push_back(handler.moment);
  }
  const bool walks = std::any_of(moments.begin(), moments.end(), [](std::string_view moment) {
    return std::count(std::begin(kWalkingMoments), std::end(kWalkingMoments), moment) > 0;
  });
  if (walks) moments.insert(moments.end(), std::begin(kLeadingMoments), std::end(kLeadingMoments));
  return moments;
}

// Why a moment has no rung: of its refusals the one that somebody can do something about, else the last.
std::string reason_of(const Choice& choice) {
  const auto curable = std::find_if(choice.refused.begin(), choice.refused.end(),
                                    [](const Refusal& refusal) { return !refusal.remedy.empty(); });
  if (curable == choice.refused.end()) return " (" + choice.refused.back().why + ")";
  return " (" + curable->why + ": " + curable->remedy + ")";
}

// Of the packets that the kernel drops.
void add_of_drops(const RunPlan& plan, std::vector<Shortcoming>& list) {
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
void add_general(const RunPlan& plan, std::vector<Shortcoming>& list) {
  const kernel_settings& settings = plan.settings;
  if (settings.wants_records && plan.records.preallocated) {
    list.push_back({"", "",
                    "this kernel's programs allocate no memory for a socket: 65,536 sockets are remembered at a time",
                    ""});
  }
  if (settings.wants_records && !settings.has_socket_storage && plan.has("set_state")) {
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
  if (settings.wants_records && !plan.counts_skips && plan.has("set_state"))
    list.push_back(
        {"", "", "this kernel does not count how often it skips a program: what is lost so is not told", ""});
  if ((settings.wants_records || plan.has("tick_holder")) && !settings.may_probe_read) {
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

std::string_view loss_of(std::string_view moment, std::string_view rung) {
  const RungLoss* loss = find_loss(moment, rung);
  return loss ? loss->loses : std::string_view();
}

std::vector<std::string_view> known_moments() {
  std::vector<std::string_view> moments;
  for (const RungLoss& loss : kRungLosses) {
    if (loss.rung.empty()) moments.push_back(loss.moment);
  }
  return moments;
}

std::string remedy_of(const Choice& choice) {
  std::string remedies;
  for (const Refusal& refusal : choice.refused) {
    if (refusal.remedy.empty() || remedies.find(refusal.remedy) != std::string::npos) continue;
    remedies += (remedies.empty() ? "" : "; or ") + refusal.remedy;
  }
  return remedies;
}

std::string Shortcoming::sentence() const {
  if (moment.empty()) return what;
  return (rung.empty() ? "without " + moment : moment + " by " + rung) + ": " + what;
}

bool RunPlan::has(std::string_view moment) const {
  return std::any_of(choices.begin(), choices.end(),
                     [&](const Choice& choice) { return choice.moment == moment && !choice.rung.empty(); });
}

bool RunPlan::tells_each_time(const Choice& choice) const {
  const auto& moments = kToldEachTime;
  return std::count(std::begin(moments), std::end(moments), choice.moment) > 0 &&
         has_handler(choice.moment, collectors);
}

Status RunPlan::possible() const {
  for (const Handler& handler : handlers()) {
    const RungLoss* loss = find_loss(handler.moment, "");
    const bool is_for_us = std::count(collectors.begin(), collectors.end(), handler.collector) > 0;
    if (!is_for_us || !loss || !loss->essential || has(handler.moment)) continue;
    const auto choice = std::find_if(choices.begin(), choices.end(),
                                     [&](const Choice& candidate) { return candidate.moment == handler.moment; });
    const bool has_reason = choice != choices.end() && !choice->refused.empty();
    return Error{ErrorCode::kNotPossible,
                 std::string(handler.collector) + " cannot work: " + std::string(loss->loses) +
                     (has_reason ? ", " + choice->refused.back().why : ""),
                 has_reason ? choice->refused.back().remedy : ""};
  }
  return Ok{};
}

std::vector<Shortcoming> RunPlan::shortcomings() const {
  std::vector<Shortcoming> list;
  for (const Choice& choice : choices) {
    std::string what(loss_of(choice.moment, choice.rung));
    if (what.empty()) continue;
    if (choice.rung.empty() && !choice.refused.empty()) what += reason_of(choice);
    list.push_back({choice.moment, choice.rung, what, remedy_of(choice)});
  }
  add_of_drops(*this, list);
  add_general(*this, list);
  return list;
}

StateSet states_entered(std::span<const std::string_view> collectors) {
  StateSet entered = kOwnerStates;
  for (const Handler& handler : handlers()) {
    if (handler.moment != "set_state" || std::count(collectors.begin(), collectors.end(), handler.collector) == 0)
      continue;
    entered |= find_collector(handler.collector)->enters;
  }
  return entered;
}

void put_events_first(std::vector<Choice>& choices, std::span<const std::string_view> collectors) {
  const auto cannot_wait = [&](const Choice& choice) {
    // What is remembered of a socket or a process that goes before anybody sees it go would stay.
    const bool forgets =
        std::find(std::begin(kLastMoments), std::end(kLastMoments), choice.moment) != std::end(kLastMoments);
    const bool is_attached = !choice.rung.starts_with("iter");
    return forgets || !is_attached || has_handler(choice.moment, collectors);
  };
  std::stable_partition(choices.begin(), choices.end(), cannot_wait);
}

RunPlan plan_run(std::span<const Program> programs, const Features& features, const ObjectOptions& options) {
  RunPlan plan;
  plan.collectors = options.collectors;
  kernel_settings& settings = plan.settings;
  settings = features.settings();
  plan.records = features.record_table();
  if (options.most_sockets != 0) plan.records.entries = options.most_sockets;
  if (settings.has_socket_cookie) settings.last_use_mask = std::bit_floor(plan.records.entries) - 1;
  plan.counts_skips = features.counts_skips();
  plan.is_realtime = features.is_realtime();
  plan.ring_may_sleep = features.ring_may_sleep();
  settle_wishes(settings, options);
  const auto moments = wanted_moments(features, options, settings);

  std::vector<std::string> wanted;
  for (const Program& program : programs) {
    const std::string_view moment = split_program_name(program.name).moment;
    if (std::count(moments.begin(), moments.end(), moment) > 0) wanted.push_back(program.name);
  }
  plan.choices = choose_rungs(wanted, [&](const std::string& name) -> Result<Ok> {
    const auto program =
        std::find_if(programs.begin(), programs.end(), [&](const Program& p) { return p.name == name; });
    return available(*program, features, options);
  });
  put_events_first(plan.choices, options.collectors);
  settings.follows_connections &= settings.wants_records || plan.has("tick_holder");
  for (const Choice& choice : plan.choices) {
    if (choice.rung == "consumed") settings.watches_listeners = 1;
    if (choice.moment == "connect_returned") settings.sees_connect_errors = !choice.rung.empty();
    if (choice.rung != "sys_exit") continue;
    if (choice.moment == "accepted") settings.learns_accepts = settings.has_socket_cookie;
    if (choice.moment == "connect_returned") settings.sees_connect_calls = 1;
  }
  return plan;
}

}  // namespace sockeye
