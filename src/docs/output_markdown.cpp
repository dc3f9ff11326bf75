// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>

#include "docs/json_shape.h"
#include "docs/output_docs.h"
#include "event/collector.h"
#include "event/sink.h"

namespace sockeye {
namespace {

constexpr std::string_view kHead = R"(# Output

`sockeye list --markdown` makes this page from the tables that the program itself uses; a test compares the two.
[schema.json](schema.json) says the same for programs (JSON Schema, draft 2020-12; `sockeye list --schema`) and allows no other key.

`--json` writes one object per line. In every object `v` is the version of the format, VERSION, and `event` says which of the objects below it
is. The version grows when a key is removed or changes its meaning; new keys may appear at any time.

A value that is not known is `null`, or its key is omitted, as the column "present" says; it is never 0. An enum value that this version does
not know, because the kernel is newer, is a number in quotes. Names of processes, paths and the like are untrusted: they are escaped, and
bytes that are not UTF-8 become U+FFFD.

Numbers are integers and exact. jq before 1.7 and JavaScript round those above 2^53 (9,007,199,254,740,992). Cookies use all 64 bits, so they
are strings of digits. These numbers can exceed 2^53: TIMES once the machine has been up for 104 days; BYTES beyond 9 petabytes; in theory
COUNTS.

A link-local address is followed by its interface if that is known, as RFC 4007 writes it: `fe80::1%eth0`, or by the index that the
socket's network namespace has for it, `fe80::1%3`.

`--format line` fills in the template given below: `{key}` is the value, `{key:words}` the same in words for people, and `?` stands for
a value that is not known. A word of the template whose value does not apply is omitted: no `ERROR=` where nothing failed, no `CONTAINER=`
outside of containers. `--format table` has columns; a terminal shows those that fit. There `-` means not applicable.

**Earlier versions.** `--json-version N` writes the keys of version N, for one release after the version that replaced it. Values are today's.

RENAMES)";
constexpr std::string_view kTableHead = "\n| key | type | unit | present | meaning |\n|---|---|---|---|---|\n";

std::string word_of(const JsonMember& member) {
  switch (member.type) {
    case JsonType::kNumber: return "number";
    case JsonType::kDigits: return "string of digits";
    case JsonType::kTime: return "time";
    case JsonType::kAddress: return "address";
    case JsonType::kText: return "string";
    case JsonType::kWord: return "enum";
    case JsonType::kFlag: return "boolean";
    case JsonType::kTrue: return "`true`";
    case JsonType::kNull: return "null";
    case JsonType::kObject: return "object";
    case JsonType::kObjects: return "list of objects";
  }
  return "";
}

// A bar would end a cell.
std::string cell(std::string_view text) {
  std::string escaped;
  for (const char c : text) escaped += c == '|' ? std::string("\\|") : std::string(1, c);
  return escaped;
}

// Members that are but numbers for their keys are told in a sentence.
bool is_plain(const std::vector<JsonMember>& members) {
  return std::all_of(members.begin(), members.end(), [](const JsonMember& member) { return member.meaning.empty(); });
}

void add_rows(std::string& text, const std::vector<JsonMember>& members, const std::string& prefix) {
  for (const JsonMember& member : members) {
    const std::string key = prefix + member.key;
    text += "| `" + key + "` | " + word_of(member) + " | " + cell(member.unit) + " | " +
            (member.there.empty() ? "always" : cell(member.there)) + " | " + cell(member.meaning) + " |\n";
    if (!is_plain(member.members)) add_rows(text, member.members, key + ".");
  }
}

std::string list_of(const std::vector<JsonWord>& words) {
  std::string text;
  for (const JsonWord& word : words) {
    text += (text.empty() ? "`" : ", `") + std::string(word.word) + "`";
    if (!word.meaning.empty()) text += " (" + std::string(word.meaning) + ")";
  }
  return text;
}

// What the words of words are, the same words for several keys once, and what plain objects hold.
void add_sentences(std::string& text, const std::vector<JsonMember>& members, const std::string& prefix) {
  std::vector<std::pair<std::string, std::string>> lists;  // words, keys
  for (const JsonMember& member : members) {
    if (member.words.empty()) continue;
    const std::string words = list_of(member.words), key = "`" + prefix + member.key + "`";
    const auto known = std::find_if(lists.begin(), lists.end(), [&](const auto& list) { return list.first == words; });
    if (known == lists.end())
      lists.emplace_back(words, key);
    else
      known->second += " and " + key;
  }
  for (const auto& [words, keys] : lists) text += "\n- " + keys + ": one of " + words;
  for (const JsonMember& member : members) {
    if (member.members.empty()) continue;
    const std::string key = prefix + member.key;
    if (!is_plain(member.members)) {
      add_sentences(text, member.members, key + ".");
      continue;
    }
    std::vector<JsonWord> keys;
    for (const JsonMember& inner : member.members) keys.push_back({inner.key, {}});
    text += "\n- `" + key + "` holds a number for each of " + list_of(keys);
    if (member.members.front().may_be_left_out) text += "; those that are 0 are left out";
  }
}

void add_members(std::string& text, const std::vector<JsonMember>& members) {
  text += kTableHead;
  add_rows(text, members, "");
  std::string sentences;
  add_sentences(sentences, members, "");
  if (!sentences.empty()) text += sentences + "\n";
}

void add_line_and_columns(std::string& text, const std::string& where, std::string_view line,
                          std::span<const Column> columns) {
  text += "\nAs a line" + where + ": `" + std::string(line) + "`\n";
  if (columns.empty()) return;
  text += "\nColumns of the table" + where + ":";
  for (const Column& column : columns)
    text += " " + std::string(column.header) + " (`" +
            (column.prefer.empty() ? "" : std::string(column.prefer) + "`, else `") + std::string(column.field) + "`)";
  text += "\n";
}

// A view is called after the collector beside whose events these are shown, or after what they were added up by.
void add_other_formats(std::string& text, const EventType& type) {
  add_line_and_columns(text, "", type.line, type.columns);
  for (const View& view : type.views) {
    const std::string name(view.name);
    add_line_and_columns(text, find_collector(name) ? " of `" + name + " --with`" : " `--by " + name + "`", view.line,
                         view.columns);
  }
}

// Keys of events that hold numbers of 64 bits, by their unit: "ns", "bytes", or empty for those that have neither.
std::string wide_numbers(std::string_view unit) {
  const auto shapes = json_shapes();  // the keys are words of it
  std::vector<JsonWord> keys;
  for (const JsonShape& shape : shapes) {
    for (const JsonMember& member : shape.members) {
      const bool is_wide =
          member.type == JsonType::kNumber && member.most == UINT64_MAX && member.unit != "us" && shape.type;
      const std::string_view kind = member.unit == "ns" || member.unit == "bytes" ? member.unit : "";
      const auto is_it = [&](const JsonWord& key) { return key.word == member.key; };
      if (is_wide && kind == unit && std::none_of(keys.begin(), keys.end(), is_it)) keys.push_back({member.key, {}});
    }
  }
  return list_of(keys);
}

void fill_in(std::string& text, std::string_view word, const std::string& what) {
  text.replace(text.find(word), word.size(), what);
}

std::string renames() {
  std::string text = "| version | key then | key now |\n|---|---|---|\n";
  for (const Rename& rename : kRenames) {
    text += "| before " + std::to_string(rename.since) + " | `" + std::string(rename.before) + "` | `" +
            std::string(rename.now) + "` |\n";
  }
  return text + "| before " + std::to_string(kIdsAreTextSince) +
         " | `cookie` and `netns_cookie` are numbers | strings of digits |\n";
}

}  // namespace

std::string output_markdown() {
  std::string text(kHead);
  fill_in(text, "VERSION", std::to_string(kJsonVersion));
  fill_in(text, "TIMES", wide_numbers("ns"));
  fill_in(text, "BYTES", wide_numbers("bytes"));
  fill_in(text, "COUNTS", wide_numbers(""));
  fill_in(text, "RENAMES", renames());
  text += "\n## Keys of every socket\n\nWhat is about one socket begins with these.\n";
  add_members(text, shared_members());
  for (const JsonShape& shape : json_shapes()) {
    text += "\n## " + std::string(shape.event) + "\n\n`\"event\":\"" + std::string(shape.event) +
            "\"`: " + std::string(shape.what) + ".\n";
    if (shape.has_shared) text += "\nThe [keys of every socket](#keys-of-every-socket), then:\n";
    std::vector<JsonMember> own;
    std::copy_if(shape.members.begin(), shape.members.end(), std::back_inserter(own),
                 [](const JsonMember& member) { return !member.is_shared; });
    add_members(text, own);
    if (shape.type) add_other_formats(text, *shape.type);
  }
  return text;
}

}  // namespace sockeye
