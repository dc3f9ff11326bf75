// SPDX-License-Identifier: Apache-2.0
// Blocks of a recording, one after the other. Nothing of a block is handed out before all of it was found sound, and
// nothing is allocated for what a file says of itself beyond the bounds in format.h. Anybody may have made the file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "event/context.h"
#include "event/loss.h"
#include "record/format.h"
#include "record/input.h"

struct ZSTD_DCtx_s;

namespace sockeye::record {

// A kind of event as the recording describes it.
struct RecordedType {
  std::string name;
  uint16_t kind;
  uint16_t size;
};

// What made the recording.
struct Run {
  uint64_t boot_ns = 0;  // when it began
  std::vector<std::pair<std::string, std::string>> facts;
  std::vector<RecordedType> types;

  std::string_view fact(std::string_view name) const;  // empty: it is not told
};

// The numbers of a whole run, as the one that recorded it told them; what a recording does not know is zero.
struct EndOfRun {
  uint64_t boot_ns = 0;
  uint64_t table_full = 0;
  uint64_t anomalies = 0;
  uint64_t without_role = 0;
  Losses losses;
};

struct Entry {
  EntryType type;
  uint8_t flags;
  uint32_t value;
  std::span<const std::byte> payload;  // aligned to 8 bytes
};

// Where and why it cannot be read any further.
struct Damage {
  uint64_t position;  // of the block that is damaged, in bytes
  uint64_t block;     // its number, counted from 0
  std::string why;
};

class Reader {
 public:
  enum class Step : uint8_t {
    kBlock,       // entries can be taken
    kNothingYet,  // the input has nothing now
    kEnd,         // the input ended behind a whole block
    kDamaged,     // see damage()
  };

  explicit Reader(std::unique_ptr<Input> input);
  ~Reader();
  Reader(Reader&&) = delete;

  // The next block; the entries of the one before are gone.
  Step next_block();
  // The next entry of the block that next_block() found, in order; false: that was the last. Contexts are not among
  // them, nor what this version does not know.
  bool next_entry(Entry& entry);

  // Of the file's first block on.
  const Run& run() const { return run_; }
  // kEvent's context in this block; null for 0. Valid until the next block.
  const Context* context(uint32_t number) const { return number == 0 ? nullptr : &contexts_[number - 1]; }

  // What the namespace calls it, by the entries so far; null: it is not told. Valid until the next block.
  const InterfaceName* interface(uint32_t netns, uint32_t index) const;

  Input& input() const { return *input_; }
  const std::optional<Damage>& damage() const { return damage_; }
  uint64_t position() const { return position_; }        // bytes read, in whole blocks
  uint64_t blocks() const { return blocks_; }            // read
  uint64_t passed_over() const { return passed_over_; }  // entries of types that this version does not know

 private:
  Step fill(size_t size);
  Step fail(std::string why);
  Step read_file_header();
  std::string wrong_header(const BlockHeader& header) const;
  std::string unpack(const BlockHeader& header);
  std::string check_block(uint32_t entries);
  std::string check_entry(const EntryHeader& header, std::span<const std::byte> payload, bool is_first);
  std::string take_run(std::span<const std::byte> payload);
  std::string take_context(std::span<const std::byte> payload);
  void take_interface(std::span<const std::byte> payload);

  struct Free {
    void operator()(ZSTD_DCtx_s* context) const;
  };

  std::unique_ptr<Input> input_;
  std::unique_ptr<ZSTD_DCtx_s, Free> zstd_;
  std::unique_ptr<std::byte[]> raw_;
  size_t raw_size_ = 0;
  size_t at_ = 0;                 // of raw_: where the next entry begins
  std::vector<std::byte> bytes_;  // of the file: what has been read of the next block
  size_t have_ = 0;               // of bytes_
  bool is_begun_ = false;         // the file header was read
  uint64_t position_ = 0;
  uint64_t blocks_ = 0;
  uint64_t passed_over_ = 0;
  Run run_;
  std::vector<Context> contexts_;  // never more than kMaxContexts: they stay where they are
  uint32_t context_count_ = 0;
  std::vector<InterfaceName> interfaces_;  // never more than kMaxInterfaces
  std::optional<Damage> damage_;
};

// What an entry of these types says; the reader has found it sound.
ClockPoint clock_point_of(const Entry& entry);
uint64_t tick_of(const Entry& entry);
EndOfRun end_of(const Entry& entry);

}  // namespace sockeye::record
