// SPDX-License-Identifier: Apache-2.0
// A TCP workload whose every connection is known: what scenarios compare sockeye's stream with.
//
// Client and server are two processes. A connection is: connect, 64 bytes there, the same 64 bytes back, close by the
// client first. Without errors that is ten transitions a connection: five of the client's socket (the last one derived:
// FIN_WAIT2 -> TIME_WAIT) and five of the server's. At its end each side prints one line of key=value: what it did, and
// with --figures how long that took. The benchmarks (bench/) use it as well.
#include <arpa/inet.h>
#include <getopt.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "tests/netns/load.h"

namespace sockeye {

void count_error(LoadTruth& truth, const char* what) {
  if (truth.errors.fetch_add(1) == 0) fprintf(stderr, "load: first error: %s: %s\n", what, errno_text(errno).c_str());
}

Fd stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return Fd(signalfd(-1, &signals, SFD_CLOEXEC));
}

void tell_ready(const LoadOptions& options) {
  if (options.ready_fd < 0) return;
  if (write(options.ready_fd, "\n", 1) != 1) perror("load: --ready-fd");
  close(options.ready_fd);
}

void set_option(const Fd& fd, int level, int option) {
  const int one = 1;
  setsockopt(fd.get(), level, option, &one, sizeof one);
}

namespace {

constexpr char kUsage[] =
    "usage: load server --addr A --port P [--threads T] [--ready-fd N] [--discard]\n"
    "         until SIGINT or SIGTERM; prints accepted= closed= errors=\n"
    "       load client --addr A --port P [--connections N] [--threads T] [--ready-fd N]\n"
    "                   [--hold SECONDS | --requests N | --stream BYTES] [--rate A_SECOND]\n"
    "                   [--source-addresses K --first-source A] [--figures]\n"
    "         prints connections= closed= errors=; exit 1 if there were errors\n"
    "  --hold      open all, then wait so long or for a signal, then close all at once\n"
    "  --requests  open all, send a message and wait for the answer so many times, then close all\n"
    "  --stream    open all, send so many bytes to a server that discards them, then close all\n"
    "  --discard   the server answers nothing\n"
    "  --rate      connections or requests a second; without it as fast as it goes\n"
    "  --figures   seconds=, cpu_seconds= of the client, and the percentiles p50_us= p99_us= p999_us= of a connection "
    "or\n"
    "              request; with --rate also due_p50_us= ..., from when it was due\n";

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

bool parse_option(int option, const char* value, LoadOptions& options) {
  socklen_t ignored = 0;
  switch (option) {
    case 'a': return parse_address(value, options.address, options.address_size);
    case 'p': return parse_number(value, options.port);
    case 'n': return parse_number(value, options.connections);
    case 't': return parse_number(value, options.threads) && options.threads > 0;
    case 'q': return parse_number(value, options.requests) && options.requests > 0;
    case 'b': return parse_number(value, options.stream_bytes) && options.stream_bytes > 0;
    case 'd': return options.discard = true;
    case 'f': return options.figures = true;
    case 'R': return parse_number(value, options.rate) && options.rate > 0;
    case 'h': return parse_number(value, options.hold_seconds) && options.hold_seconds >= 0;
    case 'r': return parse_number(value, options.ready_fd);
    case 'k': return parse_number(value, options.sources);
    case 's': return parse_address(value, options.first_source, ignored);
    default: return false;
  }
}

bool parse_options(int argc, char** argv, LoadOptions& options) {
  constexpr option kLong[] = {
      {"addr", required_argument, nullptr, 'a'},
      {"port", required_argument, nullptr, 'p'},
      {"connections", required_argument, nullptr, 'n'},
      {"threads", required_argument, nullptr, 't'},
      {"rate", required_argument, nullptr, 'R'},
      {"hold", required_argument, nullptr, 'h'},
      {"ready-fd", required_argument, nullptr, 'r'},
      {"source-addresses", required_argument, nullptr, 'k'},
      {"first-source", required_argument, nullptr, 's'},
      {"requests", required_argument, nullptr, 'q'},
      {"stream", required_argument, nullptr, 'b'},
      {"discard", no_argument, nullptr, 'd'},
      {"figures", no_argument, nullptr, 'f'},
      {nullptr, 0, nullptr, 0},
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

int run_load(int argc, char** argv) {
  LoadOptions options;
  if (!parse_options(argc, argv, options)) return fputs(kUsage, stderr), 2;
  rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  const Status status = options.side == "server" ? load_server(options) : load_client(options);
  if (status) return 0;
  fprintf(stderr, "load: %s\n", status.error().what.c_str());
  return 1;
}

}  // namespace
}  // namespace sockeye

int main(int argc, char** argv) { return sockeye::run_load(argc, argv); }
