// SPDX-License-Identifier: Apache-2.0
// The filters of the command line, the same for every command, and the rules that the kernel side makes of them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "bpf/filter_rules.h"
#include "event/container_filter.h"
#include "run/run_spec.h"

namespace CLI {
class App;
}

namespace sockeye {

// As given: the words of an option in the order of the command line, each a list separated by commas, or by blanks
// where the values hold none. `!` before a value excludes it.
struct FilterOptions {
  std::vector<std::string> pid;
  std::vector<std::string> comm;
  std::vector<std::string> uid;
  std::vector<std::string> container;
  std::vector<std::string> netns;
  std::vector<std::string> cgroup;
  std::vector<std::string> src_ip;
  std::vector<std::string> dst_ip;
  std::vector<std::string> local_ip;
  std::vector<std::string> peer_ip;
  std::vector<std::string> ip;
  std::vector<std::string> src_port;
  std::vector<std::string> dst_port;
  std::vector<std::string> local_port;
  std::vector<std::string> peer_port;
  std::vector<std::string> port;
  std::optional<std::string> direction;
  bool ipv4 = false;
  bool ipv6 = false;
  bool active_only = false;
  bool by_numbers = false;                     // users and namespaces of another machine, whose names mean nothing here
  std::string netns_directory = "/run/netns";  // where the names of --netns are
};

// An option that was given without any value is left with one empty word, which parse_filter() refuses.
void add_filter_options(CLI::App& command, FilterOptions& options);

// kUsage, with the option, the value, the reason and an example, for what makes no sense or does not fit into the
// rules. Looks up users, network namespaces and interfaces; opens nothing else.
Result<filter_rules> parse_filter(const FilterOptions& options);

// The first option given that asks for something of a socket; empty: there is none.
std::string_view filter_about_sockets(const FilterOptions& options);

// What stands as a name behind the % of an address: each once, in the order in which the rules number them with
// by_numbers. A recording knows what its interfaces were called.
std::vector<std::string> named_interfaces(const FilterOptions& options);

// --container, which is not among the rules: which cgroups those containers are is for the run to find out.
Result<ContainerFilter> parse_containers(const FilterOptions& options);

// Both, into what is to be run.
Status add_filters(const FilterOptions& options, RunSpec& spec);

}  // namespace sockeye
