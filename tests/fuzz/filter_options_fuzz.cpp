// SPDX-License-Identifier: Apache-2.0
// The input is filters, an option a line (--port=80,443), each line one word. What is understood is judged by as well,
// with the code that the kernel side has.
#include <CLI/CLI.hpp>

#include "bpf/filter.h"
#include "cli/filter_options.h"
#include "tests/fuzz/shown_text.h"
#include "tests/support/events.h"

namespace sockeye {
namespace {

void check(bool holds) {
  if (!holds) abort();
}

// What the parser promises the kernel side: entries without a hole, masked values, ports that a socket can have.
void check_rules(const filter_rules& rules) {
  const auto check_list = [](const filter_list& list) {
    check((list.used & (list.used + 1)) == 0);
    check((list.wanted & ~list.used) == 0);
  };
  for (const filter_list& list : {rules.pids, rules.uids, rules.netns_inodes, rules.cgroups, rules.comms}) {
    check_list(list);
  }
  for (unsigned end = 0; end < FILTER_ENDS; ++end) {
    check_list(rules.addresses[end]);
    check_list(rules.ports[end]);
    for (unsigned i = 0; i < FILTER_VALUES; ++i) {
      const filter_bytes& network = rules.address[end][i];
      for (unsigned half = 0; half < 2; ++half) check((network.value[half] & ~network.mask[half]) == 0);
      if (rules.ports[end].used >> i & 1) check(rules.port[end][i].low >= 1);
      check(rules.port[end][i].low <= rules.port[end][i].high);
    }
  }
}

void judge(const filter_rules& rules, const socket_event& event) {
  owner nobody = {};
  for (const owner* who : {&event.owner, static_cast<const owner*>(&nobody), static_cast<const owner*>(nullptr)}) {
    const int passes = filter_passes(&rules, &event.socket, who);
    check(passes == 0 || passes == 1);
    check(passes == 1 || rules.active);
  }
  for (unsigned state = 0; state <= UINT8_MAX; ++state) filter_passes_state(&rules, static_cast<uint8_t>(state));
}

// A socket that is in the first entries of the lists, so that what comes behind them is judged, too.
socket_event like_the_rules(const filter_rules& rules, unsigned end) {
  socket_event event = client_socket();
  memcpy(event.socket.laddr, rules.address[end][0].value, sizeof event.socket.laddr);
  memcpy(event.socket.raddr, rules.address[end][1].value, sizeof event.socket.raddr);
  event.socket.lport = rules.port[end][0].low;
  event.socket.rport = rules.port[end][0].high;
  event.socket.netns = static_cast<__u32>(rules.netns[0]);
  event.owner.pid = static_cast<__u32>(rules.pid[0]);
  event.owner.uid = static_cast<__u32>(rules.uid[0]);
  event.owner.cgroup_id = rules.cgroup[0];
  memcpy(event.owner.comm, rules.comm[0].value, sizeof event.owner.comm);
  return event;
}

void understand_and_judge(FilterOptions options, bool by_numbers) {
  options.by_numbers = by_numbers;
  options.netns_directory = "/nonexistent";
  const auto containers = parse_containers(options);
  if (!containers) check_shown(containers.error());
  const auto rules = parse_filter(options);
  if (!rules) return check_shown(rules.error());
  check_rules(*rules);
  socket_event listener = client_socket();
  make_listener(listener);
  for (const socket_event& event : {client_socket(), listener, socket_event{}}) judge(*rules, event);
  for (unsigned end = 0; end < FILTER_ENDS; ++end) judge(*rules, like_the_rules(*rules, end));
  if (!containers) return;
  const Context context = {.container = "3f4a", .runtime = "docker", .pod = "", .unit = "", .cgroup_path = "/"};
  for (const Context* known : {&context, static_cast<const Context*>(nullptr)}) {
    check(containers->passes(known) || containers->is_active());
  }
}

}  // namespace
}  // namespace sockeye

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sockeye;
  static FilterOptions options;
  static CLI::App* const app = [] {
    auto* made = new CLI::App;
    add_filter_options(*made, options);
    return made;
  }();
  std::vector<std::string> words;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    words.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  std::reverse(words.begin(), words.end());  // as CLI11 takes them
  options = {};
  try {
    app->parse(std::move(words));
  } catch (const CLI::ParseError&) {
    return 0;
  }
  for (const bool by_numbers : {false, true}) understand_and_judge(options, by_numbers);
  return 0;
}
