// SPDX-License-Identifier: Apache-2.0
#include "doctor/runtimes.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/fake_root_for_tests.h"
#include "base/fd.h"

namespace sockeye {
namespace {

using State = ContainerStore::State;

RuntimeDiagnosis runtime(State state, std::optional<RuntimeApi> api = {}) {
  return {{"docker", "/d", state, state == State::kNotReadable ? "Permission denied" : ""}, std::move(api)};
}

TEST(Runtimes, WhatIsNotThereLacksNothing) {
  EXPECT_TRUE(runtime(State::kNotThere).has_names());
  EXPECT_EQ(runtime(State::kNotThere).words(), "not found");
  EXPECT_EQ(runtime(State::kNotThere).remedy(), "");
}

TEST(Runtimes, FilesOrAnApiAreEnough) {
  const RuntimeApi answers{"/s", ""}, refuses{"/s", "Couldn't connect to server"};
  EXPECT_TRUE(runtime(State::kFound).has_names());
  EXPECT_TRUE(runtime(State::kFound, refuses).has_names());
  EXPECT_TRUE(runtime(State::kNotReadable, answers).has_names());
  EXPECT_TRUE(runtime(State::kNotThere, answers).has_names());
  EXPECT_EQ(runtime(State::kFound, refuses).words(),
            "names in /d; its API at /s does not answer: Couldn't connect to server");
  EXPECT_EQ(runtime(State::kNotThere, answers).words(), "its API answers at /s");
}

TEST(Runtimes, WhoCanNeitherReadNorAskIsToldWhatToDo) {
  const RuntimeApi refuses{"/s", "Couldn't connect to server"};
  for (const RuntimeDiagnosis& one :
       {runtime(State::kNotReadable), runtime(State::kNotReadable, refuses), runtime(State::kNotThere, refuses)}) {
    EXPECT_FALSE(one.has_names()) << one.words();
    EXPECT_NE(one.remedy(), "");
  }
  EXPECT_EQ(runtime(State::kNotThere, refuses).remedy(),
            "start it, or remove /s: without, its containers are shown by their ids alone");
  EXPECT_EQ(runtime(State::kNotReadable, refuses).remedy().substr(0, 14), "run it as root");
  EXPECT_EQ(runtime(State::kNotReadable).words(), "/d is not readable: Permission denied");
}

TEST(Runtimes, ADaemonThatIsNotRunning) {
  FakeRoot root;
  root.directory("/run");
  const std::string path = root.path() + "/run/docker.sock";
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  ASSERT_LT(path.size(), sizeof address.sun_path);
  path.copy(address.sun_path, path.size());
  const Fd left(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::bind(left.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  const auto runtimes = diagnose_runtimes(root.path());
  ASSERT_EQ(runtimes.size(), 4u);
  ASSERT_TRUE(runtimes[0].api) << "a socket that nobody listens on";
  EXPECT_NE(runtimes[0].api->problem, "");
  EXPECT_FALSE(runtimes[0].has_names());
  EXPECT_FALSE(runtimes[1].api);
}

}  // namespace
}  // namespace sockeye
