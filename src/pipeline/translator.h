// SPDX-License-Identifier: Apache-2.0
// Puts into events of connections where their destination was translated to. It knows no collector: a type of events
// that wants it has fields of these names (nat_daddr, nat_dport).
#pragma once

#include <vector>

#include "base/clock.h"
#include "enrich/translations.h"
#include "event/batch.h"

namespace sockeye {

class Translator {
 public:
  // `types`: of the run.
  Translator(std::span<const EventType* const> types, Translations translations, const Clock& clock);

  bool is_wanted() const { return !plans_.empty(); }
  void fill(Batch& batch);

 private:
  // Where in its events a type has what is found.
  struct Plan {
    const EventType* type;
    const Field *nat_daddr, *nat_dport;
  };

  void fill(const Plan& plan, const Event& event, std::byte* bytes);

  std::vector<Plan> plans_;
  Translations translations_;
  const Clock& clock_;
};

}  // namespace sockeye
