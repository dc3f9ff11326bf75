// SPDX-License-Identifier: Apache-2.0
// A TCP workload whose every connection is known: what scenarios compare sockeye's stream with.
//
// Client and server are two processes. A connection is: connect, 64 bytes there, the same 64 bytes back, close by the
// client first. Without errors that is ten transitions a connection: five of the client's socket (the last one derived:
// FIN_WAIT2 -> TIME_WAIT) and five of the server's. At its end each side prints one line of key=value: what it did.
#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include <atomic>
#include <barrier>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <thread>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24  // <linux/in.h>
#endif

namespace sockeye {
namespace {

using std::chrono::steady_clock;

constexpr size_t kMessageBytes = 64;
constexpr int kBacklog = 4096;
constexpr int kEventsAtATime = 256;
constexpr int kLastWordMs = 2000;

struct Options {
  std::string_view side;
  sockaddr_storage address = {};
  socklen_t address_size = 0;
  uint16_t port = 0;
  uint64_t connections = 1000;
  unsigned threads = 2;      // client: that connect; server: that accept, each with a listener of its own
  double rate = 0;           // client: connections a second, evenly; 0: as fast as it goes
  double hold_seconds = -1;  // client: open all, wait, close all at once; below 0: one after the other
  sockaddr_storage first_source = {};
  uint32_t sources = 0;  // client: source addresses counted up from first_source; 0: the kernel chooses
  int ready_fd = -1;     // gets a byte: server: listening; client: all connections are open
};

struct Truth {
  std::atomic<uint64_t> connections = 0;  // client: made and answered; server: accepted
  std::atomic<uint64_t> closed = 0;
  std::atomic<uint64_t> errors = 0;
};

void count_error(Truth& truth, const char* what) {
  if (truth.errors.fetch_add(1) == 0) fprintf(stderr, "load: first error: %s: %s\n", what, errno_text(errno).c_str());
}

// Blocked in every thread: the process ends by reading them here.
Fd stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return Fd(signalfd(-1, &signals, SFD_CLOEXEC));
}

void tell_ready(const Options& options) {
  if (options.ready_fd < 0) return;
  if (write(options.ready_fd, "\n", 1) != 1) perror("load: --ready-fd");
  close(options.ready_fd);
}

const sockaddr* as_sockaddr(const sockaddr_storage& address) { return reinterpret_cast<const sockaddr*>(&address); }

void set_option(const Fd& fd, int level, int option) {
  const int one = 1;
  setsockopt(fd.get(), level, option, &one, sizeof one);
}

// ---- server ----

Result<Fd> listen_on(const Options& options) {
  Fd fd(socket(options.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  set_option(fd, SOL_SOCKET, SO_REUSEADDR);
  set_option(fd, SOL_SOCKET, SO_REUSEPORT);
  if (bind(fd.get(), as_sockaddr(options.address), options.address_size) != 0 || listen(fd.get(), kBacklog) != 0) {
    return Error{ErrorCode::kFailed, "cannot listen: " + errno_text(errno), ""};
  }
  return fd;
}

class Worker {
 public:
  Worker(Fd listener, int stop_fd, Truth& truth)
      : listener_(std::move(listener)), stop_fd_(stop_fd), truth_(truth), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    watch(listener_.get());
    watch(stop_fd_);
  }

  // Until the signal; after it what is open is served to its end, unless nothing comes for a while.
  void run() {
    epoll_event events[kEventsAtATime];
    while (!stopping_ || open_ > 0) {
      const int n = epoll_wait(epoll_.get(), events, kEventsAtATime, stopping_ ? kLastWordMs : -1);
      if (n == 0) return;
      for (int i = 0; i < n; ++i) {
        if (events[i].data.fd == stop_fd_) {
          stopping_ = true;
          epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, stop_fd_, nullptr);
        } else if (events[i].data.fd == listener_.get()) {
          accept_all();
        } else {
          answer(events[i].data.fd);
        }
      }
    }
  }

 private:
  void watch(int fd) {
    epoll_event event = {};
    event.events = EPOLLIN;
    event.data.fd = fd;
    epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
  }

  void accept_all() {
    for (;;) {
      const int fd = accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) {
        if (errno != EAGAIN && errno != EINTR) count_error(truth_, "accept");
        return;
      }
      ++truth_.connections;
      ++open_;
      watch(fd);
    }
  }

