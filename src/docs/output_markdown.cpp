// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>

#include "docs/json_shape.h"
#include "docs/output_docs.h"
#include "event/collector.h"
#include "event/sink.h"

namespace sockeye {
namespace {

constexpr std::string_view kHead = R"(# What sockeye writes

Made by `sockeye list --markdown` from the tables that the program itself works from; a test compares. The same for
programs is [schema.json](schema.json) (JSON Schema, draft 2020-12; `sockeye list --schema`), which takes no other key.

`--json` writes one object a line. In each of them `v` is the version of the format, VERSION, which changes when a key goes
or gets another meaning (new keys may come at any time; in 1 cookies were numbers), and `event` says which of the objects below it is.

What is not known is `null` or the key is left out, as the column "there" says; it is never 0. A word that this version does
not know, because the kernel is newer, is a number in quotes. Names of processes, paths and the like are whatever somebody chose:
they are escaped, and bytes that are no UTF-8 are U+FFFD.

Numbers are whole and exact. jq before 1.7 and JavaScript round those above 2^53 (9,007,199,254,740,992). Cookies use all 64 bits, so they
are text: digits. These numbers can be above it: TIMES once the machine has been up for 104 days; BYTES beyond 9 petabytes; in theory
COUNTS.

A link-local address has its interface behind it where that is known, as RFC 4007 writes it: `fe80::1%eth0`, or by the index that the
socket's network namespace knows it by, `fe80::1%3`.

`--format line` fills in a template, which is given below: `{key}` is the value, `{key:words}` the same in words for people,
`?` a value that is not known. A word of the template that holds a value of which there is none is left out: no `ERROR=` where nothing
failed, no `CONTAINER=` outside of one. `--format table` has columns; on a terminal those that fit. There `-` is a value that there is
none of.
)";
constexpr std::string_view kTableHead = "\n| key | type | unit | there | meaning |\n|---|---|---|---|---|\n";

std::string word_of(const JsonMember& member) {
  switch (member.type) {
    case JsonType::kNumber: return "number";
    case JsonType::kDigits: return "digits";
    case JsonType::kTime: return "time";
    case JsonType::kAddress: return "address";
    case JsonType::kText: return "text";
    case JsonType::kWord: return "word";
    case JsonType::kFlag: return "true, false";
    case JsonType::kTrue: return "true";
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
            (column.rather.empty() ? "" : std::string(column.rather) + "`, else `") + std::string(column.field) + "`)";
  text += "\n";
}

// A view is called after the collector beside whose records these are shown, or after what they were added up by.
void add_other_formats(std::string& text, const EventType& type) {
  add_line_and_columns(text, "", type.line, type.columns);
  for (const View& view : type.views) {
    const std::string name(view.name);
    add_line_and_columns(text, find_collector(name) ? " of `" + name + " --with`" : " `--by " + name + "`", view.line,
                         view.columns);
  }
}

// Keys of records that hold numbers of 64 bits, by their unit: "ns", "bytes", or empty for those that have neither.
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

}  // namespace

std::string output_markdown() {
  std::string text(kHead);
  fill_in(text, "VERSION", std::to_string(kJsonVersion));
  fill_in(text, "TIMES", wide_numbers("ns"));
  fill_in(text, "BYTES", wide_numbers("bytes"));
  fill_in(text, "COUNTS", wide_numbers(""));
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
