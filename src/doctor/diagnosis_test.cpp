// SPDX-License-Identifier: Apache-2.0
#include "doctor/diagnosis.h"

#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include "doctor/diagnosis_text.h"
#include "tests/support/golden.h"

namespace sockeye {
namespace {

Machine made_up_machine() {
  Machine machine;
  machine.kernel = "6.1.0-50-amd64";
  machine.architecture = "x86_64";
  machine.btf_path = "/sys/kernel/btf/vmlinux";
  machine.btf_bytes = 5 << 20;
  machine.lockdown = "integrity";
  machine.capabilities = {{"CAP_BPF", "maps and programs", true},
                          {"CAP_PERFMON", "programs that look into the kernel, as all of sockeye's do", true},
                          {"CAP_NET_ADMIN", "the method sockops of the hook syn_sent", false},
                          {"CAP_SYS_RESOURCE", "raising RLIMIT_MEMLOCK, where maps count against it", false}};
  machine.unprivileged_bpf_disabled = 2;
  machine.jit = 1;
  machine.bpf_stats = 1;
  machine.cgroup2 = "/sys/fs/cgroup";
  machine.limits = {8 << 20, 1024, 512 << 20, false};
  return machine;
}

RunPlan states_plan() {
  RunPlan plan;
  plan.settings.has_socket_storage = plan.settings.wants_entries = plan.settings.may_probe_read = 1;
  plan.collectors = {"states"};
  plan.choices = {{"set_state", "tp_btf", {}},
                  {"syn_sent",
                   "fentry",
                   {{"sockops", "sockops programs are refused: Operation not permitted", "give it CAP_NET_ADMIN"}}},
                  {"sent", "fexit", {{"tp_btf", "this kernel has no tracepoint sock_send_length", ""}}},
                  {"accepted",
                   "",
                   {{"fexit_2", "inet_csk_accept has 4 parameters", ""},
                    {"sys_exit", "it slows every system call down", "--accept-owner asks for it"}}}};
  return plan;
}

Diagnosis made_up() {
  Diagnosis diagnosis;
  diagnosis.machine = made_up_machine();
  diagnosis.tracing = {true, ""};
  diagnosis.trampoline = {false, "fentry and fexit programs are refused: Operation not permitted"};
  diagnosis.probe_read = {true, ""};
  diagnosis.namespaces = {3, 1, "network namespace /run/netns/a\x1b[1m: Operation not permitted"};
  CollectorDiagnosis works;
  works.name = "counts";
  works.tried = true;
  works.hooks = {{"set_state", "tp_btf", {}, "", ""}};
  CollectorDiagnosis fails;
  fails.name = "who";
  fails.verdict = Verdict::kDoesNotWork;
  fails.reason = "who cannot work: sockets that are there cannot be visited, this kernel has no iterator tcp";
  fails.remedy = "a kernel from 5.10 on";
  CollectorDiagnosis less = describe_plan("states", states_plan());
  less.tried = true;
  using State = ContainerStore::State;
  diagnosis.runtimes = {
      {{"docker", "/var/lib/docker/containers", State::kFound, ""},
       RuntimeApi{"/run/docker.sock", "Timeout was reached"}},
      {{"containerd", "/run/containerd/io.containerd.runtime.v2.task", State::kNotReadable, "Permission denied"}, {}},
      {{"podman, cri-o", "/var/lib/containers/storage/overlay-containers", State::kNotReadable, "Permission denied"},
       RuntimeApi{"/run/podman/podman.sock", ""}},
      {{"kubelet", "/var/log/pods", State::kNotThere, ""}, {}},
  };
  diagnosis.collectors = {works, less, fails};
  return diagnosis;
}

std::string page(const Diagnosis& diagnosis, int columns = 0, bool colour = false) {
  Buffer out(4096);
  add_diagnosis_page(out, diagnosis, columns, colour);
  return std::string(out.view());
}

std::string json(const Diagnosis& diagnosis) {
  Buffer out(4096);
  add_diagnosis_json(out, diagnosis);
  return std::string(out.view());
}

TEST(DiagnosisGolden, AsAPage) { expect_golden("src/doctor/golden/doctor.txt", page(made_up())); }
TEST(DiagnosisGolden, AsAPageOf80Columns) { expect_golden("src/doctor/golden/doctor80.txt", page(made_up(), 80)); }
TEST(DiagnosisGolden, AsJson) { expect_golden("src/doctor/golden/doctor.json", json(made_up())); }

TEST(Diagnosis, NoLineIsWiderThanTheTerminal) {
  const std::string text = page(made_up(), 80);
  for (size_t begin = 0, end; begin < text.size(); begin = end + 1) {
    end = text.find('\n', begin);
    EXPECT_LE(end - begin, 80u) << text.substr(begin, end - begin);
  }
}

TEST(Diagnosis, OnlyItsOwnColoursReachATerminal) {
  EXPECT_EQ(page(made_up()).find('\x1b'), std::string::npos);
  const std::string coloured = page(made_up(), 0, true);
  EXPECT_NE(coloured.find("\x1b[32mok\x1b[0m"), std::string::npos);
  EXPECT_EQ(coloured.find("/run/netns/a\x1b"), std::string::npos);
}

size_t times_in(const std::string& text, std::string_view words) {
  size_t times = 0;
  for (size_t at = text.find(words); at != std::string::npos; at = text.find(words, at + 1)) ++times;
  return times;
}

TEST(Diagnosis, WhatSeveralCollectorsHaveInCommonIsSaidOnce) {
  Diagnosis diagnosis = made_up();
  CollectorDiagnosis alike = diagnosis.collectors[1];
  alike.name = "lifetimes";
  alike.others.push_back({"", "", "owners are incomplete", "run it as root"});
  diagnosis.collectors[1].others = alike.others;
  diagnosis.collectors.push_back(alike);
  diagnosis.collectors.push_back(diagnosis.collectors[2]);
  diagnosis.collectors.back().name = "drops";
  const std::string text = page(diagnosis);
  for (const char* words : {"an accepted socket has its listener's owner", "--accept-owner asks for it",
                            "owners are incomplete", "run it as root\n", "a kernel from 5.10 on"})
    EXPECT_EQ(times_in(text, words), 1u) << words;
  EXPECT_EQ(times_in(text, "concerns states, lifetimes\n"), 3u) << text;
  EXPECT_EQ(times_in(text, "concerns who, drops\n"), 1u) << text;
}

TEST(Diagnosis, AMethodThatCollectorsDoNotShareSaysWhoseItIs) {
  Diagnosis diagnosis = made_up();
  diagnosis.collectors[0].hooks = {{"set_state", "raw_tp", {}, "", ""}};
  const std::string text = page(diagnosis);
  EXPECT_EQ(times_in(text, "raw_tp for counts\n"), 1u) << text;
  EXPECT_EQ(times_in(text, "tp_btf for states\n"), 1u) << text;
}

// A terminal has 24 lines, and the verdict is what people ask for.
TEST(Diagnosis, TheVerdictAndWhatToDoComeFirst) {
  const std::string text = page(made_up());
  EXPECT_EQ(text.find("Verdict\n"), 0u);
  EXPECT_LT(text.find("fix: --accept-owner"), text.find("\nThis machine\n"));
  EXPECT_LT(text.find("fix: a kernel from 5.10 on"), text.find("\nThis machine\n"));
}

TEST(Diagnosis, WhereNothingIsMissingNothingIsToBeDone) {
  Diagnosis diagnosis = made_up();
  diagnosis.collectors.resize(1);
  EXPECT_EQ(page(diagnosis).find("What is missing"), std::string::npos);
}

TEST(Diagnosis, JsonIsOneObjectOnALine) {
  const std::string text = json(made_up());
  EXPECT_EQ(text.find('\n'), text.size() - 1);
  rapidjson::Document document;
  document.Parse(text.c_str());
  ASSERT_FALSE(document.HasParseError());
  EXPECT_FALSE(document["works"].GetBool());
  EXPECT_STREQ(document["collectors"][1]["verdict"].GetString(), "degraded");
  EXPECT_STREQ(document["collectors"][2]["verdict"].GetString(), "does not work");
}

TEST(Diagnosis, JsonIsUtf8WhateverFilesAreCalled) {
  Diagnosis diagnosis = made_up();
  diagnosis.machine.btf_path = "/tmp/b\xff\"\n.btf";
  diagnosis.machine.tracefs = "/tr\xc3 x";
  const std::string text = json(diagnosis);
  rapidjson::Document document;
  document.Parse<rapidjson::kParseValidateEncodingFlag>(text.c_str());
  ASSERT_FALSE(document.HasParseError());
  EXPECT_STREQ(document["machine"]["btf"]["path"].GetString(), "/tmp/b\xef\xbf\xbd\"\n.btf");
  EXPECT_STREQ(document["machine"]["tracefs"].GetString(), "/tr\xef\xbf\xbd x");
}

// What a run says on standard error is what doctor says.
TEST(Diagnosis, SaysWhatARunSays) {
  const CollectorDiagnosis diagnosis = describe_plan("states", states_plan());
  for (const Limitation& limitation : states_plan().limitations()) {
    bool said = false;
    for (const HookDiagnosis& hook : diagnosis.hooks) {
      said |= hook.hook == limitation.hook && limitation.what.starts_with(hook.loses) && !hook.loses.empty();
    }
    for (const Limitation& other : diagnosis.others) said |= other.what == limitation.what;
    EXPECT_TRUE(said) << limitation.sentence();
  }
  EXPECT_EQ(diagnosis.verdict, Verdict::kDegraded);
}

TEST(Diagnosis, WhatIsOnlyAnotherWayIsNotLess) {
  RunPlan plan = states_plan();
  plan.choices.resize(2);
  EXPECT_EQ(describe_plan("states", plan).verdict, Verdict::kWorks);
}

TEST(Diagnosis, TheRemedyNamesTheRightsThatAreMissing) {
  Machine machine = made_up_machine();
  EXPECT_EQ(rights_remedy(machine),
            "something else than capabilities forbids it: a seccomp filter or a security module");
  machine.capabilities[1].effective = false;
  EXPECT_EQ(rights_remedy(machine), "run it as root (sudo), or give it CAP_PERFMON");
  machine.capabilities[0].effective = false;
  EXPECT_EQ(rights_remedy(machine), "run it as root (sudo), or give it CAP_BPF and CAP_PERFMON");
  machine.initial_user_namespace = false;
  EXPECT_EQ(rights_remedy(machine), "run it as root of the initial user namespace");
}

}  // namespace
}  // namespace sockeye
