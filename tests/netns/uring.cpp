// SPDX-License-Identifier: Apache-2.0
// TCP connections made with io_uring: what scenarios compare the owners in sockeye's stream with.
//
// Client and server are two processes. A connection is: connect, 64 bytes there, the same 64 bytes back, close by the
// client first; each step is one request, waited for. At its end each side prints connections=N.
#include <arpa/inet.h>
#include <liburing.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"

namespace sockeye {
namespace {

constexpr char kUsage[] =
    "usage: sockeye_uring server|client ADDRESS PORT CONNECTIONS plain|async|sqpoll [READY_FD]\n"
    "  plain   requests run in the system call that submits them, where they can\n"
    "  async   each runs in a worker thread of the kernel's (IOSQE_ASYNC)\n"
    "  sqpoll  a thread of the kernel's submits them (IORING_SETUP_SQPOLL)\n"
    "  READY_FD gets a byte when the server listens. Exit code 77: this kernel has no such ring\n";
constexpr size_t kMessageBytes = 64;
constexpr int kNoRing = 77;
constexpr unsigned kIdleMs = 2000;  // until the submitting thread sleeps

struct Options {
  std::string_view side;
  sockaddr_storage address = {};
  socklen_t address_size = 0;
  unsigned connections = 0;
  std::string_view how;
  int ready_fd = -1;
};

class Ring {
 public:
  explicit Ring(std::string_view how) : is_async_(how == "async") {
    io_uring_params params = {};
    if (how == "sqpoll") {
      params.flags = IORING_SETUP_SQPOLL;
      params.sq_thread_idle = kIdleMs;
    }
    error_ = -io_uring_queue_init_params(4, &ring_, &params);
  }
  ~Ring() {
    if (error_ == 0) io_uring_queue_exit(&ring_);
  }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  int error() const { return error_; }  // an errno; 0: it can be used

  // Submits what `prepare` fills in and waits for its end: the result, negative where it failed.
  int run(const std::function<void(io_uring_sqe*)>& prepare) {
    io_uring_sqe* request = io_uring_get_sqe(&ring_);
    if (!request) return -EBUSY;
    prepare(request);
    if (is_async_) io_uring_sqe_set_flags(request, IOSQE_ASYNC);
    const int submitted = io_uring_submit(&ring_);
    if (submitted < 0) return submitted;
    io_uring_cqe* done = nullptr;
    int waited;
    do {
      waited = io_uring_wait_cqe(&ring_, &done);
    } while (waited == -EINTR);
    if (waited < 0) return waited;
    const int result = done->res;
    io_uring_cqe_seen(&ring_, done);
    return result;
  }

  bool transfer(const Fd& fd, char* bytes, bool send) {
    for (size_t at = 0; at < kMessageBytes;) {
      const int n = run([&](io_uring_sqe* request) {
        if (send) {
          io_uring_prep_send(request, fd.get(), bytes + at, kMessageBytes - at, MSG_NOSIGNAL);
        } else {
          io_uring_prep_recv(request, fd.get(), bytes + at, kMessageBytes - at, 0);
        }
      });
      if (n <= 0) return false;
      at += static_cast<size_t>(n);
    }
    return true;
  }

 private:
  io_uring ring_ = {};
  bool is_async_;
  int error_;
};

Error failed(const char* what, int error) {
  return {ErrorCode::kFailed, std::string(what) + ": " + errno_text(error), ""};
}

const sockaddr* address_of(const Options& options) { return reinterpret_cast<const sockaddr*>(&options.address); }

Status serve(const Options& options, Ring& ring) {
  const Fd listener(socket(options.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int one = 1;
  setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(listener.get(), address_of(options), options.address_size) != 0 || listen(listener.get(), 64) != 0) {
    return failed("listen", errno);
  }
  if (options.ready_fd >= 0 && write(options.ready_fd, "\n", 1) != 1) return failed("READY_FD", errno);
  char bytes[kMessageBytes];
  for (unsigned i = 0; i < options.connections; ++i) {
    const Fd fd(ring.run(
        [&](io_uring_sqe* request) { io_uring_prep_accept(request, listener.get(), nullptr, nullptr, SOCK_CLOEXEC); }));
    if (!fd) return failed("accept", -fd.get());
    if (!ring.transfer(fd, bytes, false) || !ring.transfer(fd, bytes, true)) return failed("transfer", EIO);
    const int end =
        ring.run([&](io_uring_sqe* request) { io_uring_prep_recv(request, fd.get(), bytes, sizeof bytes, 0); });
    if (end != 0) return failed("the client's end", end < 0 ? -end : EPROTO);
  }
  return Ok{};
}

Status connect_all(const Options& options, Ring& ring) {
  char bytes[kMessageBytes] = {};
  for (unsigned i = 0; i < options.connections; ++i) {
    const Fd fd(socket(options.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int connected = ring.run([&](io_uring_sqe* request) {
      io_uring_prep_connect(request, fd.get(), address_of(options), options.address_size);
    });
    if (connected < 0) return failed("connect", -connected);
    if (!ring.transfer(fd, bytes, true) || !ring.transfer(fd, bytes, false)) return failed("transfer", EIO);
  }
  return Ok{};
}

bool parse_number(std::string_view text, auto& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

bool parse_options(int argc, char** argv, Options& options) {
  uint16_t port = 0;
  if (argc != 6 && argc != 7) return false;
  options.side = argv[1];
  options.how = argv[5];
  auto& v4 = reinterpret_cast<sockaddr_in&>(options.address);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(options.address);
  if (!parse_number(argv[3], port) || !parse_number(argv[4], options.connections)) return false;
  if (argc == 7 && !parse_number(argv[6], options.ready_fd)) return false;
  if (inet_pton(AF_INET, argv[2], &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    options.address_size = sizeof v4;
  } else if (inet_pton(AF_INET6, argv[2], &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    options.address_size = sizeof v6;
  }
  v4.sin_port = htons(port);  // sin6_port lies at the same place
  return options.address_size != 0 && (options.side == "server" || options.side == "client") &&
         (options.how == "plain" || options.how == "async" || options.how == "sqpoll");
}

int run(int argc, char** argv) {
  Options options;
  if (!parse_options(argc, argv, options)) return fputs(kUsage, stderr), 2;
  Ring ring(options.how);
  if (ring.error() != 0) {
    fprintf(stderr, "uring: %s\n", errno_text(ring.error()).c_str());
    return kNoRing;
  }
  const Status status = options.side == "server" ? serve(options, ring) : connect_all(options, ring);
  if (!status) return fprintf(stderr, "uring: %s\n", status.error().what.c_str()), 1;
  printf("connections=%u\n", options.connections);
  return 0;
}

}  // namespace
}  // namespace sockeye

int main(int argc, char** argv) { return sockeye::run(argc, argv); }
