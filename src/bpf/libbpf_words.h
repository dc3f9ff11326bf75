// SPDX-License-Identifier: Apache-2.0
// What libbpf says while it loads and attaches: the kernel's own words, for errors, are among it.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace sockeye {

// Forgets what it said, and keeps what it says from now on: one object at a time.
void listen_to_libbpf();

// The program that it could not load; empty where it complained about something else.
std::string refused_program();

// `doing` failed with this errno; with the kernel's words, where there are any.
Error load_error(int error, const std::string& doing);

// What the verifier said of a program that it took, where it was asked to say something.
struct VerifierWords {
  std::string program;
  std::string log;
};
const std::vector<VerifierWords>& verifier_words();  // in the order of loading

}  // namespace sockeye
