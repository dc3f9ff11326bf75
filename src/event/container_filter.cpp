// SPDX-License-Identifier: Apache-2.0
#include "event/container_filter.h"

#include <algorithm>
#include <string_view>

namespace sockeye {
namespace {

bool begins_with_one_of(std::string_view container, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const std::string& prefix) { return container.starts_with(prefix); });
}

}  // namespace

bool ContainerFilter::passes(const Context* context) const {
  const std::string_view container = context ? std::string_view(context->container) : std::string_view();
  if (begins_with_one_of(container, excluded)) return false;
  return wanted.empty() || begins_with_one_of(container, wanted);
}

}  // namespace sockeye
