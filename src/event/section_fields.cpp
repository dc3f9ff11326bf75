// SPDX-License-Identifier: Apache-2.0
#include "event/section_fields.h"

#include <algorithm>
#include <array>

#include "event/context.h"
#include "event/wire.h"

namespace sockeye {
namespace {

using When = Presence::When;

constexpr EnumValue kOwnerSources[] = {
    {OWNER_UNKNOWN, "unknown", "nobody is known"},
    {OWNER_CONNECT, "connect", "called connect()"},
    {OWNER_LISTEN, "listen", "called listen()"},
    {OWNER_INHERITED, "inherited", "that of the listener it came from; nobody has touched it yet"},
    {OWNER_ACCEPT, "accept", "accepted it"},
    {OWNER_USE, "use", "the last seen to send, receive, shut down or close"},
    {OWNER_SNAPSHOT, "snapshot", "held it when open files were visited: at the start, or after an owner had ended"},
    {OWNER_KERNEL, "kernel", "a socket of the kernel's own: there is no process"},
    {OWNER_ITSELF, "itself", "the event is its own"},
};
constexpr EnumValue kRoles[] = {
    {ROLE_UNKNOWN, "unknown", "not known"},
    {ROLE_CLIENT, "client", "it called connect()"},
    {ROLE_SERVER, "server", "it came out of a listener"},
    {ROLE_LISTENER, "listener", "it listens"},
};
constexpr EnumValue kFamilies[] = {{AF_INET, "ipv4", "IPv4"}, {AF_INET6, "ipv6", "IPv6"}};

// The words are those that scripts know from the line format.
constexpr EnumValue kStates[] = {
    {TCP_ESTABLISHED, "ESTABLISHED", "Connected (ESTABLISHED)", Colour::kGreen},
    {TCP_SYN_SENT, "SYN_SENT", "Connecting (SYN_SENT)", Colour::kYellow},
    {TCP_SYN_RECV, "SYN_RECV", "Handshake (SYN_RECV)", Colour::kYellow},
    {TCP_FIN_WAIT1, "FIN_WAIT1", "Connection Closing (FIN_WAIT1)", Colour::kMagenta},
    {TCP_FIN_WAIT2, "FIN_WAIT2", "Waiting (FIN_WAIT2)", Colour::kMagenta},
    {TCP_TIME_WAIT, "TIME_WAIT", "Cooldown (TIME_WAIT)", Colour::kGrey},
    {TCP_CLOSE, "CLOSE", "Closed (CLOSE)", Colour::kGrey},
    {TCP_CLOSE_WAIT, "CLOSE_WAIT", "Remote Closed (CLOSE_WAIT)", Colour::kRed},
    {TCP_LAST_ACK, "LAST_ACK", "Final Close (LAST_ACK)", Colour::kMagenta},
    {TCP_LISTEN, "LISTEN", "Listening (LISTEN)", Colour::kBlue},
    {TCP_CLOSING, "CLOSING", "Closing (CLOSING)", Colour::kMagenta},
    {TCP_NEW_SYN_RECV, "SYN_RECV", "Handshake (SYN_RECV)", Colour::kYellow},
};

#define MEMBER(member) SOCKEYE_MEMBER(socket_event, member)

constexpr Presence kIfNonZero = {.when = When::kNonZero};
constexpr Presence kIfNonZeroElseGone = {.when = When::kNonZero, .omit_key = true};
constexpr Presence kIfKnownElseGone = {.omit_key = true};

constexpr Presence if_differs(When when, uint16_t other) { return {.when = when, .other = other, .omit_key = true}; }

constexpr uint16_t kScope = offsetof(socket_event, socket.scope_id);

// As an array: of it another is made.
constexpr auto kFields = std::to_array<Field>({
    {.name = "time",
     .type = FieldType::kTime,
     MEMBER(header.time_ns),
     .unit = "RFC 3339",
     .meaning = "when it happened, wall clock"},
    {.name = "timestamp_ns",
     .type = FieldType::kUnsigned,
     MEMBER(header.time_ns),
     .unit = "ns",
     .meaning = "when it happened, CLOCK_BOOTTIME"},
    {.name = "late",
     .type = FieldType::kLate,
     .meaning = "true: events with a later time went out before it",
     .presence = kIfKnownElseGone},
    {.name = "pid",
     .type = FieldType::kUnsigned,
     MEMBER(owner.pid),
     .meaning = "process that owns the socket, in the initial pid namespace",
     .presence = kIfNonZero},
    {.name = "tid",
     .type = FieldType::kUnsigned,
     MEMBER(owner.tid),
     .meaning = "its thread that acted",
     .presence = kIfNonZero},
    {.name = "ppid",
     .type = FieldType::kUnsigned,
     MEMBER(owner.ppid),
     .meaning = "parent of the owner",
     .presence = kIfNonZero},
    {.name = "uid",
     .type = FieldType::kUnsigned,
     MEMBER(owner.uid),
     .meaning = "real user id of the owner",
     .presence = {.when = When::kFlagSet, .other = offsetof(socket_event, owner.source), .mask = 0xff}},
    {.name = "comm",
     .type = FieldType::kText,
     MEMBER(owner.comm),
     .meaning = "name of the owner (thread group leader)",
     .presence = kIfNonZero},
    {.name = "thread",
     .type = FieldType::kText,
     MEMBER(owner.thread),
     .meaning = "name of the thread, where it differs",
     .presence = if_differs(When::kDiffersAndNonZero, offsetof(socket_event, owner.comm))},
    {.name = "owner_source",
     .type = FieldType::kEnum,
     MEMBER(owner.source),
     .meaning = "how the owner is known",
     .values = kOwnerSources},
    {.name = "ns_pid",
     .type = FieldType::kUnsigned,
     MEMBER(owner.ns_pid),
     .meaning = "pid of the owner in its own pid namespace, where it differs",
     .presence = if_differs(When::kDiffersAndNonZero, offsetof(socket_event, owner.pid))},
    {.name = "task_pid",
     .type = FieldType::kUnsigned,
     MEMBER(context.pid),
     .meaning = "process that was on the CPU, where it is not the owner",
     .presence = if_differs(When::kDiffers, offsetof(socket_event, owner.pid))},
    {.name = "task_comm",
     .type = FieldType::kText,
     MEMBER(context.comm),
     .meaning = "name of the thread that was on the CPU, where it differs",
     .presence = if_differs(When::kDiffers, offsetof(socket_event, owner.thread))},
    {.name = "laddr", .type = FieldType::kAddress, MEMBER(socket.laddr), .meaning = "local address", .scope = kScope},
    {.name = "lport",
     .type = FieldType::kUnsigned,
     MEMBER(socket.lport),
     .meaning = "local port; null: not known",
     .presence = kIfNonZero},
    {.name = "raddr", .type = FieldType::kAddress, MEMBER(socket.raddr), .meaning = "remote address", .scope = kScope},
    {.name = "rport", .type = FieldType::kUnsigned, MEMBER(socket.rport), .meaning = "remote port; 0 on a listener"},
    {.name = "saddr",
     .type = FieldType::kAddress,
     MEMBER(socket.laddr),
     .meaning = "address printed as SRC",
     .scope = kScope},
    {.name = "sport",
     .type = FieldType::kUnsigned,
     MEMBER(socket.lport),
     .meaning = "port printed as SRC",
     .presence = kIfNonZero},
    {.name = "daddr",
     .type = FieldType::kAddress,
     MEMBER(socket.raddr),
     .meaning = "address printed as DST",
     .scope = kScope},
    {.name = "dport", .type = FieldType::kUnsigned, MEMBER(socket.rport), .meaning = "port printed as DST"},
    {.name = "family",
     .type = FieldType::kEnum,
     MEMBER(socket.family),
     .meaning = "family of the socket; an ipv6 socket may carry IPv4",
     .values = kFamilies},
    {.name = "role",
     .type = FieldType::kEnum,
     MEMBER(socket.role),
     .meaning = "what this end of the connection is",
     .values = kRoles},
    {.name = "mptcp",
     .type = FieldType::kFlag,
     MEMBER(socket.flags),
     .meaning = "true: a subflow of MPTCP",
     .presence = {.when = When::kFlagSet,
                  .other = offsetof(socket_event, socket.flags),
                  .mask = SOCKET_MPTCP,
                  .omit_key = true},
     .mask = SOCKET_MPTCP},
    {.name = "netns",
     .type = FieldType::kUnsigned,
     MEMBER(socket.netns),
     .meaning = "inode number of the network namespace",
     .presence = kIfNonZero},
    {.name = "netns_cookie",
     .type = FieldType::kId,
     MEMBER(socket.netns_cookie),
     .meaning = "cookie of the network namespace, which does not recycle",
     .presence = kIfNonZeroElseGone},
    {.name = "cookie",
     .type = FieldType::kId,
     MEMBER(socket.cookie),
     .meaning = "cookie of the socket, which does not recycle; null: the kernel gave it none",
     .presence = {.when = When::kNonZero, .is_none = true}},
    {.name = "cgroup_id",
     .type = FieldType::kUnsigned,
     MEMBER(owner.cgroup_id),
     .meaning = "cgroup of the owner",
     .presence = kIfNonZero},
    {.name = "container",
     .type = FieldType::kContext,
     .meaning = "container id of the owner",
     .presence = kIfKnownElseGone,
     .context = &Context::container},
    {.name = "container_name",
     .type = FieldType::kContext,
     .meaning = "name of the container; in a Kubernetes pod as the pod's specification spells it",
     .presence = kIfKnownElseGone,
     .context = &Context::container_name},
    {.name = "container_image",
     .type = FieldType::kContext,
     .meaning = "image of the container as it was asked for",
     .presence = kIfKnownElseGone,
     .context = &Context::container_image},
    {.name = "container_user",
     .type = FieldType::kContext,
     .meaning =
         "who says that the owner is in this container and pod, which need not be true: the uid of a user that may "
         "make such cgroups, or `unknown`; left out where only root may",
     .presence = kIfKnownElseGone,
     .context = &Context::container_user},
    {.name = "pod_uid",
     .type = FieldType::kContext,
     .meaning = "Kubernetes pod uid of the owner",
     .presence = kIfKnownElseGone,
     .context = &Context::pod},
    {.name = "pod",
     .type = FieldType::kContext,
     .meaning = "name of the pod (Kubernetes, Podman)",
     .presence = kIfKnownElseGone,
     .context = &Context::pod_name},
    {.name = "pod_namespace",
     .type = FieldType::kContext,
     .meaning = "Kubernetes namespace of the pod",
     .presence = kIfKnownElseGone,
     .context = &Context::pod_namespace},
    {.name = "unit",
     .type = FieldType::kContext,
     .meaning = "systemd unit of the owner",
     .presence = kIfKnownElseGone,
     .context = &Context::unit},
});

#undef MEMBER

constexpr size_t kSocket = offsetof(socket_event, socket), kOwner = offsetof(socket_event, owner);

constexpr bool is_of_socket(const Field& field) {
  return field.size > 0 && field.offset >= kSocket && field.offset < kOwner;
}

// Of an event that need not be of one socket: what is of the socket is there where it has a family.
constexpr Field if_any(Field field) {
  if (is_of_socket(field) && field.presence.when == When::kAlways)
    field.presence = {.when = When::kFlagSet, .other = offsetof(socket_event, socket.family), .mask = 0xff};
  if (field.name == "owner_source") field.presence = kIfNonZero;
  return field;
}

constexpr auto kFieldsIfAny = [] {
  auto fields = kFields;
  for (Field& field : fields) field = if_any(field);
  return fields;
}();

// Where a member of struct socket_event behind its socket lies in struct owner_event.
constexpr uint16_t without_socket(uint16_t offset) {
  return static_cast<uint16_t>(offset < kOwner ? offset : offset - (kOwner - offsetof(owner_event, owner)));
}

constexpr size_t kNotOfSocket = static_cast<size_t>(
    std::count_if(kFields.begin(), kFields.end(), [](const Field& field) { return !is_of_socket(field); }));

constexpr auto kFieldsOfOwner = [] {
  std::array<Field, kNotOfSocket> fields = {};
  size_t n = 0;
  for (Field field : kFields) {
    if (is_of_socket(field)) continue;
    field.offset = without_socket(field.offset);
    field.presence.other = without_socket(field.presence.other);
    fields[n++] = field;
  }
  return fields;
}();

}  // namespace

constinit const std::span<const Field> kSocketFields = kFields;
constinit const std::span<const Field> kOwnerFields = kFieldsOfOwner;
constinit const std::span<const Field> kSocketFieldsIfAny = kFieldsIfAny;
constinit const std::span<const EnumValue> kTcpStates = kStates;

}  // namespace sockeye
