// SPDX-License-Identifier: Apache-2.0
#include "source/iterator_source.h"

#include <cerrno>
#include <cstring>

#include "event/collector.h"

namespace sockeye {

IteratorSource::IteratorSource(Object& object, std::string hook, const NamespaceWalk::Wanted& wanted, Complete complete)
    : object_(object),
      hook_(std::move(hook)),
      complete_(std::move(complete)),
      walk_(std::make_unique<NamespaceWalk>(wanted, holders_by(object))),
      bytes_(Object::kIteratorBytes) {}

bool IteratorSource::next(Batch& batch) {
  do {
    decode(batch);
    if (begin_ < end_) return true;
  } while (read_more());
  return false;
}

// More bytes, of this namespace or one of the next; false: that was all.
bool IteratorSource::read_more() {
  while (walk_) {
    if (!iterator_) {
      open_next();
      continue;
    }
    const ssize_t n = Object::read_iterator(iterator_, bytes_);
    if (n > 0) {
      begin_ = 0;
      end_ = static_cast<size_t>(n);
      return true;
    }
    if (n < 0) {
      fail("its iterator stops early: " + errno_text(errno));
    } else {
      ++report_.namespaces;
    }
    iterator_ = Fd();
  }
  return false;
}

void IteratorSource::open_next() {
  if (!walk_->enter_next()) return end_walk();
  auto iterator = object_.open_iterator(hook_);
  if (iterator) {
    iterator_ = std::move(*iterator);
  } else {
    fail(iterator.error().what);
  }
}

void IteratorSource::decode(Batch& batch) {
  while (begin_ < end_ && batch.has_room_for(kLongestEvent)) {
    const EventType* type = nullptr;
    const std::span<const std::byte> rest(bytes_.data() + begin_, end_ - begin_);
    const size_t size = first_event(rest, type);
    if (size == 0) {
      ++malformed_;
      begin_ = end_;
      return;
    }
    begin_ += size;
    const std::span<const std::byte> event = complete_(rest.first(size));
    if (!event.empty()) batch.add(reinterpret_cast<const event_header*>(event.data()), event.size(), type);
  }
}

void IteratorSource::fail(const std::string& why) {
  ++report_.unvisited;
  report_.limitation = why;
}

Losses IteratorSource::losses(bool exact) {
  Losses losses = object_.losses(exact);
  losses[LossReason::kMalformed] = malformed_;
  return losses;
}

void IteratorSource::stop() {
  report_.is_cut_short = !ended();
  if (walk_) end_walk();
}

void IteratorSource::end_walk() {
  report_.unvisited += walk_->unvisited();
  if (!walk_->limitation().empty()) report_.limitation = walk_->limitation();
  iterator_ = Fd();
  walk_.reset();
}

size_t first_event(std::span<const std::byte> bytes, const EventType*& type) {
  event_header header;
  if (bytes.size() < sizeof header) return 0;
  memcpy(&header, bytes.data(), sizeof header);
  type = find_event_type(header.kind);
  if (!type || header.size < type->size || header.size > bytes.size() || header.size > kLongestEvent) return 0;
  return header.size;
}

}  // namespace sockeye
