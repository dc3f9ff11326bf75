// SPDX-License-Identifier: Apache-2.0
// Keys of JSON that had another name or type in an earlier version of the format. `--json-version`, docs/output.md and
// the tests come from here; a recording holds no keys.
#pragma once

#include <string_view>

#include "event/field.h"

namespace sockeye {

// "v" in every object of JSON. It grows when a key goes or gets another meaning, not when one comes.
inline constexpr int kJsonVersion = 2;
inline constexpr int kOldestJsonVersion = 1;

struct Rename {
  std::string_view before;
  std::string_view now;
  int since;  // the first version that has `now`
};

inline constexpr Rename kRenames[] = {
    {"context_pid", "task_pid", 2},
    {"context_comm", "task_comm", 2},
    {"pod", "pod_uid", 2},
    {"pod_name", "pod", 2},
};

// The first version in which ids (FieldType::kId) are text: before, readers that take numbers for doubles rounded them.
inline constexpr int kIdsAreTextSince = 2;

// What the key `now` is called in `version`.
constexpr std::string_view key_in(std::string_view now, int version) {
  for (const Rename& rename : kRenames) {
    if (rename.now == now && version < rename.since) return rename.before;
  }
  return now;
}

}  // namespace sockeye
