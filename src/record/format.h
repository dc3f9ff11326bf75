// SPDX-License-Identifier: Apache-2.0
// A recording, byte by byte. All numbers are little-endian, as the events in it are.
//
//   file   = FileHeader block*
//   block  = BlockHeader, one zstd frame (RFC 8878) with its content's size and checksum
//   what the frame holds = (EntryHeader payload padding-to-8)*
//
// Every block can be read without those before it: contexts are numbered anew in each, and it begins with a clock
// point. The first block begins with what made the recording (kRun). So a file that was cut off is readable to its
// last whole block. The promise of versions is in docs/recordings.md.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "event/context.h"

namespace sockeye::record {

static_assert(std::endian::native == std::endian::little, "recordings are little-endian");

// As PNG's: what strips the eighth bit, or turns CR LF into LF or back, or shows the file in a DOS shell, breaks it.
inline constexpr char kMagic[8] = {'\x89', 'S', 'K', 'Y', '\r', '\n', '\x1a', '\n'};
inline constexpr uint32_t kBlockMagic = 0x4b4c4253;  // "SBLK"

struct FileHeader {
  char magic[8];
  uint32_t version;   // of the format: one that is not in kVersions is refused
  uint32_t reserved;  // 0
};
static_assert(sizeof(FileHeader) == 16);

struct BlockHeader {
  uint32_t magic;
  uint32_t compressed_size;  // bytes of the frame that follows
  uint32_t raw_size;         // bytes of what it holds, at most kMaxRaw
  uint32_t entries;          // of them
  uint64_t position;         // of this header in the file: a block that was moved or lost shows
  uint64_t reserved;         // 0
};
static_assert(sizeof(BlockHeader) == 32);

inline constexpr uint32_t kMaxRaw = 1 << 20;
inline constexpr uint32_t kMaxCompressed = kMaxRaw + kMaxRaw / 128 + 1024;  // above what zstd ever makes of kMaxRaw
inline constexpr uint32_t kMaxContexts = 4096;                              // in a block
inline constexpr uint32_t kMaxTypes = 256;
inline constexpr uint32_t kMaxFacts = 32;
inline constexpr size_t kMaxFact = 512;  // bytes of a fact's name or value
inline constexpr size_t kMaxTypeName = 64;
inline constexpr uint32_t kMaxInterfaces = 256;  // in a block
inline constexpr size_t kMaxInterface = 64;      // bytes of an interface's name; the kernel's have 15
inline constexpr size_t kMaxText = 8191;  // bytes of a member of a context; a longer one is cut when it is written

enum class EntryType : uint8_t {
  kRun = 1,        // RunStart, facts, types: what made the recording
  kContext = 2,    // value: its number, counted from 1 in each block; facts: members of Context that are not empty
  kEvent = 3,      // value: number of its context, 0: none; the event's bytes, gap events among them
  kClock = 4,      // ClockPoint: holds for what follows
  kTick = 5,       // u64 boot ns: a second without anything else to tell of
  kEnd = 6,        // RunEnd, end_event, u64 losses by reason: the recording is whole
  kInterface = 7,  // InterfaceStart, a name: what a namespace calls an interface in what follows in this block
};

inline constexpr uint8_t kLateFlag = 1;  // kEvent: events with a later time had gone out before

struct EntryHeader {
  uint8_t type;   // EntryType; one that is not known is passed over
  uint8_t flags;  // kLateFlag
  uint16_t size;  // of the payload, without padding
  uint32_t value;
};
static_assert(sizeof(EntryHeader) == 8);

struct RunStart {
  uint64_t boot_ns;  // when it began
  uint32_t facts;    // so many pairs of texts follow: u16 size of name, u16 size of value, name, value
  uint32_t types;    // and so many TypeEntry, each with its name behind it
};
static_assert(sizeof(RunStart) == 16);

// A kind of event by its name: numbers of kinds mean nothing to another version.
struct TypeEntry {
  uint16_t kind;  // event_header.kind in this recording
  uint16_t size;  // of its struct in the version that recorded it
  uint16_t name_size;
  uint16_t reserved;
};
static_assert(sizeof(TypeEntry) == 8);

struct InterfaceStart {
  uint32_t netns;  // socket_id.netns and socket_id.scope_id of events
  uint32_t index;
};
static_assert(sizeof(InterfaceStart) == 8);

struct ClockPoint {
  uint64_t boot_ns;
  int64_t offset_ns;  // wall time minus boot time
};
static_assert(sizeof(ClockPoint) == 16);

struct RunEnd {
  uint32_t end_size;  // bytes of the end_event that follows
  uint32_t reasons;   // numbers after it, in the order of LossReason
};
static_assert(sizeof(RunEnd) == 8);

// The members of Context as recordings name them. A name once given never changes.
struct ContextMember {
  std::string_view name;
  std::string Context::*member;
};
inline constexpr ContextMember kContextMembers[] = {
    {"container", &Context::container},
    {"runtime", &Context::runtime},
    {"pod", &Context::pod},
    {"unit", &Context::unit},
    {"cgroup_path", &Context::cgroup_path},
    {"container_name", &Context::container_name},
    {"container_image", &Context::container_image},
    {"pod_name", &Context::pod_name},
    {"pod_namespace", &Context::pod_namespace},
    {"container_user", &Context::container_user},
};
static_assert(sizeof(Context) == std::size(kContextMembers) * sizeof(std::string), "a member is not recorded");

inline constexpr size_t padded(size_t size) { return (size + 7) & ~size_t{7}; }

}  // namespace sockeye::record
