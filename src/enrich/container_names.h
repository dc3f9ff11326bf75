// SPDX-License-Identifier: Apache-2.0
// From the id of a container to what people call it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "enrich/container_api.h"
#include "enrich/container_files.h"
#include "event/context.h"

namespace sockeye {

// A container is looked up once, whatever cgroups it makes below its own: in files at once, and where they do not tell,
// a daemon is asked, whose answer comes later. Of what a user says of himself his own files alone are asked, and
// nothing that he does makes the others be forgotten.
class ContainerNames {
 public:
  static constexpr size_t kCapacity = 4096;  // containers of root's, and as many of users; more where daemons are asked
  static constexpr std::chrono::seconds kDue{5};  // two daemons that do not answer take as long

  // `root` is put before every path that is opened; "" is the machine itself.
  explicit ContainerNames(const std::string& root) : files_(root), api_(root) {}

  // What may be read again in each batch may be read again.
  void begin_batch() { files_.begin_batch(); }

  // Fills in the names of the container and the pod that `context` says it is in.
  void complete(Context* context);

  // Takes the answers that have come. True: there was one, and contexts may be completed anew, which also asks what
  // there was no room for.
  bool take_answers();
  // Waits for the answers that are to come, so long at most.
  void wait(std::chrono::milliseconds limit) { api_.wait(limit); }
  bool has_daemons() const { return !api_.daemons().empty(); }

  // Whether a daemon is to tell the name of this container, and has not answered yet.
  bool is_awaited(const Context& context) const;
  // Whether it was asked for so short a time ago, kDue, that one may wait for the answer.
  bool is_due(const Context& context) const;

 private:
  enum class Question : uint8_t { kNone, kWaitsForRoom, kAsked };
  struct Known {
    ContainerLabels labels;
    Question question = Question::kNone;
    std::chrono::steady_clock::time_point since;  // the question
  };
  using Containers = std::unordered_map<std::string, Known>;

  Known& known_of(const Context& context);
  void ask(const std::string& id, Known* known);

  ContainerFiles files_;
  ContainerApi api_;
  Containers known_;    // by id
  Containers claimed_;  // by user and id
  size_t awaited_ = 0;  // answers
};

}  // namespace sockeye
