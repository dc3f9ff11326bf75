// SPDX-License-Identifier: Apache-2.0
#include "enrich/container_json.h"

#include <gtest/gtest.h>

#include <map>

#include "enrich/json_strings.h"

namespace sockeye {
namespace {

std::string words(const ContainerLabels& labels) {
  return labels.name + "|" + labels.image + "|" + labels.pod_name + "|" + labels.pod_namespace;
}

// What a visitor is told, a line each.
class Teller : public JsonVisitor {
 public:
  void text(JsonPath path, std::string_view value) override {
    for (const std::string& key : path) told += "/" + key;
    told += "=" + std::string(value) + "\n";
  }
  void end_object(JsonPath path) override { told += "}" + std::to_string(path.size()) + "\n"; }
  std::string told;
};

std::string told(std::string_view text, bool whole = true) {
  Teller teller;
  EXPECT_EQ(visit_json(text, teller), whole) << text;
  return teller.told;
}

TEST(JsonStrings, EachWithItsPath) {
  EXPECT_EQ(told(R"({"a":"1","b":{"c":"2","d":["3",{"e":"4"}],"f":7},"g":[],"h":"5"})"),
            "/a=1\n/b/c=2\n/b/d/[]=3\n/b/d/[]/e=4\n}3\n}1\n/h=5\n}0\n");
  EXPECT_EQ(told(R"([{"id":"x"},{"id":"y"}])"), "/[]/id=x\n}1\n/[]/id=y\n}1\n");
  EXPECT_EQ(told(R"("bare")"), "=bare\n");
}

TEST(JsonStrings, NoneThatIsTooDeep) {
  EXPECT_EQ(told(R"({"a":{"b":{"c":{"d":"4","e":{"f":"5"},"g":"4"}}}})"),
            "/a/b/c/d=4\n}4\n/a/b/c/g=4\n}3\n}2\n}1\n}0\n");
  EXPECT_EQ(told(std::string(kJsonNesting, '[') + std::string(kJsonNesting, ']')), "");
  EXPECT_EQ(told(std::string(kJsonNesting + 1, '['), false), "");
  EXPECT_EQ(told(std::string(1 << 20, '['), false), "");
}

TEST(JsonStrings, WhatIsBrokenEndsTheReading) {
  EXPECT_EQ(told(R"({"a":"1","b":)", false), "/a=1\n");
  EXPECT_EQ(told("", false), "");
  EXPECT_EQ(told(R"({"a":"1"}}})"), "/a=1\n}0\n") << "what follows is not looked at";
  EXPECT_EQ(told("{\"a\":\"\\u0000\\ud83d\"}", false), "");
  EXPECT_EQ(told("{\"a\":\"\xff\\u001b[31m\"}"), "/a=\xff\x1b[31m\n}0\n") << "any bytes";
}

TEST(JsonStrings, KeysThatComeTwiceAreToldTwice) { EXPECT_EQ(told(R"({"a":"1","a":"2"})"), "/a=1\n/a=2\n}0\n"); }

TEST(JsonStrings, NumbersOfAnySize) {
  for (const char* text : {R"({"a":123456789012345678901234567890,"b":"1"})", R"({"a":-0.0e+0,"b":"1"})",
                           R"({"a":0.0000000001e-2147483639,"b":"1"})", R"({"a":1e-999,"b":"1"})"})
    EXPECT_EQ(told(text), "/b=1\n}0\n") << text;
  for (const char* number : {"1e999", "-1e2147483648", "01", "1.", "--1", "0x1", "NaN", "Infinity"})
    EXPECT_EQ(told("{\"a\":" + std::string(number) + ",\"b\":\"1\"}", false), "") << number;
}

TEST(ContainerJson, OfContainerd) {
  const char* config = R"({"ociVersion":"1.1.0","process":{"args":["x"],"env":["A=io.kubernetes.cri.image-name"]},
    "annotations":{"io.kubernetes.cri.container-name":"api","io.kubernetes.cri.container-type":"container",
    "io.kubernetes.cri.image-name":"quay.io/acme/api:1.4","io.kubernetes.cri.sandbox-id":"655b",
    "io.kubernetes.cri.sandbox-name":"api-65747dc769-pjztg","io.kubernetes.cri.sandbox-namespace":"shop"}})";
  EXPECT_EQ(words(labels_in_oci_config(config)), "api|quay.io/acme/api:1.4|api-65747dc769-pjztg|shop");
}