  void answer(int fd) {
    char bytes[kMessageBytes];
    const ssize_t got = read(fd, bytes, sizeof bytes);
    if (got > 0) {
      if (send(fd, bytes, static_cast<size_t>(got), MSG_NOSIGNAL) != got) count_error(truth_, "send");
      return;
    }
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got < 0) count_error(truth_, "read");
    close(fd);
    --open_;
    ++truth_.closed;
  }

  Fd listener_;
  int stop_fd_;
  Truth& truth_;
  Fd epoll_;
  bool stopping_ = false;
  uint64_t open_ = 0;
};

Status serve(const Options& options) {
  const Fd stop = stop_signals();
  Truth truth;
  std::vector<Worker> workers;
  workers.reserve(options.threads);
  for (unsigned i = 0; i < options.threads; ++i) {
    auto listener = listen_on(options);
    if (!listener) return listener.error();
    workers.emplace_back(std::move(*listener), stop.get(), truth);
  }
  std::vector<std::thread> threads;
  for (Worker& worker : workers) threads.emplace_back([&worker] { worker.run(); });
  tell_ready(options);
  for (std::thread& thread : threads) thread.join();
  printf("accepted=%lu closed=%lu errors=%lu\n", truth.connections.load(), truth.closed.load(), truth.errors.load());
  return Ok{};
}

// ---- client ----

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

Fd connect_one(const Options& options, uint64_t number, Truth& truth) {
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

void exchange(const Fd& fd, Truth& truth) {
  char bytes[kMessageBytes];
  memset(bytes, 'x', sizeof bytes);
  if (send(fd.get(), bytes, sizeof bytes, MSG_NOSIGNAL) != sizeof bytes) return count_error(truth, "send");
  for (size_t got = 0; got < sizeof bytes;) {
    const ssize_t n = read(fd.get(), bytes, sizeof bytes - got);
    if (n <= 0) return count_error(truth, "read");
    got += static_cast<size_t>(n);
  }
  ++truth.connections;
}

void connect_in_turn(const Options& options, unsigned thread, Truth& truth) {
  const auto start = steady_clock::now();
  for (uint64_t i = thread; i < options.connections; i += options.threads) {
    if (options.rate > 0) {
      std::this_thread::sleep_until(start + std::chrono::nanoseconds(static_cast<int64_t>(1e9 / options.rate * i)));
    }
    const Fd fd = connect_one(options, i, truth);
    if (!fd) continue;
    exchange(fd, truth);
    ++truth.closed;
  }
}

// The connections that one thread holds open. `gate` is passed twice: when all are open, and when all may close.
void connect_and_hold(const Options& options, unsigned thread, Truth& truth, std::barrier<>& gate) {
  std::vector<Fd> open;
  for (uint64_t i = thread; i < options.connections; i += options.threads) {
    Fd fd = connect_one(options, i, truth);
    if (!fd) continue;
    exchange(fd, truth);
    open.push_back(std::move(fd));
  }
  gate.arrive_and_wait();
  gate.arrive_and_wait();
  truth.closed += open.size();
}

// The seconds, or until a signal comes.
void hold(const Fd& stop, double seconds) {
  pollfd waiting = {stop.get(), POLLIN, 0};
  poll(&waiting, 1, static_cast<int>(seconds * 1000));
}

Status connect_all(const Options& options) {
  const Fd stop = stop_signals();
  Truth truth;
  std::vector<std::thread> threads;
  std::barrier gate(options.threads + 1);
  for (unsigned i = 0; i < options.threads; ++i) {
    if (options.hold_seconds < 0) {
      threads.emplace_back([&, i] { connect_in_turn(options, i, truth); });
    } else {
      threads.emplace_back([&, i] { connect_and_hold(options, i, truth, gate); });
    }
  }
  if (options.hold_seconds >= 0) {
    gate.arrive_and_wait();
    tell_ready(options);
    hold(stop, options.hold_seconds);
    gate.arrive_and_wait();
  }
  for (std::thread& thread : threads) thread.join();
  const uint64_t errors = truth.errors.load();
  printf("connections=%lu closed=%lu errors=%lu\n", truth.connections.load(), truth.closed.load(), errors);
  if (errors > 0) return Error{ErrorCode::kFailed, std::to_string(errors) + " errors", ""};
  return Ok{};
}

// ---- command line ----

constexpr char kUsage[] =
    "usage: load server --addr A --port P [--threads T] [--ready-fd N]\n"
    "         until SIGINT or SIGTERM; prints accepted= closed= errors=\n"
    "       load client --addr A --port P [--connections N] [--threads T] [--hold SECONDS] [--ready-fd N]\n"
    "                   [--rate CONNECTIONS_A_SECOND] [--source-addresses K --first-source A]\n"
    "         prints connections= closed= errors=; exit 1 if there were errors\n"
    "  --hold  open all, then wait so long or for a signal, then close all at once\n";

template <typename T>
bool parse_number(const char* text, T& number) {
  const char* end = text + strlen(text);
  const auto [rest, error] = std::from_chars(text, end, number);
  return error == std::errc() && rest == end;
}

bool parse_address(const char* text, sockaddr_storage& address, socklen_t& size) {
  auto& v4 = reinterpret_cast<sockaddr_in&>(address);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(address);
  if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
    address.ss_family = AF_INET;
    size = sizeof v4;
    return true;
  }
  address.ss_family = AF_INET6;
  size = sizeof v6;
  return inet_pton(AF_INET6, text, &v6.sin6_addr) == 1;
}

