// SPDX-License-Identifier: Apache-2.0
// The input is what a container runtime is said to have written: a file, or an answer.
#include <cstdint>
#include <cstdlib>

#include "enrich/container_json.h"

namespace sockeye {
namespace {

void check(const ContainerLabels& labels) {
  for (const std::string* text : {&labels.name, &labels.image, &labels.pod_name, &labels.pod_namespace}) {
    if (text->size() > kMaxContainerName) abort();
  }
}

}  // namespace
}  // namespace sockeye

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sockeye;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(labels_in_oci_config(text));
  check(labels_in_docker_config(text));
  check(labels_in_container_list(text, "aa"));
  each_stored_container(text, [](std::string_view id, const ContainerLabels& labels) {
    if (id.empty()) abort();
    check(labels);
  });
  if (docker_data_root(text).size() > kMaxContainerName || toml_string(text, "state").size() > kMaxContainerName)
    abort();
  return 0;
}
