// SPDX-License-Identifier: Apache-2.0
#include "base/mountinfo.h"

#include <algorithm>

#include "base/text.h"

namespace sockeye {
namespace {

std::string_view take_until(std::string_view* text, char end) {
  const size_t at = std::min(text->find(end), text->size());
  const std::string_view taken = text->substr(0, at);
  text->remove_prefix(std::min(at + 1, text->size()));
  return taken;
}

// Blank, tab, line end and backslash are written as \ooo.
std::string unescape_octal(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const std::string_view digits = text.substr(i + 1, 3);
    if (text[i] == '\\' && digits.size() == 3 && digits[0] >= '0' && digits[0] <= '3' &&
        digits.find_first_not_of("01234567") == std::string_view::npos) {
      out += static_cast<char>((digits[0] - '0') * 64 + (digits[1] - '0') * 8 + (digits[2] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

void visit_line(std::string_view line, const std::function<void(const Mount&)>& visit) {
  const size_t dash = line.find(" - ");
  if (dash == std::string_view::npos) return;
  std::string_view tail = line.substr(dash + 3);
  Mount mount;
  mount.type = take_until(&tail, ' ');
  take_until(&tail, ' ');  // source
  mount.options = tail;
  mount.id = number_in<uint64_t>(take_until(&line, ' ')).value_or(0);
  take_until(&line, ' ');  // parent
  take_until(&line, ' ');  // device
  mount.root = unescape_octal(take_until(&line, ' '));
  mount.point = unescape_octal(take_until(&line, ' '));
  visit(mount);
}

}  // namespace

// By hand: libmount brings libselinux, which reads files of the machine in every run, `replay` too, and makes a table
// of the whole text, of 16 MiB another 32 to 49.
void for_each_mount(std::string_view text, const std::function<void(const Mount&)>& visit) {
  for (std::string_view rest = text.substr(0, text.rfind('\n') + 1); !rest.empty();)
    visit_line(take_until(&rest, '\n'), visit);
}

}  // namespace sockeye
