// SPDX-License-Identifier: Apache-2.0
// What there is now: the events that handlers of an iterator's hook write, of one network namespace after the other.
// They come through the iterator's file and no ring, so that nothing is lost however many there are.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "bpf/namespace_walk.h"
#include "bpf/object.h"
#include "source/source.h"

namespace sockeye {

struct IteratorReport {
  int namespaces = 0;         // visited to the end
  int unvisited = 0;          // that could not be entered or read
  std::string limitation;     // why; empty: all could
  bool is_cut_short = false;  // stopped before the end
};

class IteratorSource : public Source {
 public:
  // What becomes of an event before it goes on: valid until the next call; empty: it is left out.
  using Complete = std::function<std::span<const std::byte>(std::span<const std::byte> event)>;

  // The object is not owned; `hook` is loaded. Only the namespaces that `wanted` takes are visited.
  IteratorSource(Object& object, std::string hook, const NamespaceWalk::Wanted& wanted, Complete complete);

  int wake_fd() const override { return -1; }
  bool next(Batch& batch) override;
  bool ended() const override { return !walk_ && begin_ == end_; }
  Losses losses(bool exact) override;
  uint64_t anomalies() const override { return object_.anomalies(); }
  uint64_t without_role() const override { return object_.without_role(); }
  void stop() override;

  IteratorReport report() const { return report_; }

 private:
  bool read_more();
  void open_next();
  void end_walk();
  void decode(Batch& batch);
  void fail(const std::string& why);

  Object& object_;
  std::string hook_;
  Complete complete_;
  std::unique_ptr<NamespaceWalk> walk_;  // null: it is over
  Fd iterator_;                          // of the namespace where the walk is; empty: to be opened
  std::vector<std::byte> bytes_;         // of the iterator; [begin_, end_) are to be decoded
  size_t begin_ = 0;
  size_t end_ = 0;
  uint64_t malformed_ = 0;
  IteratorReport report_;
};

// Takes the first event of `bytes`: its size; 0: there is no whole event of a kind that is known, and what follows
// cannot be told apart.
size_t first_event(std::span<const std::byte> bytes, const EventType*& type);

}  // namespace sockeye
