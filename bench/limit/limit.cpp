// SPDX-License-Identifier: Apache-2.0
// The minimal program, which marks what is possible: the state changes of TCP as lines of text on standard output, with
// the columns of tcpstates. No wake-up for an event: the ring is read every 10 ms.
#include <bpf/libbpf.h>
#include <poll.h>
#include <sys/resource.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include "base/buffer.h"
#include "base/result.h"
#include "base/signals.h"
#include "base/text.h"
#include "bench/limit/limit.event.h"
#include "limit.skel.h"

namespace sockeye {
namespace {

constexpr int kPollMs = 10;
constexpr size_t kWriteBytes = 64 * 1024;
constexpr std::string_view kStates[] = {"?",         "ESTABLISHED", "SYN_SENT", "SYN_RECV",   "FIN_WAIT1",
                                        "FIN_WAIT2", "TIME_WAIT",   "CLOSE",    "CLOSE_WAIT", "LAST_ACK",
                                        "LISTEN",    "CLOSING",     "SYN_RECV"};

struct Options {
  bool empty = false;  // attach the program that does nothing
  int ready_fd = -1;   // gets a byte when attached
};

class Lines {
 public:
  void add(const limit_event& event) {
    ++events_;
    add_hex(event.socket);
    out_.add(' ');
    out_.add_number(event.pid);
    out_.add(' ');
    add_plain(out_, text_of(event.comm, sizeof event.comm));
    add_end(event.laddr, event.lport);
    add_end(event.raddr, event.rport);
    out_.add(' ');
    add_state(event.old_state);
    out_.add(" -> ");
    add_state(event.new_state);
    out_.add(' ');
    const uint64_t us = to_microseconds(event.duration_ns);
    out_.add_number(us / 1000);
    out_.add('.');
    add_padded(out_, us % 1000, 3);
    out_.add('\n');
    if (out_.size() >= kWriteBytes) write_out();
  }

  void write_out() {
    for (std::string_view rest = out_.view(); !rest.empty();) {
      const ssize_t written = write(STDOUT_FILENO, rest.data(), rest.size());
      if (written <= 0) break;
      rest.remove_prefix(static_cast<size_t>(written));
    }
    out_.clear();
  }

  uint64_t events() const { return events_; }

 private:
  void add_hex(uint64_t value) {
    char* at = out_.room(16);
    out_.advance(static_cast<size_t>(std::to_chars(at, at + 16, value, 16).ptr - at));
  }
  void add_end(const uint8_t* address, uint16_t port) {
    out_.add(' ');
    add_address(out_, address);
    out_.add(' ');
    out_.add_number(port);
  }
  void add_state(uint8_t state) { out_.add(state < std::size(kStates) ? kStates[state] : kStates[0]); }

  Buffer out_;
  uint64_t events_ = 0;
};

int on_event(void* lines, void* event, size_t size) {
  if (size >= sizeof(limit_event)) static_cast<Lines*>(lines)->add(*static_cast<const limit_event*>(event));
  return 0;
}

struct Unload {
  void operator()(limit_bpf* skeleton) const { limit_bpf__destroy(skeleton); }
  void operator()(ring_buffer* ring) const { ring_buffer__free(ring); }
};

void tell_ready(int fd) {
  if (fd >= 0 && write(fd, "\n", 1) != 1) perror("limit: --ready-fd");
}

Status run(const Options& options) {
  Signals signals;
  std::unique_ptr<limit_bpf, Unload> skeleton(limit_bpf__open());
  if (!skeleton) return Error{ErrorCode::kFailed, "the BPF object does not open", ""};
  bpf_program__set_autoload(skeleton->progs.limit, !options.empty);
  bpf_program__set_autoload(skeleton->progs.empty, options.empty);
  if (const int error = limit_bpf__load(skeleton.get()); error != 0) {
    return Error{ErrorCode::kNotPossible, "cannot load: " + errno_text(-error), "it needs root"};
  }
  Lines lines;
  const std::unique_ptr<ring_buffer, Unload> ring(
      ring_buffer__new(bpf_map__fd(skeleton->maps.ring), on_event, &lines, nullptr));
  if (!ring) return Error{ErrorCode::kFailed, "cannot map the ring: " + errno_text(errno), ""};
  if (const int error = limit_bpf__attach(skeleton.get()); error != 0) {
    return Error{ErrorCode::kNotPossible, "cannot attach: " + errno_text(-error), ""};
  }
  tell_ready(options.ready_fd);
  while (!signals.stop_requested()) {
    pollfd waiting = {signals.fd(), POLLIN, 0};
    if (poll(&waiting, 1, kPollMs) > 0) signals.poll();
    ring_buffer__consume(ring.get());
    lines.write_out();
  }
  limit_bpf__detach(skeleton.get());
  ring_buffer__consume(ring.get());
  lines.write_out();
  fprintf(stderr, "limit: %lu events, %llu lost\n", lines.events(), skeleton->bss->lost);
  return Ok{};
}

constexpr char kUsage[] = "usage: limit [--empty] [--ready-fd N]\n";

bool parse_options(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--empty") {
      options.empty = true;
    } else if (word == "--ready-fd" && ++i < argc) {
      const std::string_view number = argv[i];
      if (std::from_chars(number.data(), number.data() + number.size(), options.ready_fd).ec != std::errc())
        return false;
    } else {
      return false;
    }
  }
  return true;
}

int run_and_report(int argc, char** argv) {
  Options options;
  if (!parse_options(argc, argv, options)) return fputs(kUsage, stderr), 2;
  const rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
  setrlimit(RLIMIT_MEMLOCK, &unlimited);  // kernels before 5.11 count maps against it
  const Status status = run(options);
  if (status) return 0;
  fprintf(stderr, "limit: %s\n", status.error().what.c_str());
  return static_cast<int>(status.error().code);
}

}  // namespace
}  // namespace sockeye

int main(int argc, char** argv) { return sockeye::run_and_report(argc, argv); }
