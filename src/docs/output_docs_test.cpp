// SPDX-License-Identifier: Apache-2.0
// The committed pages are those that the program makes. What they say is checked by tests/support/schema_test.py.
#include "docs/output_docs.h"

#include <gtest/gtest.h>

#include "docs/json_shape.h"
#include "event/collector.h"
#include "tests/support/golden.h"

namespace sockeye {
namespace {

TEST(OutputDocsGolden, Page) { expect_golden("docs/output.md", output_markdown()); }

TEST(OutputDocsGolden, Schema) { expect_golden("docs/schema.json", output_schema()); }

TEST(JsonShapes, EveryCollectorHasOne) {
  for (const Collector* collector : collectors()) {
    int found = 0;
    for (const JsonShape& shape : json_shapes()) found += shape.event == collector->event.name;
    EXPECT_EQ(found, 1) << collector->event.name;
  }
}

TEST(JsonShapes, WhatIsAlwaysThereNeedsNoWords) {
  for (const JsonShape& shape : json_shapes()) {
    for (const JsonMember& member : shape.members) {
      EXPECT_EQ(member.may_be_null || member.may_be_left_out, !member.there.empty())
          << shape.event << "." << member.key;
    }
  }
}

}  // namespace
}  // namespace sockeye