bool parse_option(int option, const char* value, Options& options) {
  socklen_t ignored = 0;
  switch (option) {
    case 'a': return parse_address(value, options.address, options.address_size);
    case 'p': return parse_number(value, options.port);
    case 'n': return parse_number(value, options.connections);
    case 't': return parse_number(value, options.threads) && options.threads > 0;
    case 'R': return parse_number(value, options.rate) && options.rate > 0;
    case 'h': return parse_number(value, options.hold_seconds) && options.hold_seconds >= 0;
    case 'r': return parse_number(value, options.ready_fd);
    case 'k': return parse_number(value, options.sources);
    case 's': return parse_address(value, options.first_source, ignored);
    default: return false;
  }
}

bool parse_options(int argc, char** argv, Options& options) {
  constexpr option kLong[] = {
      {"addr", required_argument, nullptr, 'a'},         {"port", required_argument, nullptr, 'p'},
      {"connections", required_argument, nullptr, 'n'},  {"threads", required_argument, nullptr, 't'},
      {"rate", required_argument, nullptr, 'R'},         {"hold", required_argument, nullptr, 'h'},
      {"ready-fd", required_argument, nullptr, 'r'},     {"source-addresses", required_argument, nullptr, 'k'},
      {"first-source", required_argument, nullptr, 's'}, {nullptr, 0, nullptr, 0},
  };
  int option;
  while ((option = getopt_long(argc, argv, "", kLong, nullptr)) != -1) {
    if (!parse_option(option, optarg, options)) return false;
  }
  if (optind != argc - 1 || options.port == 0 || options.address_size == 0) return false;
  options.side = argv[optind];
  if (options.sources > 0 && options.first_source.ss_family != options.address.ss_family) return false;
  // sin_port and sin6_port lie at the same place.
  reinterpret_cast<sockaddr_in&>(options.address).sin_port = htons(options.port);
  return options.side == "server" || options.side == "client";
}

int run(int argc, char** argv) {
  Options options;
  if (!parse_options(argc, argv, options)) return fputs(kUsage, stderr), 2;
  rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  const Status status = options.side == "server" ? serve(options) : connect_all(options);
  if (status) return 0;
  fprintf(stderr, "load: %s\n", status.error().what.c_str());
  return 1;
}

}  // namespace
}  // namespace sockeye

int main(int argc, char** argv) { return sockeye::run(argc, argv); }
