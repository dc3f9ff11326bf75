// SPDX-License-Identifier: Apache-2.0
// What src/cli/counts_text.cpp and groups_text.cpp write as JSON, described. tests/support/schema_test.py compares
// their golden files with it.
#include "aggregate/socket_groups.h"
#include "docs/json_shape.h"
#include "event/section_fields.h"

namespace sockeye {
namespace {

// A number for each state. NEW_SYN_RECV is counted as SYN_RECV.
std::vector<JsonMember> states(bool is_signed, bool may_be_left_out) {
  std::vector<JsonMember> members;
  for (const EnumValue& state : kTcpStates) {
    if (state.value == TCP_NEW_SYN_RECV) continue;
    if (may_be_left_out && state.value == TCP_CLOSE) continue;
    members.push_back({.key = std::string(state.name),
                       .type = JsonType::kNumber,
                       .is_signed = is_signed,
                       .may_be_left_out = may_be_left_out});
  }
  return members;
}

std::vector<JsonMember> all_states() {
  std::vector<JsonMember> members = states(true, false);
  for (JsonMember& member : members) {
    if (member.key == "CLOSE") member.type = JsonType::kNull;
  }
  return members;
}

JsonMember number(const char* key, std::string_view meaning, std::string_view unit = {}) {
  return {.key = key, .type = JsonType::kNumber, .unit = unit, .meaning = meaning};
}

// Of the four keys that a group may have, one is there: that which `by` names.
std::vector<JsonMember> group_members() {
  const std::string there = "there where `by` says so; null where `group` is there";
  const auto key = [&](GroupBy by, JsonType type, std::string_view meaning) {
    return JsonMember{.key = std::string(name_of(by)),
                      .type = type,
                      .meaning = meaning,
                      .there = there,
                      .may_be_null = true,
                      .may_be_left_out = true,
                      .is_alternative = true};
  };
  return {
      key(GroupBy::kComm, JsonType::kText, "name of the owner"),
      key(GroupBy::kContainer, JsonType::kText, "container id of the owner"),
      key(GroupBy::kNetns, JsonType::kNumber, "inode number of the network namespace"),
      key(GroupBy::kPort, JsonType::kNumber, "port of the service"),
      {.key = "container_name",
       .type = JsonType::kText,
       .meaning = "name of the container",
       .there = "beside `container`, where somebody tells it",
       .may_be_left_out = true},
      {.key = "container_user",
       .type = JsonType::kText,
       .meaning =
           "who says that it is this container, which need not be true: the uid of a user that may make such cgroups, "
           "or `unknown`",
       .there = "beside `container`, where not only root may",
       .may_be_left_out = true},
      {.key = "netns_cookie",
       .type = JsonType::kDigits,
       .meaning = "cookie of the network namespace, which does not recycle",
       .there = "beside `netns`; null: the kernel has not given it one",
       .may_be_null = true,
       .may_be_left_out = true},
      {.key = "group",
       .type = JsonType::kWord,
       .meaning = "which group without a key it is",
       .there = "omitted if the group has a key",
       .may_be_left_out = true,
       .words = {{"unknown", "no owner is known"},
                 {"kernel", "sockets of the kernel's own"},
                 {"no_container", "of processes that run in none"},
                 {"other", "groups that there was no room for"}}},
      {.key = "sockets",
       .type = JsonType::kObject,
       .meaning = "sockets by state, as they were visited",
       .members = states(false, true)},
      number("total", "all of them"),
  };
}

}  // namespace

JsonShape counts_shape() {
  const std::string with_by = "with `--by`";
  return {
      .event = "counts",
      .what = "TCP sockets per state now, in all network namespaces",
      .members = {
          {.key = "time", .type = JsonType::kTime, .unit = "RFC 3339", .meaning = "when they were read, wall clock"},
          number("timestamp_ns", "when they were read, CLOCK_BOOTTIME", "ns"),
          {.key = "sockets",
           .type = JsonType::kObject,
           .meaning = "sockets by state; closed ones cannot be counted: CLOSE is null",
           .members = all_states()},
          {.key = "drift",
           .type = JsonType::kObject,
           .meaning = "what the counters were off by, counted minus there; states that were right are left out",
           .there = "null if it is not known",
           .may_be_null = true,
           .members = states(true, true)},
          {.key = "drift_unknown",
           .type = JsonType::kText,
           .meaning = "why the drift is not known",
           .there = "omitted if known",
           .may_be_left_out = true},
          number("iterated_age_ms", "how long ago the visit of all sockets began", "ms"),
          number("namespaces", "network namespaces that were visited"),
          {.key = "by",
           .type = JsonType::kWord,
           .meaning = "what a group has in common",
           .there = with_by,
           .may_be_left_out = true,
           .words = {{name_of(GroupBy::kComm), {}},
                     {name_of(GroupBy::kContainer), {}},
                     {name_of(GroupBy::kNetns), {}},
                     {name_of(GroupBy::kPort), {}}}},
          {.key = "groups",
           .type = JsonType::kObjects,
           .meaning = "most sockets first, `other` last",
           .there = with_by,
           .may_be_left_out = true,
           .members = group_members()},
          {.key = "groups_folded",
           .type = JsonType::kNumber,
           .meaning = "groups that are in `other`",
           .there = with_by,
           .may_be_left_out = true},
      }};
}

}  // namespace sockeye
