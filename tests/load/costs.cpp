// SPDX-License-Identifier: Apache-2.0
// What this kernel's verifier says of each program of a run: how many instructions it walked through, and how much
// stack the deepest chain of calls takes.
//
// usage: sockeye_costs VALUES COLLECTORS...
// VALUES: how many there are in each filter, 0 to 16. COLLECTORS: names with commas between them; each such word is a
// run of its own. For each program that is taken a line "COLLECTORS PROGRAM INSTRUCTIONS BYTES", for each that is
// refused "COLLECTORS PROGRAM refused: WHY".
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include "bpf/libbpf_words.h"
#include "bpf/object.h"
#include "tests/load/full_filters.h"

namespace sockeye {
namespace {

constexpr size_t kMostInstructions = 1 << 16;
constexpr size_t kMostSubprograms = 256;  // that the kernel takes

// The kernel counts each frame like this until 6.8, then in steps of 16 where programs are compiled.
int rounded(int frame) { return (std::max(frame, 1) + 31) / 32 * 32; }

struct Code {
  std::vector<bpf_insn> instructions;
  std::vector<size_t> begins;  // where each subprogram begins
};

// As the kernel has it now: what it found to be dead is gone, but for subprograms that nothing calls any more.
Code code_of(const bpf_program* program) {
  Code code = {.instructions = std::vector<bpf_insn>(kMostInstructions), .begins = {}};
  std::vector<bpf_func_info> subprograms(kMostSubprograms);
  bpf_prog_info info = {};
  info.xlated_prog_insns = reinterpret_cast<__u64>(code.instructions.data());
  info.xlated_prog_len = static_cast<__u32>(code.instructions.size() * sizeof(bpf_insn));
  info.func_info = reinterpret_cast<__u64>(subprograms.data());
  info.func_info_rec_size = sizeof(bpf_func_info);
  info.nr_func_info = static_cast<__u32>(subprograms.size());
  __u32 size = sizeof info;
  if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size) != 0) return {};
  code.instructions.resize(info.xlated_prog_len / sizeof(bpf_insn));
  subprograms.resize(info.nr_func_info);
  for (const bpf_func_info& subprogram : subprograms) code.begins.push_back(subprogram.insn_off);
  return code;
}

// The kernel leaves the distance to a subprogram in `off`, what it is called by in `imm`.
bool calls_subprogram(const bpf_insn& instruction) {
  return instruction.code == (BPF_JMP | BPF_CALL) && instruction.src_reg == BPF_PSEUDO_CALL;
}

// `frames`: what each subprogram takes.
int deepest_chain(const Code& code, const std::vector<int>& frames, size_t which) {
  const size_t end = which + 1 < code.begins.size() ? code.begins[which + 1] : code.instructions.size();
  int deepest = 0;
  for (size_t i = code.begins[which]; i < end; ++i) {
    if (!calls_subprogram(code.instructions[i])) continue;
    const size_t target = i + 1 + static_cast<size_t>(static_cast<ptrdiff_t>(code.instructions[i].off));
    const auto called = std::find(code.begins.begin(), code.begins.end(), target) - code.begins.begin();
    deepest = std::max(deepest, deepest_chain(code, frames, static_cast<size_t>(called)));
  }
  return rounded(frames[which]) + deepest;
}

// Negative: the kernel's words and its code do not fit together.
int stack_of(const bpf_program* program, const std::vector<int>& frames) {
  const Code code = code_of(program);
  if (code.begins.empty() || code.begins.size() != frames.size() || code.begins.back() >= code.instructions.size())
    return -1;
  return deepest_chain(code, frames, 0);
}

struct Statistics {
  unsigned instructions = 0;
  std::vector<int> frames;
};

// "stack depth 40+128" and "processed 1234 insns (limit ...".
Statistics read_statistics(const std::string& log) {
  Statistics read;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    sscanf(line.c_str(), "processed %u insns", &read.instructions);
    if (!line.starts_with("stack depth ")) continue;
    std::istringstream frames(line.substr(strlen("stack depth ")));
    for (std::string frame; std::getline(frames, frame, '+');) read.frames.push_back(atoi(frame.c_str()));
  }
  return read;
}

std::vector<std::string_view> split(std::string_view words) {
  std::vector<std::string_view> parts;
  for (size_t comma; (comma = words.find(',')) != std::string_view::npos; words.remove_prefix(comma + 1))
    parts.push_back(words.substr(0, comma));
  parts.push_back(words);
  return parts;
}

bool print_costs(const char* collectors, unsigned values) {
  ObjectOptions options;
  options.collectors = split(collectors);
  options.filters = full_filters(values);
  options.accept_owner = options.connect_errors = options.new_cgroups = options.verifier_statistics = true;
  const auto object = Object::load(options);
  if (!object) {
    fprintf(stderr, "%s: %s\n", collectors, object.error().what.c_str());
    return false;
  }
  for (const Choice& choice : (*object)->plan().choices) {
    for (const Refusal& refusal : choice.refused)
      printf("%s %s__%s refused: %s\n", collectors, choice.hook.c_str(), refusal.method.c_str(), refusal.why.c_str());
  }
  for (const bpf_program* program : (*object)->programs()) {
    const std::string name = bpf_program__name(program);
    const auto words = std::find_if(verifier_words().begin(), verifier_words().end(),
                                    [&](const VerifierWords& each) { return each.program == name; });
    if (words == verifier_words().end()) return false;
    const Statistics told = read_statistics(words->log);
    const int stack = stack_of(program, told.frames);
    if (stack < 0) fprintf(stderr, "%s: not understood: %s\n", name.c_str(), words->log.c_str());
    if (stack < 0) return false;
    printf("%s %s %u %d\n", collectors, name.c_str(), told.instructions, stack);
  }
  return true;
}

}  // namespace
}  // namespace sockeye

int main(int count, char** words) {
  if (count < 3) {
    fprintf(stderr, "usage: %s VALUES COLLECTORS...\n", words[0]);
    return 2;
  }
  bool understood = true;
  for (int i = 2; i < count; ++i) understood &= sockeye::print_costs(words[i], static_cast<unsigned>(atoi(words[1])));
  return understood ? 0 : 1;
}
