// SPDX-License-Identifier: Apache-2.0
// Events into blocks of a recording. It writes no file: it says which bytes are to be written, and is told whether
// they were.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "event/event.h"
#include "event/loss.h"
#include "event/sink.h"
#include "record/format.h"

struct ZSTD_CCtx_s;

namespace sockeye::record {

class Writer {
 public:
  // `types`: the kinds of events that may come.
  Writer(RunFacts facts, std::vector<const EventType*> types);
  ~Writer();
  Writer(Writer&&) = delete;

  // Whether a block has to be sealed before anything but an event is added.
  bool is_full() const;
  // The clock as of now, before anything else; in a block that has something in it only a change takes room.
  void set_clock(uint64_t boot_ns, int64_t offset_ns);
  // Pointers to contexts may point to others from here on.
  void begin_batch() { ++generation_; }

  // False: there is no room in the block, nothing was done; after seal() there is. Allocates nothing.
  bool add(const Event& event);
  void add_tick(uint64_t boot_ns);
  void add_end(const end_event& end, const Losses& losses);

  bool is_empty() const { return entries_ == 0; }
  uint64_t events() const { return events_; }  // events in the block, gap events left out

  // The block as it is to be written, valid until the next call. What is added from here on goes into the next block.
  std::string_view seal();
  // What seal() gave was written, or nothing of it: then the next block takes its place.
  void sealed_block_was(bool written);

 private:
  struct Known {
    const Context* context = nullptr;
    uint64_t generation = 0;
    uint32_t number = 0;
  };

  void begin_block();
  Known* known(const Context* context);
  bool is_told(const InterfaceName& interface) const;
  void add_interface(const InterfaceName& interface);
  void add_run();
  void add_context(const Context& context);
  std::byte* add_entry(EntryType type, uint8_t flags, uint32_t value, size_t size);
  void add_clock_point();

  struct Free {
    void operator()(ZSTD_CCtx_s* context) const;
  };

  const RunFacts facts_;
  const std::vector<const EventType*> types_;
  std::unique_ptr<ZSTD_CCtx_s, Free> zstd_;
  std::unique_ptr<std::byte[]> raw_;
  std::unique_ptr<char[]> sealed_;
  size_t sealed_size_ = 0;
  size_t used_ = 0;  // of raw_
  uint32_t entries_ = 0;
  uint32_t contexts_ = 0;
  uint64_t events_ = 0;
  uint64_t position_ = 0;  // in the file
  ClockPoint clock_{};
  uint64_t generation_ = 1;
  std::vector<InterfaceName> told_;  // in this block, room for kMaxInterfaces
  std::vector<Known> known_;         // open addressing by pointer; an entry of an older generation is free
};

}  // namespace sockeye::record
