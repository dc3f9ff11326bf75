// SPDX-License-Identifier: Apache-2.0
// Every format of `execs`, from events made by hand, against the text in golden/.
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "collectors/execs/execs.event.h"
#include "event/collector.h"
#include "tests/support/events.h"
#include "tests/support/golden.h"
#include "tests/support/rendered.h"

namespace sockeye {
namespace {

execs_event exec_of(uint32_t pid, const char* comm, const char* path) {
  execs_event event = {};
  const socket_event like = client_socket();
  event.base = {.header = like.header, .owner = like.owner, .context = like.context};
  event.base.header.kind = EXECS_KIND;
  event.base.header.size = sizeof event;
  event.base.owner.pid = event.base.owner.tid = event.base.owner.ns_pid = pid;
  event.base.owner.source = OWNER_ITSELF;
  set_text(event.base.owner.comm, comm);
  set_text(event.base.owner.thread, comm);
  event.base.context.pid = event.base.context.tid = pid;
  set_text(event.base.context.comm, comm);
  strncpy(event.path, path, sizeof event.path - 1);
  return event;
}

// A shell and what it runs; a name that means harm; a path that cannot be read, and one that is cut.
std::vector<execs_event> programs() {
  std::vector<execs_event> events = {exec_of(30512, "sh", "/bin/sh"), exec_of(30513, "curl", "/usr/bin/curl"),
                                     exec_of(30514, "\033[31m", "./\033[31mred\n"), exec_of(30515, "init", ""),
                                     exec_of(30516, "deep", std::string(200, 'x').c_str())};
  events[1].base.owner.ppid = 30512;
  events[3].base.owner.ns_pid = 1;
  events[3].base.owner.uid = 0;
  return events;
}

TEST(ExecsGolden, Programs) {
  const auto structs = programs();
  const Context context{.container = "4f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8",
                        .runtime = "docker",
                        .container_name = "web"};
  const EventType& type = find_collector("execs")->event;
  auto events = events_of(structs, type);
  events[3].context = &context;
  for (const char* ending : kGoldenFormats) {
    SinkOptions options = in_format(ending);
    options.types = {&type};
    expect_golden(std::string("collectors/execs/golden/programs.") + ending, rendered(events, options));
  }
}

}  // namespace
}  // namespace sockeye
