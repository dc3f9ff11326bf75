// SPDX-License-Identifier: Apache-2.0
#include "record/reader.h"

#include <zstd.h>

#include <algorithm>
#include <cstring>

#include "event/event.h"
#include "event/wire.h"
#include "record/versions.h"

namespace sockeye::record {
namespace {

// Structs out of bytes that may end anywhere.
class Bytes {
 public:
  explicit Bytes(std::span<const std::byte> bytes) : rest_(bytes) {}

  template <typename Struct>
  bool take(Struct& value) {
    if (rest_.size() < sizeof value) return false;
    memcpy(&value, rest_.data(), sizeof value);
    rest_ = rest_.subspan(sizeof value);
    return true;
  }
  bool take(std::string_view& text, size_t size) {
    if (rest_.size() < size) return false;
    text = {reinterpret_cast<const char*>(rest_.data()), size};
    rest_ = rest_.subspan(size);
    return true;
  }
  bool take_fact(std::string_view& name, std::string_view& value) {
    uint16_t sizes[2];
    return take(sizes) && take(name, sizes[0]) && take(value, sizes[1]);
  }
  bool is_empty() const { return rest_.empty(); }

 private:
  std::span<const std::byte> rest_;
};

// The bytes of a frame's header descriptor (RFC 8878 section 3.1.1.1.1) that the writer never sets or always does: a
// checksum, no dictionary, nothing reserved.
bool is_plain_frame(const std::byte* frame, size_t size) {
  constexpr size_t kDescriptor = 4;  // after the magic
  if (size <= kDescriptor) return false;
  const auto bits = std::to_integer<unsigned>(frame[kDescriptor]);
  return (bits & 0x04) != 0 && (bits & 0x1b) == 0;
}

bool is_type_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxTypeName &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
}

bool has_kind(const std::vector<RecordedType>& types, uint16_t kind) {
  return std::any_of(types.begin(), types.end(), [kind](const RecordedType& type) { return type.kind == kind; });
}

// What was long once does not stay so for ever.
void clear(std::string& text) {
  constexpr size_t kUsual = 512;
  if (text.capacity() > kUsual) text = std::string();
  text.clear();
}

constexpr const char* kCutEntry = "an entry is cut off";

}  // namespace

std::string_view Run::fact(std::string_view name) const {
  for (const auto& [known, value] : facts) {
    if (known == name) return value;
  }
  return {};
}

void Reader::Free::operator()(ZSTD_DCtx_s* context) const { ZSTD_freeDCtx(context); }

Reader::Reader(std::unique_ptr<Input> input)
    : input_(std::move(input)), zstd_(ZSTD_createDCtx()), raw_(new std::byte[kMaxRaw]) {
  contexts_.reserve(kMaxContexts);
  interfaces_.reserve(kMaxInterfaces);
}

Reader::~Reader() = default;

// Until `size` bytes of the block are there: kBlock.
Reader::Step Reader::fill(size_t size) {
  if (bytes_.size() < size) bytes_.resize(size);
  while (have_ < size) {
    const ssize_t n = input_->read(std::span(bytes_).subspan(have_, size - have_));
    if (n == Input::kNothingYet) return Step::kNothingYet;
    if (n < 0) return fail("it cannot be read: " + errno_text(errno));
    if (n == 0 && have_ == 0 && is_begun_ && blocks_ > 0) return Step::kEnd;
    if (n == 0) return fail(position_ == 0 && have_ == 0 ? "it is empty" : "it ends in the middle of a block");
    have_ += static_cast<size_t>(n);
  }
  return Step::kBlock;
}

Reader::Step Reader::fail(std::string why) {
  damage_ = Damage{position_, blocks_, std::move(why)};
  return Step::kDamaged;
}

Reader::Step Reader::read_file_header() {
  FileHeader header;
  const Step step = fill(sizeof header);
  const size_t known = std::min(have_, sizeof kMagic);
  if (step == Step::kDamaged && (have_ == 0 || memcmp(bytes_.data(), kMagic, known) == 0)) return step;
  if (step == Step::kNothingYet) return step;
  memcpy(&header, bytes_.data(), sizeof header);
  if (memcmp(header.magic, kMagic, sizeof kMagic) != 0) {
    const bool was_text = have_ >= 4 && (memcmp(header.magic + 1, kMagic + 1, 3) == 0);
    return fail(was_text ? "it was sent as text, which has changed it" : "it is not a sockeye recording");
  }
  const bool is_known = std::any_of(std::begin(kVersions), std::end(kVersions),
                                    [&](const Version& version) { return version.number == header.version; });
  if (!is_known) {
    return fail("its format " + std::to_string(header.version) + " is not known; this sockeye reads up to format " +
                std::to_string(kCurrentVersion));
  }
  if (header.reserved != 0) return fail("its header is damaged");
  is_begun_ = true;
  position_ = sizeof header;
  have_ = 0;
  return Step::kBlock;
}

