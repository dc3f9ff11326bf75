// SPDX-License-Identifier: Apache-2.0
// How sockeye fails: a value or an Error. sockeye throws nothing; what libraries throw is caught at their seam.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>

namespace sockeye {

// The code is the exit code of the program, too.
enum class ErrorCode : uint8_t {
  kFailed = 1,       // something that should work did not
  kUsage = 2,        // the user asked for something that makes no sense
  kNotPossible = 3,  // not permitted, or not possible on this kernel
};

struct Error {
  ErrorCode code = ErrorCode::kFailed;
  std::string what;  // what failed and why, one line, no full stop
  std::string hint;  // what to do about it, one line; may be empty
};

// strerror(errno) in the words of the system, for Error::what.
std::string errno_text(int error);

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}
  Result(Error error) : state_(std::move(error)) {}

  explicit operator bool() const { return state_.index() == 0; }
  T& operator*() { return std::get<0>(state_); }
  const T& operator*() const { return std::get<0>(state_); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  Error& error() { return std::get<1>(state_); }
  const Error& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

struct Ok {};
using Status = Result<Ok>;

}  // namespace sockeye

// Returns the error of `expression`, a Result or Status, to the caller.
#define SOCKEYE_TRY(expression)                                                               \
  do {                                                                                        \
    if (auto sockeye_try = (expression); !sockeye_try) return std::move(sockeye_try.error()); \
  } while (false)
