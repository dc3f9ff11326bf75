// SPDX-License-Identifier: Apache-2.0
// Text on its way out: an append-only buffer that numbers are written into directly. Grows, but in steady use does not.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

namespace sockeye {

class Buffer {
 public:
  explicit Buffer(size_t capacity = 128 * 1024) : data_(new char[capacity]), capacity_(capacity) {}

  std::string_view view() const { return {data_.get(), used_}; }
  size_t size() const { return used_; }
  void clear() { used_ = 0; }
  void truncate(size_t size) { used_ = size; }

  // At least `bytes` of room to write into; advance() says how much of it was used.
  char* room(size_t bytes) {
    if (capacity_ - used_ < bytes) grow(bytes);
    return data_.get() + used_;
  }
  void advance(size_t bytes) { used_ += bytes; }

  void add(char c) {
    *room(1) = c;
    ++used_;
  }
  void add(std::string_view text) {
    memcpy(room(text.size()), text.data(), text.size());
    used_ += text.size();
  }
  // The first `size` characters: a copy of fixed size is a few instructions, one of any other size a call.
  template <size_t N>
  void add_first(const char (&text)[N], size_t size) {
    memcpy(room(N), text, N);
    used_ += size;
  }
  template <typename Integer>
  void add_number(Integer value) {
    char* at = room(24);
    advance(static_cast<size_t>(std::to_chars(at, at + 24, value).ptr - at));
  }
  void add_number(uint64_t value) {
    if (value <= UINT32_MAX) return add_number(static_cast<uint32_t>(value));  // most are, and it takes half the time
    char* at = room(24);
    advance(static_cast<size_t>(std::to_chars(at, at + 24, value).ptr - at));
  }
  void fill(char c, size_t count) {
    memset(room(count), c, count);
    used_ += count;
  }

 private:
  void grow(size_t bytes) {
    const size_t capacity = (capacity_ + bytes) * 2;
    std::unique_ptr<char[]> data(new char[capacity]);
    memcpy(data.get(), data_.get(), used_);
    data_ = std::move(data);
    capacity_ = capacity;
  }

  std::unique_ptr<char[]> data_;
  size_t used_ = 0;
  size_t capacity_;
};

}  // namespace sockeye
