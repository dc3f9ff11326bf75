// SPDX-License-Identifier: Apache-2.0
// The shape of every object that goes out as JSON: what docs/output.md and docs/schema.json are made of. Of events it
// follows from their field tables; of `counts`, which is no event, it is written down here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "event/field.h"

namespace sockeye {

enum class JsonType : uint8_t {
  kNumber,   // a whole number
  kDigits,   // a whole number as text
  kTime,     // RFC 3339, UTC, nanoseconds
  kAddress,  // of IPv4 or IPv6
  kText,
  kWord,  // one of `words`
  kFlag,
  kNull,     // never anything else
  kTrue,     // there is no false: the key is left out
  kObject,   // of `members`
  kObjects,  // a list of them
};

struct JsonWord {
  std::string_view word;
  std::string_view meaning;  // empty: nothing to add
};

struct JsonMember {
  std::string key;
  JsonType type;
  std::string_view unit = {};
  std::string_view meaning = {};
  std::string there = {};      // when; empty: always
  uint64_t most = UINT64_MAX;  // kNumber
  bool is_signed = false;      // kNumber
  bool may_be_null = false;
  bool may_be_left_out = false;
  bool is_alternative = false;  // of the members so marked exactly one is there
  bool is_shared = false;       // one of shared_members(), as it is there
  bool may_be_number = false;   // kWord: a value that this version has no word for is its number, as text
  std::vector<JsonWord> words = {};
  std::vector<JsonMember> members = {};
};

struct JsonShape {
  std::string_view event;
  std::string_view what;            // in one sentence
  std::vector<JsonMember> members;  // without `v` and `event`, which all have
  bool has_shared = false;          // shared_members() are among them, some perhaps with another meaning
  const EventType* type = nullptr;  // null: it is no event
};

// The fields that every entry of a socket begins with.
std::vector<JsonMember> shared_members();

// What a reading of `counts` is as JSON.
JsonShape counts_shape();

// All there are, by name, gap and end last.
std::vector<JsonShape> json_shapes();

}  // namespace sockeye
