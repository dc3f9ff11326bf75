// SPDX-License-Identifier: Apache-2.0
// The client of the workload program: connections one after the other, or all held open, idle or at work.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <thread>
#include <vector>

#include "tests/netns/load.h"

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24  // <linux/in.h>
#endif

namespace sockeye {
namespace {

using std::chrono::steady_clock;

constexpr size_t kStreamBytes = 1 << 16;

// ---- how long it took ----

// What one thread did, in ns. At a rate the time since it was due counts as well: who waits only for the answer before
// does not see how late everything has become (coordinated omission).
struct Latencies {
  std::vector<uint64_t> own;
  std::vector<uint64_t> since_due;
};

// When the next thing is due, for all threads alike.
class Schedule {
 public:
  explicit Schedule(double rate) : rate_(rate), start_(steady_clock::now()) {}

  steady_clock::time_point wait_for(uint64_t number) const {
    if (rate_ <= 0) return steady_clock::now();
    const auto due = start_ + std::chrono::nanoseconds(static_cast<int64_t>(1e9 / rate_ * static_cast<double>(number)));
    std::this_thread::sleep_until(due);
    return due;
  }
  bool is_paced() const { return rate_ > 0; }
  double seconds() const { return std::chrono::duration<double>(steady_clock::now() - start_).count(); }

 private:
  double rate_;
  steady_clock::time_point start_;
};

// Runs it at its time.
template <typename Work>
void timed(const Schedule& schedule, uint64_t number, Latencies& latencies, Work work) {
  const auto due = schedule.wait_for(number);
  const auto begin = steady_clock::now();
  if (!work()) return;
  const auto end = steady_clock::now();
  latencies.own.push_back(static_cast<uint64_t>((end - begin).count()));
  if (schedule.is_paced()) latencies.since_due.push_back(static_cast<uint64_t>((end - due).count()));
}

// The smallest value that `part` of all do not exceed (nearest rank), in microseconds.
double percentile(const std::vector<uint64_t>& sorted, double part) {
  if (sorted.empty()) return 0;
  const auto rank = static_cast<size_t>(std::ceil(part * static_cast<double>(sorted.size())));
  return static_cast<double>(sorted[std::max<size_t>(rank, 1) - 1]) / 1e3;
}

void print_percentiles(const char* prefix, const std::vector<Latencies>& of_threads,
                       std::vector<uint64_t> Latencies::*which) {
  std::vector<uint64_t> all;
  for (const Latencies& one : of_threads) all.insert(all.end(), (one.*which).begin(), (one.*which).end());
  if (all.empty()) return;
  std::sort(all.begin(), all.end());
  printf(" %sp50_us=%.1f %sp99_us=%.1f %sp999_us=%.1f", prefix, percentile(all, 0.5), prefix, percentile(all, 0.99),
         prefix, percentile(all, 0.999));
}

double seconds_of(const timeval& time) { return static_cast<double>(time.tv_sec) + time.tv_usec / 1e6; }

void print_figures(double seconds, const std::vector<Latencies>& latencies) {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  printf(" seconds=%.6f cpu_seconds=%.6f", seconds, seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime));
  print_percentiles("", latencies, &Latencies::own);
  print_percentiles("due_", latencies, &Latencies::since_due);
}

// ---- connections ----

// first + n, as an address.
sockaddr_storage counted_up(const sockaddr_storage& first, uint32_t n) {
  sockaddr_storage address = first;
  if (address.ss_family == AF_INET) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(address);
    v4.sin_addr.s_addr = htonl(ntohl(v4.sin_addr.s_addr) + n);
  } else {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(address);
    uint32_t& last = v6.sin6_addr.s6_addr32[3];
    last = htonl(ntohl(last) + n);
  }
  return address;
}

