// SPDX-License-Identifier: Apache-2.0
// From the id of a container to what people call it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "enrich/container_api.h"
#include "enrich/container_files.h"
#include "event/context.h"

namespace sockeye {

// A container is looked up once, whatever cgroups it makes below its own: in files at once, and where they do not tell,
// a daemon is asked, whose answer comes later.
class ContainerNames {
 public:
  static constexpr size_t kCapacity = 4096;

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
  bool is_awaited(const std::string& container) const;

 private:
  enum class Question : uint8_t { kNone, kWaitsForRoom, kAsked };
  struct Known {
    ContainerLabels labels;
    Question question = Question::kNone;
  };

  void ask(const std::string& id, Known* known);

  ContainerFiles files_;
  ContainerApi api_;
  std::unordered_map<std::string, Known> known_;  // by id
  size_t awaited_ = 0;                            // answers
};

}  // namespace sockeye
