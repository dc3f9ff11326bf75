// SPDX-License-Identifier: Apache-2.0
#include "tests/support/rendered.h"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/support/records.h"

namespace sockeye {

std::string rendered(std::span<const Record> records, const SinkOptions& options, size_t batch) {
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
    while (!records.empty()) {
      sink->write(records.first(std::min(batch, records.size())), wall);
      records = records.subspan(std::min(batch, records.size()));
    }
  }
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  std::filesystem::remove(path);
  return text.str();
}

}  // namespace sockeye