Fd connect_one(const LoadOptions& options, uint64_t number, LoadTruth& truth) {
  Fd fd(socket(options.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return count_error(truth, "socket"), Fd();
  set_option(fd, IPPROTO_TCP, TCP_NODELAY);
  if (options.sources > 0) {
    const sockaddr_storage source = counted_up(options.first_source, static_cast<uint32_t>(number % options.sources));
    set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
    if (bind(fd.get(), as_sockaddr(source), options.address_size) != 0) return count_error(truth, "bind"), Fd();
  }
  if (connect(fd.get(), as_sockaddr(options.address), options.address_size) != 0) {
    return count_error(truth, "connect"), Fd();
  }
  return fd;
}

bool failed(LoadTruth& truth, const char* what) { return count_error(truth, what), false; }

bool exchange(const Fd& fd, LoadTruth& truth) {
  char bytes[kMessageBytes];
  memset(bytes, 'x', sizeof bytes);
  if (send(fd.get(), bytes, sizeof bytes, MSG_NOSIGNAL) != sizeof bytes) return failed(truth, "send");
  for (size_t got = 0; got < sizeof bytes;) {
    const ssize_t n = read(fd.get(), bytes, sizeof bytes - got);
    if (n <= 0) return failed(truth, "read");
    got += static_cast<size_t>(n);
  }
  return true;
}

void connect_in_turn(const LoadOptions& options, unsigned thread, const Schedule& schedule, LoadTruth& truth,
                     Latencies& latencies) {
  latencies.own.reserve(options.connections / options.threads + 1);
  if (schedule.is_paced()) latencies.since_due.reserve(options.connections / options.threads + 1);
  for (uint64_t i = thread; i < options.connections; i += options.threads) {
    timed(schedule, i, latencies, [&] {
      const Fd fd = connect_one(options, i, truth);
      if (!fd) return false;
      if (exchange(fd, truth)) ++truth.connections;
      ++truth.closed;
      return true;
    });
  }
}

// ---- connections that are held open ----

// This thread's share of all that is sent.
uint64_t share_of(uint64_t all, const LoadOptions& options, unsigned thread) {
  return all / options.threads + (thread < all % options.threads ? 1 : 0);
}

void request_in_turn(const std::vector<Fd>& open, const LoadOptions& options, unsigned thread, const Schedule& schedule,
                     LoadTruth& truth, Latencies& latencies) {
  const uint64_t mine = open.empty() ? 0 : share_of(options.requests, options, thread);
  latencies.own.reserve(mine);
  for (uint64_t i = 0; i < mine; ++i) {
    timed(schedule, i * options.threads + thread, latencies, [&] { return exchange(open[i % open.size()], truth); });
  }
}

void stream_all(const std::vector<Fd>& open, const LoadOptions& options, unsigned thread, LoadTruth& truth) {
  const std::vector<char> bytes(kStreamBytes, 'x');
  uint64_t left = open.empty() ? 0 : share_of(options.stream_bytes, options, thread);
  for (uint64_t i = 0; left > 0; ++i) {
    const ssize_t sent = send(open[i % open.size()].get(), bytes.data(), std::min(left, bytes.size()), MSG_NOSIGNAL);
    if (sent <= 0) return count_error(truth, "send");
    left -= static_cast<uint64_t>(sent);
  }
}

// The connections that one thread holds open. `gate` is passed three times: when all are open, when work may begin, and
// when all may close.
void connect_and_hold(const LoadOptions& options, unsigned thread, LoadTruth& truth, std::barrier<>& gate,
                      const Schedule& schedule, Latencies& latencies) {
  std::vector<Fd> open;
  for (uint64_t i = thread; i < options.connections; i += options.threads) {
    Fd fd = connect_one(options, i, truth);
    if (!fd) continue;
    if (options.stream_bytes > 0 || exchange(fd, truth)) ++truth.connections;
    open.push_back(std::move(fd));
  }
  gate.arrive_and_wait();
  gate.arrive_and_wait();
  request_in_turn(open, options, thread, schedule, truth, latencies);
  stream_all(open, options, thread, truth);
  gate.arrive_and_wait();
  truth.closed += open.size();
}

// The seconds, or until a signal comes.
void hold(const Fd& stop, double seconds) {
  pollfd waiting = {stop.get(), POLLIN, 0};
  poll(&waiting, 1, static_cast<int>(seconds * 1000));
}

}  // namespace

Status load_client(const LoadOptions& options) {
  const Fd stop = stop_signals();
  // Inherited by the threads. Else each sleep is up to 50 us longer.
  if (options.rate > 0) prctl(PR_SET_TIMERSLACK, 1);
  LoadTruth truth;
  std::vector<std::thread> threads;
  std::vector<Latencies> latencies(options.threads);
  std::barrier gate(options.threads + 1);
  const bool holds = options.hold_seconds >= 0 || options.requests > 0 || options.stream_bytes > 0;
  Schedule schedule(options.rate);
  for (unsigned i = 0; i < options.threads; ++i) {
    if (holds) {
      threads.emplace_back([&, i] { connect_and_hold(options, i, truth, gate, schedule, latencies[i]); });
    } else {
      threads.emplace_back([&, i] { connect_in_turn(options, i, schedule, truth, latencies[i]); });
    }
  }
  if (holds) {
    gate.arrive_and_wait();
    tell_ready(options);
    if (options.hold_seconds >= 0) hold(stop, options.hold_seconds);
    schedule = Schedule(options.rate);
    gate.arrive_and_wait();
    gate.arrive_and_wait();
  }
  double seconds = schedule.seconds();
  for (std::thread& thread : threads) thread.join();
  if (!holds) seconds = schedule.seconds();
  const uint64_t errors = truth.errors.load();
  printf("connections=%lu closed=%lu errors=%lu", truth.connections.load(), truth.closed.load(), errors);
  if (options.figures) print_figures(seconds, latencies);
  printf("\n");
  if (errors > 0) return Error{ErrorCode::kFailed, std::to_string(errors) + " errors", ""};
  return Ok{};
}

}  // namespace sockeye
