// SPDX-License-Identifier: Apache-2.0
#include "enrich/container_api.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <sys/stat.h>

#include <memory>
#include <system_error>
#include <type_traits>

namespace sockeye {
namespace {

bool is_socket(const std::string& path) {
  struct stat status = {};
  return ::stat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
}

// libcurl, loaded when there is a daemon to ask: with the 28 libraries that it needs it costs a start 6 ms of CPU.
struct Curl {
  decltype(&curl_easy_init) init = nullptr;
  decltype(&curl_easy_setopt) set = nullptr;
  decltype(&curl_easy_perform) perform = nullptr;
  decltype(&curl_easy_strerror) words = nullptr;
  decltype(&curl_easy_cleanup) cleanup = nullptr;
  bool is_whole = false;
};

const Curl& curl() {
  static const Curl loaded = [] {
    Curl it;
    void* library = ::dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);  // stays until the end
    if (!library) return it;
    const auto find = [&](auto* function, const char* name) {
      *function = reinterpret_cast<std::remove_reference_t<decltype(*function)>>(::dlsym(library, name));
      return *function != nullptr;
    };
    it.is_whole = find(&it.init, "curl_easy_init") && find(&it.set, "curl_easy_setopt") &&
                  find(&it.perform, "curl_easy_perform") && find(&it.words, "curl_easy_strerror") &&
                  find(&it.cleanup, "curl_easy_cleanup");
    return it;
  }();
  return loaded;
}

struct CurlCloser {
  void operator()(CURL* handle) const { curl().cleanup(handle); }
};

size_t take_bytes(char* bytes, size_t, size_t count, void* to) {
  auto& answer = *static_cast<std::string*>(to);
  if (answer.size() + count > ContainerApi::kMaxAnswer) return 0;  // ends it with an error
  answer.append(bytes, count);
  return count;
}

int is_over(void* stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return stop && static_cast<const std::atomic<bool>*>(stop)->load();
}

// {"id":["ID"]} as it stands in a URL.
std::string filter_for(const std::string& id) { return "%7B%22id%22%3A%5B%22" + id + "%22%5D%7D"; }

}  // namespace

Result<std::string> ask_daemon(const ContainerDaemon& daemon, const std::string& path, const std::atomic<bool>* stop) {
  const Curl& library = curl();
  const std::unique_ptr<CURL, CurlCloser> handle(library.is_whole ? library.init() : nullptr);
  if (!handle) return Error{ErrorCode::kFailed, "libcurl.so.4 does not load", "install libcurl4"};
  std::string answer;
  const std::string url = "http://localhost" + path;
  const auto set = [&](CURLoption option, auto value) { library.set(handle.get(), option, value); };
  set(CURLOPT_UNIX_SOCKET_PATH, daemon.socket.c_str());
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_PROXY, "");  // whatever the environment says
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_FAILONERROR, 1L);
  set(CURLOPT_CONNECTTIMEOUT_MS, ContainerApi::kConnectMs);
  set(CURLOPT_TIMEOUT_MS, ContainerApi::kAnswerMs);
  set(CURLOPT_WRITEFUNCTION, take_bytes);
  set(CURLOPT_WRITEDATA, &answer);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, is_over);
  set(CURLOPT_XFERINFODATA, stop);
  const CURLcode code = library.perform(handle.get());
  if (code != CURLE_OK) return Error{ErrorCode::kFailed, library.words(code), ""};
  return answer;
}

ContainerApi::ContainerApi(const std::string& root) {
  // Podman's own API knows its pods; both answer to Docker's.
  for (ContainerDaemon daemon :
       {ContainerDaemon{"docker", "/run/docker.sock", "/containers/json"},
        ContainerDaemon{"podman", "/run/podman/podman.sock", "/v4.0.0/libpod/containers/json"}}) {
    daemon.socket = root + daemon.socket;
    if (is_socket(daemon.socket)) daemons_.push_back(std::move(daemon));
  }
  silences_.resize(daemons_.size());
}

ContainerApi::~ContainerApi() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

bool ContainerApi::ask(const std::string& id) {
  if (daemons_.empty()) return false;
  if (!thread_.joinable() && !start()) {
    daemons_.clear();
    return false;
  }
  {
    const std::lock_guard lock(mutex_);
    if (questions_.size() >= kMaxWaiting) return false;
    questions_.push_back(id);
  }
  wake_.notify_one();
  return true;
}

// The one way to learn of it: the library throws where the limit of tasks (pids.max) is reached.
bool ContainerApi::start() {
  try {
    thread_ = std::thread(&ContainerApi::work, this);
  } catch (const std::system_error&) {
    return false;
  }
  return true;
}

void ContainerApi::take(const std::function<void(const std::string& id, const ContainerLabels& labels)>& answered) {
  std::vector<std::pair<std::string, ContainerLabels>> answers;
  {
    const std::lock_guard lock(mutex_);
    answers.swap(answers_);
  }
  for (const auto& [id, labels] : answers) answered(id, labels);
}

void ContainerApi::wait(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  idle_.wait_for(lock, limit, [this] { return questions_.empty() && !busy_; });
}

void ContainerApi::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    busy_ = !questions_.empty();
    if (!busy_) idle_.notify_all();
    wake_.wait(lock, [this] { return stop_ || !questions_.empty(); });
    if (stop_) return;
    busy_ = true;
    std::string id = std::move(questions_.front());
    questions_.pop_front();
    lock.unlock();
    ContainerLabels labels = look_up(id);
    lock.lock();
    answers_.emplace_back(std::move(id), std::move(labels));
  }
}

// One that refuses does so at once.
Result<std::string> ContainerApi::ask_once(size_t daemon, const std::string& path) {
  Silence& silence = silences_[daemon];
  const auto start = std::chrono::steady_clock::now();
  if (start < silence.until) return Error{ErrorCode::kFailed, "it did not answer before", ""};
  auto answer = ask_daemon(daemons_[daemon], path, &stop_);
  const auto end = std::chrono::steady_clock::now();
  const bool is_in_vain = !answer && end - start >= std::chrono::milliseconds(kConnectMs);
  silence.in_vain = is_in_vain ? silence.in_vain + 1 : 0;
  if (silence.in_vain >= kMostInVain) silence.until = end + kLeftAlone;
  return answer;
}

ContainerLabels ContainerApi::look_up(const std::string& id) {
  ContainerLabels labels;
  for (size_t i = 0; i < daemons_.size(); ++i) {
    const auto answer = ask_once(i, std::string(daemons_[i].list) + "?all=true&filters=" + filter_for(id));
    if (answer) labels.add(labels_in_container_list(*answer, id));
    if (labels.is_complete()) break;
  }
  return labels;
}

}  // namespace sockeye
