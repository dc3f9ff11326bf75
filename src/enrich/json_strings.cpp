// SPDX-License-Identifier: Apache-2.0
#include "enrich/json_strings.h"

#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <array>

namespace sockeye {
namespace {

class Handler : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Handler> {
 public:
  explicit Handler(JsonVisitor& visitor) : visitor_(visitor) {}

  bool StartObject() { return ++depth_ <= kJsonNesting; }
  bool EndObject(rapidjson::SizeType) {
    --depth_;
    if (depth_ <= kJsonLevels) visitor_.end_object({keys_.data(), depth_});
    return true;
  }
  bool StartArray() {
    if (depth_ < kJsonLevels) keys_[depth_] = "[]";
    return ++depth_ <= kJsonNesting;
  }
  bool EndArray(rapidjson::SizeType) {
    --depth_;
    return true;
  }
  bool Key(const char* key, rapidjson::SizeType size, bool) {
    if (depth_ <= kJsonLevels) keys_[depth_ - 1].assign(key, size);
    return true;
  }
  bool String(const char* value, rapidjson::SizeType size, bool) {
    if (depth_ <= kJsonLevels) visitor_.text({keys_.data(), depth_}, {value, size});
    return true;
  }
  bool RawNumber(const char*, rapidjson::SizeType, bool) { return true; }

 private:
  JsonVisitor& visitor_;
  std::array<std::string, kJsonLevels> keys_;
  size_t depth_ = 0;
};

}  // namespace

bool visit_json(std::string_view text, JsonVisitor& visitor) {
  rapidjson::MemoryStream stream(text.data(), text.size());
  rapidjson::Reader reader;
  Handler handler(visitor);
  // Iterative: a text that is nested deep would use up the stack. Numbers as strings: what makes doubles of them ends
  // the program at an exponent that is no int together with the digits behind the point (CVE-2024-38517).
  constexpr unsigned kFlags =
      rapidjson::kParseIterativeFlag | rapidjson::kParseStopWhenDoneFlag | rapidjson::kParseNumbersAsStringsFlag;
  return !reader.Parse<kFlags>(stream, handler).IsError();
}

bool is_path(JsonPath path, std::initializer_list<std::string_view> keys) {
  return std::equal(path.begin(), path.end(), keys.begin(), keys.end(),
                    [](const std::string& key, std::string_view wanted) { return wanted == "*" || key == wanted; });
}

}  // namespace sockeye
