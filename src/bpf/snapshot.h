// SPDX-License-Identifier: Apache-2.0
// The sockets that were there before: each that a process holds gets an event with its owner.
#pragma once

#include <string>

#include "bpf/object.h"

namespace sockeye {

struct SnapshotReport {
  uint64_t owned = 0;      // sockets that an owner was found for
  uint64_t took_us = 0;    // microseconds for all of it
  std::string limitation;  // what could not be looked at, and why; empty: nothing
};

// Why not all processes can be looked at; empty: they can.
std::string hidden_processes();

// Walks through the open files of all processes of this pid namespace, which leads to the sockets of all network
// namespaces. Measured: 33,000 sockets of six processes in about 30 ms. Where files lead only to the address of a
// socket (5.10), the sockets themselves are visited first, in one network namespace after the other.
SnapshotReport take_snapshot(Object& object);

}  // namespace sockeye