TEST(ContainerJson, OfCrio) {
  const char* config = R"({"annotations":{"io.kubernetes.cri-o.ContainerName":"k8s_api_api-0_shop_uid_0",
    "io.kubernetes.container.name":"api","io.kubernetes.pod.name":"api-0","io.kubernetes.pod.namespace":"shop",
    "io.kubernetes.cri-o.Image":"5f2a","io.kubernetes.cri-o.ImageName":"quay.io/acme/api:1.4"}})";
  EXPECT_EQ(words(labels_in_oci_config(config)), "api|quay.io/acme/api:1.4|api-0|shop");
}

TEST(ContainerJson, OfNerdctl) {
  EXPECT_EQ(words(labels_in_oci_config(R"({"annotations":{"nerdctl/name":"web","nerdctl/namespace":"default"}})")),
            "web|||");
}

TEST(ContainerJson, OnlyWhereAnAnnotationIs) {
  EXPECT_EQ(words(labels_in_oci_config(R"({"nerdctl/name":"no","x":{"annotations":{"nerdctl/name":"no"}}})")), "|||");
  EXPECT_EQ(words(labels_in_oci_config(R"({"annotations":{"nerdctl/name":"web")")), "web|||") << "cut off";
}

TEST(ContainerJson, OfDocker) {
  EXPECT_EQ(
      words(labels_in_docker_config(
          R"({"ID":"3f4a","Name":"/web","Image":"sha256:5f2a","Config":{"Image":"nginx:1.25","Labels":{"a":"b"}}})")),
      "web|nginx:1.25||");
  EXPECT_EQ(words(labels_in_docker_config(
                R"({"Name":"/k8s_api_api-0_shop_uid_0","Config":{"Image":"sha256:5f2a","Labels":{
                "io.kubernetes.container.name":"api","io.kubernetes.pod.name":"api-0",
                "io.kubernetes.pod.namespace":"shop"}}})")),
            "api|sha256:5f2a|api-0|shop");
}

TEST(ContainerJson, OfStoredContainers) {
  const char* list = R"([{"id":"aa","names":["web","alias"],"image":"5f2a","layer":"x",
      "metadata":"{\"image-name\":\"localhost/busybox:latest\",\"image-id\":\"5f2a\",\"name\":\"web\"}","created":"2026"},
    {"id":"bb","metadata":"{"},{"names":["none"]}])";
  std::map<std::string, std::string> found;
  each_stored_container(list,
                        [&](std::string_view id, const ContainerLabels& labels) { found.emplace(id, words(labels)); });
  EXPECT_EQ(found, (std::map<std::string, std::string>{{"aa", "web|localhost/busybox:latest||"}, {"bb", "|||"}}));
}

TEST(ContainerJson, OfAnAnswer) {
  const char* docker = R"([{"Id":"bb","Names":["/db"],"Image":"postgres"},
    {"Id":"aa","Names":["/other/alias","/web"],"Image":"nginx:1.25","Labels":{"io.kubernetes.pod.name":"web-0"}}])";
  EXPECT_EQ(words(labels_in_container_list(docker, "aa")), "web|nginx:1.25|web-0|");
  EXPECT_EQ(words(labels_in_container_list(docker, "bb")), "db|postgres||");
  EXPECT_EQ(words(labels_in_container_list(docker, "cc")), "|||");
  EXPECT_EQ(words(labels_in_container_list(R"([{"Names":["web"],"Id":"aa","PodName":"shop","Image":"x"}])", "aa")),
            "web|x|shop|");
  EXPECT_EQ(words(labels_in_container_list(R"({"message":"no such container"})", "aa")), "|||");
}

TEST(ContainerJson, NamesAreBounded) {
  const std::string config = R"({"annotations":{"nerdctl/name":")" + std::string(100'000, 'x') + R"("}})";
  EXPECT_EQ(labels_in_oci_config(config).name.size(), kMaxContainerName);
}

TEST(ContainerJson, WhereRuntimesWereToldToKeepTheirFiles) {
  EXPECT_EQ(docker_data_root(R"({"log-driver":"journald","data-root":"/srv/docker"})"), "/srv/docker");
  EXPECT_EQ(docker_data_root(R"({"x":{"data-root":"/srv/docker"}})"), "");
  const char* conf =
      "[storage]\ndriver = \"overlay\"\n# graphroot = \"/no\"\n  graphroot=\"/srv/containers\"\nrunroot = '/r'\n";
  EXPECT_EQ(toml_string(conf, "graphroot"), "/srv/containers");
  EXPECT_EQ(toml_string(conf, "runroot"), "/r");
  for (const char* text : {"", "graphroot", "graphroot =", "graphroot = /x", "graphroot = \"/x", "graphroots = \"/x\""})
    EXPECT_EQ(toml_string(text, "graphroot"), "") << text;
}

}  // namespace
}  // namespace sockeye
