// SPDX-License-Identifier: Apache-2.0
#include "event/container_filter.h"

#include <algorithm>

namespace sockeye {
namespace {

bool is_one_of(const Context* context, const std::vector<std::string>& words) {
  return context && std::any_of(words.begin(), words.end(), [&](const std::string& word) {
           return context->container.starts_with(word) || context->container_name == word;
         });
}

}  // namespace

bool ContainerFilter::excludes(const Context* context) const {
  return context && context->container_user.empty() && is_one_of(context, excluded);
}

bool ContainerFilter::wants(const Context* context) const { return wanted.empty() || is_one_of(context, wanted); }

}  // namespace sockeye