Reader::Step Reader::next_block() {
  raw_size_ = at_ = 0;
  if (damage_) return Step::kDamaged;
  if (!is_begun_) {
    if (const Step step = read_file_header(); step != Step::kBlock) return step;
  }
  BlockHeader header;
  if (const Step step = fill(sizeof header); step != Step::kBlock) return step;
  memcpy(&header, bytes_.data(), sizeof header);
  if (std::string why = wrong_header(header); !why.empty()) return fail(std::move(why));
  if (const Step step = fill(sizeof header + header.compressed_size); step != Step::kBlock) return step;
  if (std::string why = unpack(header); !why.empty()) return fail(std::move(why));
  if (std::string why = check_block(header.entries); !why.empty()) return fail(std::move(why));
  raw_size_ = header.raw_size;
  position_ += have_;
  have_ = 0;
  ++blocks_;
  return Step::kBlock;
}

std::string Reader::wrong_header(const BlockHeader& header) const {
  if (header.magic != kBlockMagic) {
    return memcmp(&header, kMagic, sizeof kMagic) == 0 ? "another recording begins here" : "no block begins here";
  }
  if (header.position != position_) return "this block belongs to another place";
  if (header.raw_size == 0 || header.raw_size > kMaxRaw || header.compressed_size == 0 ||
      header.compressed_size > kMaxCompressed || header.entries > header.raw_size / sizeof(EntryHeader) ||
      header.reserved != 0) {
    return "the header of the block makes no sense";
  }
  return {};
}

std::string Reader::unpack(const BlockHeader& header) {
  const std::byte* frame = bytes_.data() + sizeof header;
  const size_t size = header.compressed_size;
  if (!is_plain_frame(frame, size) || ZSTD_getFrameContentSize(frame, size) != header.raw_size ||
      ZSTD_findFrameCompressedSize(frame, size) != size) {
    return "the frame of the block is damaged";
  }
  const size_t unpacked = ZSTD_decompressDCtx(zstd_.get(), raw_.get(), kMaxRaw, frame, size);
  if (ZSTD_isError(unpacked)) return std::string("the block does not unpack: ") + ZSTD_getErrorName(unpacked);
  raw_size_ = unpacked;
  return unpacked == header.raw_size ? "" : "the frame of the block is damaged";
}

std::string Reader::check_block(uint32_t entries) {
  context_count_ = 0;
  interfaces_.clear();
  uint32_t found = 0;
  for (size_t at = 0; at < raw_size_; ++found) {
    EntryHeader header;
    if (raw_size_ - at < sizeof header) return kCutEntry;
    memcpy(&header, raw_.get() + at, sizeof header);
    at += sizeof header;
    if (raw_size_ - at < padded(header.size)) return kCutEntry;
    std::string why = check_entry(header, {raw_.get() + at, header.size}, found == 0 && blocks_ == 0);
    if (!why.empty()) return why;
    at += padded(header.size);
  }
  return found == entries ? "" : "the block has another number of entries than it says";
}

std::string Reader::check_entry(const EntryHeader& header, std::span<const std::byte> payload, bool is_first) {
  const auto type = static_cast<EntryType>(header.type);
  if (is_first != (type == EntryType::kRun)) return "what made the recording is not told at its beginning";
  switch (type) {
    case EntryType::kRun: return take_run(payload);
    case EntryType::kContext:
      return header.value == context_count_ + 1 ? take_context(payload) : "contexts are not counted up";
    case EntryType::kEvent: {
      event_header body;
      if (payload.size() > kLongestEvent || !Bytes(payload).take(body) || body.size != payload.size()) {
        return "an event has an impossible size";
      }
      return header.value <= context_count_ ? "" : "an event has a context that is not there";
    }
    case EntryType::kInterface: {
      constexpr size_t kNamed = sizeof(InterfaceStart);
      return payload.size() > kNamed && payload.size() <= kNamed + kMaxInterface ? "" : kCutEntry;
    }
    case EntryType::kClock: return payload.size() >= sizeof(ClockPoint) ? "" : kCutEntry;
    case EntryType::kTick: return payload.size() >= sizeof(uint64_t) ? "" : kCutEntry;
    case EntryType::kEnd: {
      RunEnd end;
      const bool fits = Bytes(payload).take(end) && end.end_size >= sizeof(event_header) &&
                        end.end_size <= kLongestEvent &&
                        payload.size() - sizeof end >= end.end_size + size_t{end.reasons} * sizeof(uint64_t);
      return fits ? "" : kCutEntry;
    }
  }
  return {};  // of a later version
}

