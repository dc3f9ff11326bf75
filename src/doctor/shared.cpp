// SPDX-License-Identifier: Apache-2.0
#include "doctor/shared.h"

#include <algorithm>

namespace sockeye {
namespace {

void add(std::vector<SharedRemark>& remarks, const std::string& what, const std::string& remedy,
         std::string_view collector) {
  auto known = std::find_if(remarks.begin(), remarks.end(),
                            [&](const SharedRemark& remark) { return remark.what == what && remark.remedy == remedy; });
  if (known == remarks.end()) known = remarks.insert(known, {what, remedy, {}});
  known->collectors.push_back(collector);
}

}  // namespace

std::vector<SharedHook> shared_hooks(const Diagnosis& diagnosis) {
  std::vector<SharedHook> hooks;
  for (const CollectorDiagnosis& collector : diagnosis.collectors) {
    for (const HookDiagnosis& hook : collector.hooks) {
      auto known = std::find_if(hooks.begin(), hooks.end(), [&](const SharedHook& shared) {
        return shared.hook == hook && shared.tried == collector.tried;
      });
      if (known == hooks.end()) known = hooks.insert(known, {hook, collector.tried, {}});
      known->collectors.push_back(collector.name);
    }
  }
  return hooks;
}

std::vector<SharedRemark> shared_reasons(const Diagnosis& diagnosis) {
  std::vector<SharedRemark> reasons;
  for (const CollectorDiagnosis& collector : diagnosis.collectors) {
    if (!collector.reason.empty()) add(reasons, collector.reason, collector.remedy, collector.name);
  }
  return reasons;
}

std::vector<SharedRemark> shared_limitations(const Diagnosis& diagnosis) {
  std::vector<SharedRemark> limitations;
  for (const CollectorDiagnosis& collector : diagnosis.collectors) {
    for (const Limitation& other : collector.others) add(limitations, other.what, other.remedy, collector.name);
  }
  return limitations;
}

}  // namespace sockeye
