// SPDX-License-Identifier: Apache-2.0
// The input is what blocks hold: their checksums are right, so that what is behind them is reached. Its first eight
// bytes say whether it is the first block itself or comes behind one; it is whole in either case.
#include <zstd.h>

#include "record/versions.h"
#include "tests/fuzz/replay.h"

namespace sockeye {
namespace {

using namespace record;

// How many entries there are as far as it can be told; whatever they are.
uint32_t entries_in(std::string_view raw) {
  uint32_t entries = 0;
  for (size_t at = 0; at < raw.size(); ++entries) {
    EntryHeader header{};
    memcpy(&header, raw.data() + at, std::min(sizeof header, raw.size() - at));
    at += sizeof header + padded(header.size);
  }
  return entries;
}

// What a recording of `states` begins with.
std::string usual_beginning() {
  const EventType& states = find_collector("states")->event;
  const RunStart start{1000, 0, 2};
  std::string run(reinterpret_cast<const char*>(&start), sizeof start);
  for (const EventType* type : {&states, &kGapType}) {
    const TypeEntry entry{type->kind, type->size, static_cast<uint16_t>(type->name.size()), 0};
    run.append(reinterpret_cast<const char*>(&entry), sizeof entry).append(type->name);
  }
  const EntryHeader header{static_cast<uint8_t>(EntryType::kRun), 0, static_cast<uint16_t>(run.size()), 0};
  run.resize(padded(run.size()));
  return std::string(reinterpret_cast<const char*>(&header), sizeof header) + run;
}

void add_block(std::string& file, std::string_view raw) {
  static ZSTD_CCtx* const zstd = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1);
  ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, -5);
  std::string frame(ZSTD_compressBound(raw.size()), '\0');
  frame.resize(ZSTD_compress2(zstd, frame.data(), frame.size(), raw.data(), raw.size()));
  const BlockHeader header{kBlockMagic,
                           static_cast<uint32_t>(frame.size()),
                           static_cast<uint32_t>(raw.size()),
                           entries_in(raw),
                           file.size(),
                           0};
  file.append(reinterpret_cast<const char*>(&header), sizeof header);
  file += frame;
}

}  // namespace
}  // namespace sockeye

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sockeye::record;
  constexpr size_t kChoiceBytes = 8;
  const std::string_view raw(reinterpret_cast<const char*>(data), size);
  FileHeader header{{}, kCurrentVersion, 0};
  memcpy(header.magic, kMagic, sizeof kMagic);
  std::string file(reinterpret_cast<const char*>(&header), sizeof header);
  if (size <= kChoiceBytes) return 0;
  if (raw[0] % 2 == 0) sockeye::add_block(file, sockeye::usual_beginning());
  sockeye::add_block(file, raw.substr(kChoiceBytes));
  sockeye::replay_for_fuzzing(std::move(file));
  return 0;
}