std::string Reader::take_run(std::span<const std::byte> payload) {
  Bytes bytes(payload);
  RunStart start;
  if (!bytes.take(start)) return kCutEntry;
  if (start.facts > kMaxFacts || start.types > kMaxTypes) return "there are too many facts or kinds of events";
  Run run{start.boot_ns, {}, {}};
  for (uint32_t i = 0; i < start.facts; ++i) {
    std::string_view name, value;
    if (!bytes.take_fact(name, value) || std::max(name.size(), value.size()) > kMaxFact) return kCutEntry;
    run.facts.emplace_back(name, value);
  }
  for (uint32_t i = 0; i < start.types; ++i) {
    TypeEntry entry;
    std::string_view name;
    if (!bytes.take(entry) || !bytes.take(name, entry.name_size)) return kCutEntry;
    if (!is_type_name(name) || has_kind(run.types, entry.kind))
      return "a kind of event has an impossible name or number";
    run.types.push_back({std::string(name), entry.kind, entry.size});
  }
  run_ = std::move(run);
  return {};
}

std::string Reader::take_context(std::span<const std::byte> payload) {
  if (context_count_ == kMaxContexts) return "there are too many contexts";
  if (contexts_.size() == context_count_) contexts_.emplace_back();
  Context& context = contexts_[context_count_];
  for (const ContextMember& member : kContextMembers) clear(context.*member.member);
  Bytes bytes(payload);
  while (!bytes.is_empty()) {
    std::string_view name, value;
    if (!bytes.take_fact(name, value) || value.size() > kMaxText) return kCutEntry;
    for (const ContextMember& member : kContextMembers) {
      if (member.name == name) (context.*member.member).assign(value);
    }
  }
  ++context_count_;
  return {};
}

void Reader::take_interface(std::span<const std::byte> payload) {
  Bytes bytes(payload);
  InterfaceStart start;
  std::string_view name;
  const bool is_whole = bytes.take(start) && bytes.take(name, payload.size() - sizeof start);
  if (is_whole && interfaces_.size() < kMaxInterfaces)
    interfaces_.push_back({start.netns, start.index, std::string(name)});
}

const InterfaceName* Reader::interface(uint32_t netns, uint32_t index) const {
  const auto found = std::find_if(interfaces_.rbegin(), interfaces_.rend(), [&](const InterfaceName& known) {
    return known.netns == netns && known.index == index;
  });
  return found == interfaces_.rend() ? nullptr : &*found;
}

bool Reader::next_entry(Entry& entry) {
  while (at_ < raw_size_) {
    EntryHeader header;
    memcpy(&header, raw_.get() + at_, sizeof header);
    at_ += sizeof header;
    entry = {static_cast<EntryType>(header.type), header.flags, header.value, {raw_.get() + at_, header.size}};
    at_ += padded(header.size);
    switch (entry.type) {
      case EntryType::kRun:
      case EntryType::kContext: continue;
      case EntryType::kInterface: take_interface(entry.payload); continue;
      case EntryType::kEvent:
      case EntryType::kClock:
      case EntryType::kTick:
      case EntryType::kEnd: return true;
    }
    ++passed_over_;
  }
  return false;
}

ClockPoint clock_point_of(const Entry& entry) {
  ClockPoint point{};
  Bytes(entry.payload).take(point);
  return point;
}

uint64_t tick_of(const Entry& entry) {
  uint64_t boot_ns = 0;
  Bytes(entry.payload).take(boot_ns);
  return boot_ns;
}

EndOfRun end_of(const Entry& entry) {
  RunEnd head{};
  Bytes bytes(entry.payload);
  std::string_view recorded;
  if (!bytes.take(head) || !bytes.take(recorded, head.end_size)) return {};
  end_event end{};
  memcpy(&end, recorded.data(), std::min(recorded.size(), sizeof end));
  EndOfRun result{.boot_ns = end.header.time_ns,
                  .table_full = end.table_full,
                  .anomalies = end.anomalies,
                  .without_role = end.without_role,
                  .losses = {}};
  for (size_t i = 0; i < std::min<size_t>(head.reasons, kLossReasons); ++i) bytes.take(result.losses.count[i]);
  return result;
}

}  // namespace sockeye::record
