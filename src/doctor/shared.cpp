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

std::vector<SharedMoment> shared_moments(const Diagnosis& diagnosis) {
  std::vector<SharedMoment> moments;
  for (const CollectorDiagnosis& collector : diagnosis.collectors) {
    for (const MomentDiagnosis& moment : collector.moments) {
      auto known = std::find_if(moments.begin(), moments.end(), [&](const SharedMoment& shared) {
        return shared.moment == moment && shared.tried == collector.tried;
      });
      if (known == moments.end()) known = moments.insert(known, {moment, collector.tried, {}});
      known->collectors.push_back(collector.name);
    }
  }
  return moments;
}

std::vector<SharedRemark> shared_reasons(const Diagnosis& diagnosis) {
  std::vector<SharedRemark> reasons;
  for (const CollectorDiagnosis& collector : diagnosis.collectors) {
    if (!collector.reason.empty()) add(reasons, collector.reason, collector.remedy, collector.name);
  }
  return reasons;
}

std::vector<SharedRemark> shared_shortcomings(const Diagnosis& diagnosis) {
  std::vector<SharedRemark> shortcomings;
  for (const CollectorDiagnosis& collector : diagnosis.collectors) {
    for (const Shortcoming& other : collector.others) add(shortcomings, other.what, other.remedy, collector.name);
  }
  return shortcomings;
}

}  // namespace sockeye
