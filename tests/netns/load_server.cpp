// SPDX-License-Identifier: Apache-2.0
// The server of the workload program: answers with what it gets, or discards it.
#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <thread>
#include <vector>

#include "tests/netns/load.h"

namespace sockeye {
namespace {

constexpr int kBacklog = 4096;
constexpr int kEventsAtATime = 256;
constexpr int kLastWordMs = 2000;
constexpr size_t kDiscardBytes = 1 << 18;

Result<Fd> listen_on(const LoadOptions& options) {
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
  Worker(Fd listener, int stop_fd, bool discard, LoadTruth& truth)
      : listener_(std::move(listener)),
        stop_fd_(stop_fd),
        discard_(discard),
        bytes_(discard ? kDiscardBytes : kMessageBytes),
        truth_(truth),
        epoll_(epoll_create1(EPOLL_CLOEXEC)) {
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
    const ssize_t got = read(fd, bytes_.data(), bytes_.size());
    if (got > 0) {
      if (!discard_ && send(fd, bytes_.data(), static_cast<size_t>(got), MSG_NOSIGNAL) != got) {
        count_error(truth_, "send");
      }
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
  bool discard_;
  std::vector<char> bytes_;
  LoadTruth& truth_;
  Fd epoll_;
  bool stopping_ = false;
  uint64_t open_ = 0;
};

}  // namespace

Status load_server(const LoadOptions& options) {
  const Fd stop = stop_signals();
  LoadTruth truth;
  std::vector<Worker> workers;
  workers.reserve(options.threads);
  for (unsigned i = 0; i < options.threads; ++i) {
    auto listener = listen_on(options);
    if (!listener) return listener.error();
    workers.emplace_back(std::move(*listener), stop.get(), options.discard, truth);
  }
  std::vector<std::thread> threads;
  for (Worker& worker : workers) threads.emplace_back([&worker] { worker.run(); });
  tell_ready(options);
  for (std::thread& thread : threads) thread.join();
  printf("accepted=%lu closed=%lu errors=%lu\n", truth.connections.load(), truth.closed.load(), truth.errors.load());
  return Ok{};
}

}  // namespace sockeye
