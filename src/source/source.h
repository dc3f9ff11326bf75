// SPDX-License-Identifier: Apache-2.0
// Where events come from: the next batch of them, wherever that is.
#pragma once

#include "base/result.h"
#include "event/batch.h"
#include "event/loss.h"

namespace sockeye {

class Source {
 public:
  virtual ~Source() = default;

  // A descriptor that becomes readable (edge-triggered) when much is waiting; -1: there is none, come by time.
  virtual int wake_fd() const = 0;
  // Fills an empty batch. True: it is full and more is waiting.
  virtual bool next(Batch& batch) = 0;
  // Whether no more will ever come. A live source goes on for ever.
  virtual bool ended() const { return false; }
  // What was lost so far on this side. `exact` asks the kernel for every counter; else only for what costs nothing.
  virtual Losses losses(bool exact) = 0;
  // Events with OUTCOME_TABLE_FULL so far: what remained of their sockets is not certain.
  virtual uint64_t table_full() const { return 0; }
  // Counters that did not fit together so far, on this side.
  virtual uint64_t anomalies() const { return 0; }
  // Events left out so far by --direction, as nobody knows who opened the connection.
  virtual uint64_t without_role() const { return 0; }
  // Why not all of it could be read; what could is in the events.
  virtual Status status() const { return Ok{}; }
  // Of a recording: whether its second has passed since it was last asked. A live source has no seconds of its own.
  virtual bool take_tick() { return false; }
  // Nothing new is made after this; what was made before can still be read.
  virtual void stop() = 0;
};

}  // namespace sockeye
