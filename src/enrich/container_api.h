// SPDX-License-Identifier: Apache-2.0
// Asks the daemons of Docker and Podman what they call a container, for what no file tells: where their data cannot be
// read or lies elsewhere, and which pod of Podman's a container is in. In a thread of its own, as a daemon may take its
// time: nobody waits for an answer.
//
// Containers are asked for in the lists (GET /containers/json of Docker's API, /libpod/containers/json of Podman's): a
// single one is locked while it starts, and would be told of after its first packets.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/result.h"
#include "enrich/container_json.h"

namespace sockeye {

// The socket of a daemon, and how it is asked for a container.
struct ContainerDaemon {
  std::string_view runtime;  // docker, podman
  std::string socket;
  std::string_view list;  // the path that lists containers
};

class ContainerApi {
 public:
  static constexpr size_t kMaxAnswer = 256 * 1024;  // bytes; a container takes about 2,000
  static constexpr size_t kMaxWaiting = 256;        // questions
  static constexpr long kConnectMs = 500, kAnswerMs = 2000;
  // After so many questions that it let wait in vain a daemon is left alone for a while: what waits is answered with
  // nothing then, in place of two seconds each.
  static constexpr unsigned kMostInVain = 2;
  static constexpr std::chrono::seconds kLeftAlone{60};

  // `root` is put before the paths of sockets; "" is the machine itself.
  explicit ContainerApi(const std::string& root);
  // Gives up an answer that is under way, which libcurl notices within a second.
  ~ContainerApi();

  // Of a container with a hexadecimal id. False: there is nobody to ask, or too much is waiting already. Where no
  // thread can be started there is nobody from then on.
  bool ask(const std::string& id);

  // Calls `answered` with what has come since; the labels are empty where nobody knows the container. Does not wait.
  void take(const std::function<void(const std::string& id, const ContainerLabels& labels)>& answered);

  // Waits until every question has been answered, or so long.
  void wait(std::chrono::milliseconds limit);

  const std::vector<ContainerDaemon>& daemons() const { return daemons_; }

 private:
  // Of a daemon, known to the thread alone.
  struct Silence {
    unsigned in_vain = 0;  // questions in a row
    std::chrono::steady_clock::time_point until;
  };

  bool start();
  void work();
  Result<std::string> ask_once(size_t daemon, const std::string& path);
  ContainerLabels look_up(const std::string& id);

  std::vector<ContainerDaemon> daemons_;
  std::vector<Silence> silences_;  // one a daemon
  std::thread thread_;
  std::mutex mutex_;  // of all below
  std::condition_variable wake_;
  std::condition_variable idle_;
  std::deque<std::string> questions_;
  std::vector<std::pair<std::string, ContainerLabels>> answers_;
  bool busy_ = false;
  std::atomic<bool> stop_ = false;
};

// The answer of a daemon to a GET of `path`; an error says why there is none. Ends early where `*stop` becomes true.
Result<std::string> ask_daemon(const ContainerDaemon& daemon, const std::string& path,
                               const std::atomic<bool>* stop = nullptr);

}  // namespace sockeye
