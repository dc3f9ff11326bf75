// SPDX-License-Identifier: Apache-2.0
#include "doctor/runtimes.h"

#include "enrich/container_api.h"

namespace sockeye {
namespace {

using State = ContainerStore::State;

constexpr const char* kPing = "/_ping";  // of Docker's API and of Podman's

}  // namespace

bool RuntimeDiagnosis::has_names() const {
  if (store.state == State::kFound || (api && api->problem.empty())) return true;
  return store.state == State::kNotThere && !api;
}

std::string RuntimeDiagnosis::words() const {
  std::string files;
  if (store.state == State::kFound) files = "names in " + store.path;
  if (store.state == State::kNotReadable) files = store.path + " is not readable: " + store.problem;
  if (!api) return files.empty() ? "not found" : files;
  if (!files.empty()) files += "; ";
  return files + (api->problem.empty() ? "its API answers at " + api->socket
                                       : "its API at " + api->socket + " does not answer: " + api->problem);
}

std::string RuntimeDiagnosis::remedy() const {
  if (has_names()) return "";
  const std::string loss = ": without, its containers are shown by their ids alone";
  if (store.state == State::kNotThere) return "start it, or remove " + api->socket + loss;
  return "run it as root, or give it CAP_DAC_READ_SEARCH" + loss;
}

std::vector<RuntimeDiagnosis> diagnose_runtimes(const std::string& root) {
  std::vector<RuntimeDiagnosis> runtimes;
  for (ContainerStore& store : ContainerFiles(root).stores()) runtimes.push_back({std::move(store), std::nullopt});
  const ContainerApi api(root);
  for (const ContainerDaemon& daemon : api.daemons()) {
    for (RuntimeDiagnosis& runtime : runtimes) {
      if (!runtime.store.runtime.starts_with(daemon.runtime)) continue;
      const auto answer = ask_daemon(daemon, kPing);
      runtime.api = RuntimeApi{daemon.socket, answer ? "" : answer.error().what};
    }
  }
  return runtimes;
}

}  // namespace sockeye
