// SPDX-License-Identifier: Apache-2.0
// What a diagnosis says of several collectors in the same words, to be shown once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "doctor/diagnosis.h"

namespace sockeye {

using CollectorNames = std::vector<std::string_view>;

struct SharedHook {
  HookDiagnosis hook;
  bool tried = false;
  CollectorNames collectors;
};

struct SharedRemark {
  std::string what;
  std::string remedy;  // may be empty
  CollectorNames collectors;
};

// Each as it first comes.
std::vector<SharedHook> shared_hooks(const Diagnosis& diagnosis);
std::vector<SharedRemark> shared_reasons(const Diagnosis& diagnosis);      // why collectors do not work
std::vector<SharedRemark> shared_limitations(const Diagnosis& diagnosis);  // that are not of one hook

}  // namespace sockeye
