// SPDX-License-Identifier: Apache-2.0
#include "tests/support/rendered.h"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/support/events.h"

namespace sockeye {

std::string rendered(std::span<const Event> events, const SinkOptions& options, size_t batch) {
  setenv("TZ", "UTC", 1);
  tzset();
  char path[] = "/tmp/sockeye-rendered-XXXXXX";
  close(mkstemp(path));
  {
    auto output = Output::file(path, nullptr);
    const auto sink = make_sink(std::move(*output), options);
    const FixedClock clock;
    const WallTime wall(clock);
    sink->write({}, wall);
    while (!events.empty()) {
      sink->write(events.first(std::min(batch, events.size())), wall);
      events = events.subspan(std::min(batch, events.size()));
    }
  }
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  std::filesystem::remove(path);
  return text.str();
}

SinkOptions in_format(std::string_view ending) {
  if (ending == "json_v1") return {.format = "json", .json_version = 1};
  return {.format = ending};
}

}  // namespace sockeye
