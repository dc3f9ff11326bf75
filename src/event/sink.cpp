// SPDX-License-Identifier: Apache-2.0
#include "event/sink.h"

#include <algorithm>

namespace sockeye {

std::unique_ptr<Sink> make_sink(Output output, const SinkOptions& options) {
  for (const SinkKind* kind : sink_kinds()) {
    if (std::find(kind->formats.begin(), kind->formats.end(), options.format) != kind->formats.end()) {
      return kind->make(std::move(output), options);
    }
  }
  return nullptr;
}

}  // namespace sockeye
