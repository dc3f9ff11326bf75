// SPDX-License-Identifier: Apache-2.0
#include "event/container_filter.h"

#include <gtest/gtest.h>

namespace sockeye {
namespace {

Context in(const std::string& container) {
  Context context;
  context.container = container;
  return context;
}

TEST(ContainerFilter, AnEmptyOnePassesEverything) {
  const ContainerFilter filter;
  const Context context = in("web");
  EXPECT_FALSE(filter.is_active());
  EXPECT_TRUE(filter.passes(&context));
  EXPECT_TRUE(filter.passes(nullptr));
}

TEST(ContainerFilter, TakesTheBeginningOfAnId) {
  const ContainerFilter filter = {{"3f4a", "web"}, {}};
  EXPECT_TRUE(filter.is_active());
  for (const char* container : {"3f4a", "3f4a55", "web", "web-2"}) {
    const Context context = in(container);
    EXPECT_TRUE(filter.passes(&context)) << container;
  }
  for (const char* container : {"", "3f4", "3F4a55", "a3f4a55", "we"}) {
    const Context context = in(container);
    EXPECT_FALSE(filter.passes(&context)) << container;
  }
}

TEST(ContainerFilter, TakesTheWholeOfAName) {
  const ContainerFilter wanting = {{"web"}, {}}, excluding = {{}, {"web"}};
  Context web = in("3f4a"), other = in("3f4a55");
  web.container_name = "web";
  other.container_name = "web-2";
  EXPECT_TRUE(wanting.passes(&web));
  EXPECT_FALSE(wanting.passes(&other)) << "another container";
  EXPECT_FALSE(excluding.passes(&web));
  EXPECT_TRUE(excluding.passes(&other));
}

TEST(ContainerFilter, WhatIsExcludedIsLeftOutWhateverElseIsWanted) {
  const ContainerFilter filter = {{"3f4a"}, {"3f4a55"}};
  const Context other = in("3f4a66"), excluded = in("3f4a5577");
  EXPECT_TRUE(filter.passes(&other));
  EXPECT_FALSE(filter.passes(&excluded));
}

TEST(ContainerFilter, NobodyHidesByWhatHeSaysOfHimself) {
  const ContainerFilter wanting = {{"3f4a"}, {}}, excluding = {{}, {"3f4a", "web"}};
  for (const char* user : {"1000", "unknown"}) {
    Context claimed = in("3f4a");
    claimed.container_name = "web";
    claimed.container_user = user;
    EXPECT_TRUE(excluding.passes(&claimed)) << user;
    EXPECT_TRUE(wanting.passes(&claimed)) << user;
  }
}

TEST(ContainerFilter, NoContainerIsNotWantedAndNotExcluded) {
  const ContainerFilter wanting = {{"3f4a"}, {}}, excluding = {{}, {"3f4a"}};
  const Context none = in("");
  EXPECT_FALSE(wanting.passes(&none));
  EXPECT_FALSE(wanting.passes(nullptr));
  EXPECT_TRUE(excluding.passes(&none));
  EXPECT_TRUE(excluding.passes(nullptr));
}

}  // namespace
}  // namespace sockeye
