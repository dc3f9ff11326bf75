// SPDX-License-Identifier: Apache-2.0
// docs/output.md and docs/schema.json, made of what the program knows of its own output.
#pragma once

#include <string>

namespace sockeye {

std::string output_markdown();

// JSON Schema, draft 2020-12, of any line of JSON.
std::string output_schema();

}  // namespace sockeye
