// SPDX-License-Identifier: Apache-2.0
#include "cli/filter_options.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <pwd.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "base/fd.h"
#include "base/text.h"
#include "cli/filter_words.h"
#include "cli/interface_scope.h"

namespace sockeye {
namespace {

constexpr uint64_t kMostPid = 4'194'304;      // PID_MAX_LIMIT of <linux/threads.h>
constexpr uint64_t kMostUid = 4'294'967'294;  // (uid_t)-1 is no user
constexpr int kMostWords = 1 << 20;           // to CLI11, whose "unlimited" would take [a,b] for a list

constexpr const char* kGroup = "Filters (lists: 80,443; '!22' leaves out)";

constexpr const char* kRunTwice = "run sockeye once for each part";

constexpr ListOption kPid{"--pid",
                          &FilterOptions::pid,
                          "PID,...",
                          "sockets that these processes own",
                          "such as --pid 4711, --pid $(pgrep nginx) or --pid '!4711'",
                          "--comm takes all processes of a name",
                          false,
                          "-p,"};
constexpr ListOption kComm{"--comm",
                           &FilterOptions::comm,
                           "NAME,...",
                           "sockets that processes of these names own (/proc/PID/comm)",
                           "such as --comm nginx, --comm nginx,envoy or --comm '!curl'",
                           kRunTwice,
                           true};
constexpr ListOption kUid{"--uid",
                          &FilterOptions::uid,
                          "USER,...",
                          "sockets that processes of these users own (number or name)",
                          "such as --uid 1000, --uid postgres or --uid '!root'",
                          kRunTwice};
constexpr ListOption kContainer{"--container",
                                &FilterOptions::container,
                                "ID,...",
                                "sockets that processes in these containers own (beginning of the id, or the name)",
                                "such as --container 3f4a, --container web or --container '!3f4a'",
                                kRunTwice};
constexpr ListOption kNetns{"--netns",
                            &FilterOptions::netns,
                            "NETNS,...",
                            "sockets in these network namespaces (inode number, name or path)",
                            "such as --netns 4026531840, --netns blue (ip netns) or --netns /proc/4711/ns/net",
                            kRunTwice};
constexpr ListOption kCgroup{"--cgroup",
                             &FilterOptions::cgroup,
                             "ID,...",
                             "sockets that processes in these cgroups own (cgroup_id of the events)",
                             "such as --cgroup 4312 or --cgroup '!4312'",
                             kRunTwice};

constexpr ListOption ip_option(const char* name, std::vector<std::string> FilterOptions::*words, const char* meaning) {
  return {name,
          words,
          "IP,...",
          meaning,
          "such as 10.0.0.5, 10.0.0.0/8, 2001:db8::/32, fe80::1%eth0 or '!10.0.0.5'; names of hosts are not looked up",
          "a network (10.0.0.0/8) counts as one"};
}
constexpr ListOption port_option(const char* name, std::vector<std::string> FilterOptions::*words,
                                 const char* meaning) {
  return {
      name, words, "PORT,...", meaning, "such as 443, 80,443, 8000-8999 or '!22'", "a range (8000-8999) counts as one"};
}

// Indexed by FILTER_SRC ... FILTER_EITHER.
constexpr ListOption kIps[FILTER_ENDS] = {
    ip_option("--src-ip", &FilterOptions::src_ip, "address or network printed under SRC"),
    ip_option("--dst-ip", &FilterOptions::dst_ip, "address or network printed under DST"),
    ip_option("--local-ip", &FilterOptions::local_ip, "local address or network"),
    ip_option("--peer-ip", &FilterOptions::peer_ip, "the peer's address or network"),
    ip_option("--ip", &FilterOptions::ip, "address or network of either end"),
};
constexpr ListOption kPorts[FILTER_ENDS] = {
    port_option("--src-port", &FilterOptions::src_port, "port or range printed under SRC"),
    port_option("--dst-port", &FilterOptions::dst_port, "port or range printed under DST"),
    port_option("--local-port", &FilterOptions::local_port, "local port or range"),
    port_option("--peer-port", &FilterOptions::peer_port, "the peer's port or range"),
    port_option("--port", &FilterOptions::port, "port or range of either end"),
};

Error too_many(const ListOption& option, size_t values, size_t room) {
  return wrong(option.name, "", std::to_string(values) + " values, and there is room for " + std::to_string(room),
               option.fewer);
}

void use_entry(filter_list& list, size_t i, const Item& item) {
  list.used |= uint64_t{1} << i;
  if (!item.excluded) list.wanted |= uint64_t{1} << i;
}

// Fills a list of the rules with what `parse` (const Item& -> Result<Entry>) makes of the items.
template <typename Entry, size_t kRoom, typename Parse>
Status fill(const ListOption& option, const FilterOptions& options, filter_list& list, Entry (&entries)[kRoom],
            Parse parse) {
  const auto items = items_of(option, options);
  if (!items) return items.error();
  if (items->size() > kRoom) return too_many(option, items->size(), kRoom);
  for (size_t i = 0; i < items->size(); ++i) {
    auto entry = parse((*items)[i]);
    if (!entry) return entry.error();
    entries[i] = *entry;
    use_entry(list, i, (*items)[i]);
  }
  return Ok{};
}

Result<filter_span> parse_ports(const ListOption& option, const Item& item) {
  const std::string_view text = item.text;
  const size_t dash = text.find('-');
  const auto low = parse_number(option, item, text.substr(0, dash), 1, 65535);
  if (!low) return low.error();
  const auto high = dash == std::string_view::npos ? low : parse_number(option, item, text.substr(dash + 1), 1, 65535);
  if (!high) return high.error();
  if (*high < *low) return wrong(option, item, "this range ends before it begins");
  return filter_span{static_cast<__u16>(*low), static_cast<__u16>(*high)};
}

filter_bytes network(const uint8_t (&address)[16], unsigned prefix) {
  uint8_t mask[16] = {};
  uint8_t value[16] = {};
  for (unsigned i = 0; i < 16; ++i) {
    const unsigned bits = prefix <= i * 8 ? 0 : std::min(prefix - i * 8, 8u);
    mask[i] = static_cast<uint8_t>(0xff00u >> bits);
    value[i] = address[i] & mask[i];
  }
  filter_bytes entry{};
  memcpy(entry.value, value, sizeof value);
  memcpy(entry.mask, mask, sizeof mask);
  return entry;
}

constexpr uint8_t kMapped[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned kMappedBits = 96;

Result<filter_bytes> parse_network(const ListOption& option, const FilterOptions& options, const Item& item) {
  const size_t slash = item.text.find('/');
  const std::string text = item.text.substr(0, std::min(slash, item.text.find('%')));
  uint8_t address[16];
  memcpy(address, kMapped, sizeof address);
  const bool dotted = inet_pton(AF_INET, text.c_str(), address + 12) == 1;
  if (!dotted && inet_pton(AF_INET6, text.c_str(), address) != 1) {
    return wrong(option, item, "this is not an IP address");
  }
  unsigned prefix = 128;
  if (slash != std::string::npos) {
    const auto bits = parse_number(option, item, std::string_view(item.text).substr(slash + 1), 0, dotted ? 32 : 128);
    if (!bits) return wrong(option, item, dotted ? "the prefix goes from 0 to 32" : "the prefix goes from 0 to 128");
    prefix = static_cast<unsigned>(*bits) + (dotted ? kMappedBits : 0);
  }
  const filter_bytes entry = network(address, prefix);
  const filter_bytes all_ipv4 = network(kMapped, std::min(prefix, kMappedBits));
  const bool holds_ipv4 = memcmp(network(address, std::min(prefix, kMappedBits)).value, all_ipv4.value, 16) == 0;
  if (holds_ipv4 && prefix < kMappedBits) {
    return wrong(option.name, item.given(), "all of IPv4 is in this network, as ::ffff:0.0.0.0/96",
                 "-6 leaves out IPv4; 2000::/3 is the IPv6 Internet");
  }
  if (!item.excluded && (holds_ipv4 ? options.ipv6 : options.ipv4)) {
    return wrong(option.name, item.given(), std::string("this contradicts ") + (holds_ipv4 ? "-6" : "-4"),
                 "leave out one of them");
  }
  return entry;
}

Result<filter_bytes> parse_comm(const Item& item) {
  constexpr size_t kMost = TASK_COMM_LEN - 1;
  if (item.text.size() > kMost) {
    return wrong(kComm.name, item.given(), "the kernel keeps " + std::to_string(kMost) + " bytes of a name",
                 "did you mean --comm '" + printable(item.given().substr(0, kMost + item.excluded)) + "'?");
  }
  uint8_t name[TASK_COMM_LEN] = {};
  memcpy(name, item.text.data(), item.text.size());
  return network(name, static_cast<unsigned>(item.text.size() + 1) * 8);  // with its NUL: what follows that is garbage
}

constexpr const char* kNameElsewhere = "a recording knows it by its number, which may be another one's here";

Result<uint64_t> parse_user(const FilterOptions& options, const Item& item) {
  if (is_digits(item.text)) return parse_number(kUid, item, item.text, 0, kMostUid);
  if (options.by_numbers) return wrong(kUid, item, kNameElsewhere);
  std::vector<char> room(64 * 1024);
  passwd entry{};
  passwd* found = nullptr;
  getpwnam_r(item.text.c_str(), &entry, room.data(), room.size(), &found);
  if (!found) return wrong(kUid, item, "there is no such user");
  return entry.pw_uid;
}

Result<uint64_t> parse_netns(const FilterOptions& options, const Item& item) {
  if (is_digits(item.text)) return parse_number(kNetns, item, item.text, 1, UINT32_MAX);
  if (options.by_numbers) return wrong(kNetns, item, kNameElsewhere);
  const bool is_path = item.text.find('/') != std::string::npos;
  const std::string path = is_path ? item.text : options.netns_directory + "/" + item.text;
  struct stat status {};
  struct statfs filesystem {};
  if (stat(path.c_str(), &status) != 0 || statfs(path.c_str(), &filesystem) != 0) {
    return wrong(kNetns, item, (is_path ? "" : printable(path) + ": ") + errno_text(errno));
  }
  if (filesystem.f_type == NSFS_MAGIC) {
    const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return wrong(kNetns, item, "it cannot be opened: " + errno_text(errno));
    if (ioctl(file.get(), NS_GET_NSTYPE) == CLONE_NEWNET) return uint64_t{status.st_ino};
  }
  return wrong(kNetns, item, "this is not a network namespace");
}

Status fill_owner_lists(const FilterOptions& options, filter_rules& rules) {
  SOCKEYE_TRY(fill(kPid, options, rules.pids, rules.pid,
                   [](const Item& item) { return parse_number(kPid, item, item.text, 1, kMostPid); }));
  SOCKEYE_TRY(fill(kComm, options, rules.comms, rules.comm, parse_comm));
  SOCKEYE_TRY(
      fill(kUid, options, rules.uids, rules.uid, [&options](const Item& item) { return parse_user(options, item); }));
  SOCKEYE_TRY(fill(kNetns, options, rules.netns_inodes, rules.netns,
                   [&options](const Item& item) { return parse_netns(options, item); }));
  return fill(kCgroup, options, rules.cgroups, rules.cgroup,
              [](const Item& item) { return parse_number(kCgroup, item, item.text, 1, UINT64_MAX); });
}

std::optional<std::vector<std::string>> numbers_of(const FilterOptions& options) {
  if (!options.by_numbers) return {};
  return named_interfaces(options);
}

// An address whose %interface is a name has an entry for each namespace that has such an interface.
Status fill_addresses(const FilterOptions& options, filter_rules& rules, unsigned end) {
  const ListOption& option = kIps[end];
  const auto items = items_of(option, options);
  if (!items) return items.error();
  size_t used = 0;
  for (const Item& item : *items) {
    const auto network = parse_network(option, options, item);
    if (!network) return network.error();
    const auto scopes = find_scopes(zone_of(item.text), *network, rules, numbers_of(options));
    if (!scopes) return wrong(option, item, scopes.error().what);
    for (const filter_scope& scope : *scopes) {
      if (used == FILTER_VALUES) return too_many(option, std::max(used + 1, items->size()), FILTER_VALUES);
      rules.address[end][used] = *network;
      rules.scope[end][used] = scope;
      use_entry(rules.addresses[end], used++, item);
    }
  }
  return Ok{};
}

Status fill_end_lists(const FilterOptions& options, filter_rules& rules) {
  for (unsigned end = 0; end < FILTER_ENDS; ++end) {
    SOCKEYE_TRY(fill_addresses(options, rules, end));
    SOCKEYE_TRY(fill(kPorts[end], options, rules.ports[end], rules.port[end],
                     [end](const Item& item) { return parse_ports(kPorts[end], item); }));
  }
  return Ok{};
}

bool has_lists(const filter_rules& rules) {
  uint64_t used = rules.pids.used | rules.comms.used | rules.uids.used | rules.netns_inodes.used | rules.cgroups.used;
  for (unsigned end = 0; end < FILTER_ENDS; ++end) used |= rules.addresses[end].used | rules.ports[end].used;
  return used != 0;
}

void add_list(CLI::App& command, FilterOptions& options, const ListOption& option) {
  command.add_option(std::string(option.letter) + option.name, options.*option.words, option.meaning)
      ->expected(0, kMostWords)
      ->allow_extra_args(false)
      ->type_name(option.type)
      ->group(kGroup);
}

}  // namespace

void add_filter_options(CLI::App& command, FilterOptions& options) {
  for (const ListOption* option : {&kPid, &kComm, &kUid, &kContainer, &kNetns, &kCgroup})
    add_list(command, options, *option);
  for (unsigned end = 0; end < FILTER_ENDS; ++end) {
    add_list(command, options, kIps[end]);
    add_list(command, options, kPorts[end]);
  }
  command.add_flag("-4", options.ipv4, "IPv4 only, also where an IPv6 socket carries it")->group(kGroup);
  command.add_flag("-6", options.ipv6, "IPv6 only")->group(kGroup);
  command.add_option("--direction", options.direction, "out: opened from here; in: listeners and what they accepted")
      ->type_name("in|out")
      ->group(kGroup);
  command
      .add_flag("--active-only", options.active_only,
                "leave out FIN_WAIT2, TIME_WAIT, CLOSING, LAST_ACK and changes to CLOSE")
      ->group(kGroup);
}

Result<filter_rules> parse_filter(const FilterOptions& options) {
  filter_rules rules{};
  if (options.ipv4 && options.ipv6) return wrong("-4", "", "this contradicts -6", "leave out both for all addresses");
  if (options.ipv4) rules.family = AF_INET;
  if (options.ipv6) rules.family = AF_INET6;
  if (options.direction) {
    if (*options.direction != "in" && *options.direction != "out") {
      return wrong("--direction", *options.direction, "there is no such direction", "it is in, or out, or left out");
    }
    rules.direction = *options.direction == "in" ? FILTER_DIRECTION_IN : FILTER_DIRECTION_OUT;
  }
  SOCKEYE_TRY(fill_owner_lists(options, rules));
  SOCKEYE_TRY(fill_end_lists(options, rules));
  rules.active_only = options.active_only;
  rules.active = rules.family || rules.direction || has_lists(rules);
  return rules;
}

std::string_view filter_about_sockets(const FilterOptions& options) {
  std::vector<const ListOption*> lists = {&kNetns};
  for (unsigned end = 0; end < FILTER_ENDS; ++end) lists.insert(lists.end(), {&kIps[end], &kPorts[end]});
  for (const ListOption* list : lists) {
    if (!(options.*(list->words)).empty()) return list->name;
  }
  if (options.ipv4) return "-4";
  if (options.ipv6) return "-6";
  return options.direction ? "--direction" : "";
}

std::vector<std::string> named_interfaces(const FilterOptions& options) {
  std::vector<std::string> names;
  for (const ListOption& option : kIps) {
    const auto items = items_of(option, options);
    if (!items) continue;
    for (const Item& item : *items) {
      const std::string zone(zone_of(item.text));
      if (!is_digits(zone) && std::count(names.begin(), names.end(), zone) == 0) names.push_back(zone);
    }
  }
  return names;
}

Result<ContainerFilter> parse_containers(const FilterOptions& options) {
  constexpr std::string_view kPunctuation = "._-";
  constexpr size_t kMost = 255;  // NAME_MAX: a container is a directory
  ContainerFilter filter;
  const auto items = items_of(kContainer, options);
  if (!items) return items.error();
  for (const Item& item : *items) {
    if (item.text.size() > kMost) return wrong(kContainer, item, "no container has so long a name");
    const bool is_name = std::all_of(item.text.begin(), item.text.end(), [&](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
             kPunctuation.find(c) != std::string_view::npos;
    });
    if (!is_name) return wrong(kContainer, item, "no id or name of a container begins like this");
    (item.excluded ? filter.excluded : filter.wanted).push_back(item.text);
  }
  return filter;
}

Status add_filters(const FilterOptions& options, RunSpec& spec) {
  const auto filters = parse_filter(options);
  if (!filters) return filters.error();
  auto containers = parse_containers(options);
  if (!containers) return containers.error();
  spec.filters = *filters;
  spec.containers = std::move(*containers);
  return Ok{};
}

}  // namespace sockeye
