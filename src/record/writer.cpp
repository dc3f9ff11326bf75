// SPDX-License-Identifier: Apache-2.0
#include "record/writer.h"

#include <zstd.h>

#include <algorithm>
#include <cstring>

#include "record/versions.h"

namespace sockeye::record {
namespace {

// Blocks of 256 KiB stay in the processor's cache while they are made. Measured on a million rows of `states`: a level
// above 1 costs more CPU than everything else that is done for a row.
constexpr size_t kBlockBytes = 256 * 1024;
constexpr int kLevel = 1;
constexpr size_t kSlots = 16384;  // of known_: at most a quarter is in use, as a block has kMaxContexts
// More than a clock point, a tick or the end takes.
constexpr size_t kReserve = 1024;

std::string_view cut(std::string_view text) { return text.substr(0, kMaxText); }

size_t fact_bytes(std::string_view name, std::string_view value) { return 4 + cut(name).size() + cut(value).size(); }

std::byte* put(std::byte* at, const void* bytes, size_t size) {
  memcpy(at, bytes, size);
  return at + size;
}

std::byte* put_fact(std::byte* at, std::string_view name, std::string_view value) {
  const uint16_t sizes[2] = {static_cast<uint16_t>(cut(name).size()), static_cast<uint16_t>(cut(value).size())};
  at = put(at, sizes, sizeof sizes);
  at = put(at, name.data(), sizes[0]);
  return put(at, value.data(), sizes[1]);
}

// Calls `visit` with what is written of a context: what is not empty. All that may be in one that was read has room.
template <typename Visit>
void for_each_member(const Context& context, Visit visit) {
  size_t room = UINT16_MAX;
  for (const ContextMember& member : kContextMembers) {
    const std::string& text = context.*member.member;
    const size_t size = fact_bytes(member.name, text);
    if (text.empty() || size > room) continue;
    room -= size;
    visit(member.name, text);
  }
}

size_t context_bytes(const Context& context) {
  size_t size = 0;
  for_each_member(context, [&](std::string_view name, std::string_view text) { size += fact_bytes(name, text); });
  return size;
}

// Facts may be another recording's: what this reader takes is all that is written.
RunFacts bounded(RunFacts facts) {
  if (facts.size() > kMaxFacts) facts.resize(kMaxFacts);
  for (auto& [name, value] : facts) {
    if (name.size() > kMaxFact) name.resize(kMaxFact);
    if (value.size() > kMaxFact) value.resize(kMaxFact);
  }
  return facts;
}

}  // namespace

void Writer::Free::operator()(ZSTD_CCtx_s* context) const { ZSTD_freeCCtx(context); }

Writer::Writer(RunFacts facts, std::vector<const EventType*> types)
    : facts_(bounded(std::move(facts))),
      types_(std::move(types)),
      zstd_(ZSTD_createCCtx()),
      raw_(new std::byte[kBlockBytes]),
      sealed_(new char[sizeof(FileHeader) + sizeof(BlockHeader) + ZSTD_compressBound(kBlockBytes)]),
      known_(kSlots) {
  told_.reserve(kMaxInterfaces);
  ZSTD_CCtx_setParameter(zstd_.get(), ZSTD_c_compressionLevel, kLevel);
  ZSTD_CCtx_setParameter(zstd_.get(), ZSTD_c_checksumFlag, 1);
}

Writer::~Writer() = default;

bool Writer::is_full() const { return kBlockBytes - used_ < kReserve; }

void Writer::set_clock(uint64_t boot_ns, int64_t offset_ns) {
  const bool changed = offset_ns != clock_.offset_ns;
  clock_ = {boot_ns, offset_ns};
  if (is_empty()) {
    begin_block();
  } else if (changed) {
    add_clock_point();
  }
}

void Writer::begin_block() {
  if (position_ == 0) add_run();
  add_clock_point();
}

std::byte* Writer::add_entry(EntryType type, uint8_t flags, uint32_t value, size_t size) {
  const EntryHeader header{static_cast<uint8_t>(type), flags, static_cast<uint16_t>(size), value};
  std::byte* at = put(raw_.get() + used_, &header, sizeof header);
  memset(at + size, 0, padded(size) - size);
  used_ += sizeof header + padded(size);
  ++entries_;
  return at;
}

void Writer::add_clock_point() { put(add_entry(EntryType::kClock, 0, 0, sizeof clock_), &clock_, sizeof clock_); }

void Writer::add_run() {
  RunStart start{clock_.boot_ns, static_cast<uint32_t>(facts_.size()), static_cast<uint32_t>(types_.size())};
  size_t size = sizeof start;
  for (const auto& [name, value] : facts_) size += fact_bytes(name, value);
  for (const EventType* type : types_) size += sizeof(TypeEntry) + cut(type->name).size();
  std::byte* at = put(add_entry(EntryType::kRun, 0, 0, size), &start, sizeof start);
  for (const auto& [name, value] : facts_) at = put_fact(at, name, value);
  for (const EventType* type : types_) {
    const std::string_view name = cut(type->name);
    const TypeEntry entry{type->kind, type->size, static_cast<uint16_t>(name.size()), 0};
    at = put(put(at, &entry, sizeof entry), name.data(), name.size());
  }
}

// Where the context has its place: the entry that has its number, or a free one.
Writer::Known* Writer::known(const Context* context) {
  // Pointers of one table: their low bits are alike. The factor is that of Fibonacci hashing (Knuth, TAOCP 6.4).
  size_t slot = (reinterpret_cast<uintptr_t>(context) * 0x9e3779b97f4a7c15) >> 50;
  while (known_[slot].generation == generation_ && known_[slot].context != context) slot = (slot + 1) % kSlots;
  return &known_[slot];
}

void Writer::add_context(const Context& context) {
  std::byte* at = add_entry(EntryType::kContext, 0, ++contexts_, context_bytes(context));
  for_each_member(context, [&](std::string_view name, std::string_view text) { at = put_fact(at, name, text); });
}

// By what it was called last.
bool Writer::is_told(const InterfaceName& interface) const {
  const auto found = std::find_if(told_.rbegin(), told_.rend(), [&](const InterfaceName& told) {
    return told.netns == interface.netns && told.index == interface.index;
  });
  return found != told_.rend() && found->name == interface.name;
}

void Writer::add_interface(const InterfaceName& interface) {
  const std::string_view name = std::string_view(interface.name).substr(0, kMaxInterface);
  const InterfaceStart start{interface.netns, interface.index};
  std::byte* at = add_entry(EntryType::kInterface, 0, 0, sizeof start + name.size());
  put(put(at, &start, sizeof start), name.data(), name.size());
  told_.push_back(interface);
}

bool Writer::add(const Event& event) {
  Known* context = event.context ? known(event.context) : nullptr;
  const bool is_new = context && context->generation != generation_;
  size_t need = kReserve + sizeof(EntryHeader) + padded(event.header->size);
  if (is_new) need += sizeof(EntryHeader) + padded(context_bytes(*event.context));
  const bool is_unnamed = event.interface && told_.size() < kMaxInterfaces && !is_told(*event.interface);
  if (is_unnamed) need += sizeof(EntryHeader) + sizeof(InterfaceStart) + kMaxInterface;
  if (need > kBlockBytes - used_ || (is_new && contexts_ == kMaxContexts)) return false;
  if (is_empty()) begin_block();
  if (is_new) {
    add_context(*event.context);
    *context = {event.context, generation_, contexts_};
  }
  if (is_unnamed) add_interface(*event.interface);
  const uint32_t number = context ? context->number : 0;
  std::byte* at = add_entry(EntryType::kEvent, event.late ? kLateFlag : 0, number, event.header->size);
  put(at, event.header, event.header->size);
  if (event.type != &kGapType) ++events_;
  return true;
}

void Writer::add_tick(uint64_t boot_ns) {
  if (is_empty()) begin_block();
  put(add_entry(EntryType::kTick, 0, 0, sizeof boot_ns), &boot_ns, sizeof boot_ns);
}

void Writer::add_end(const end_event& end, const Losses& losses) {
  if (is_empty()) begin_block();
  const RunEnd head{sizeof end, kLossReasons};
  const size_t size = sizeof head + sizeof end + sizeof losses.count;
  std::byte* at = put(add_entry(EntryType::kEnd, 0, 0, size), &head, sizeof head);
  put(put(at, &end, sizeof end), losses.count.data(), sizeof losses.count);
}

std::string_view Writer::seal() {
  char* at = sealed_.get();
  if (position_ == 0) {
    FileHeader file{{}, kCurrentVersion, 0};
    memcpy(file.magic, kMagic, sizeof kMagic);
    memcpy(at, &file, sizeof file);
    at += sizeof file;
  }
  const size_t frame =
      ZSTD_compress2(zstd_.get(), at + sizeof(BlockHeader), ZSTD_compressBound(used_), raw_.get(), used_);
  const BlockHeader header{.magic = kBlockMagic,
                           .compressed_size = static_cast<uint32_t>(frame),
                           .raw_size = static_cast<uint32_t>(used_),
                           .entries = entries_,
                           .position = position_ + static_cast<uint64_t>(at - sealed_.get()),
                           .reserved = 0};
  memcpy(at, &header, sizeof header);
  sealed_size_ = static_cast<size_t>(at - sealed_.get()) + sizeof header + frame;
  used_ = entries_ = contexts_ = 0;
  told_.clear();
  events_ = 0;
  ++generation_;
  return {sealed_.get(), sealed_size_};
}

void Writer::sealed_block_was(bool written) {
  if (written) position_ += sealed_size_;
}

}  // namespace sockeye::record
