// SPDX-License-Identifier: Apache-2.0
#include "bpf/btf_file.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <cstring>

#include "base/fake_root_for_tests.h"
#include "bpf/features.h"

namespace sockeye {
namespace {

const std::string kTypes = "types of a kernel";

// An ELF file of three sections: none, their names, and kTypes in one called `name`.
std::string elf_file(const std::string& name = ".BTF") {
  const std::string names = std::string(1, '\0') + name + '\0';
  Elf64_Ehdr header = {};
  memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_version = EV_CURRENT;
  header.e_ehsize = sizeof header;
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = 3;
  header.e_shstrndx = 1;
  header.e_shoff = sizeof header;
  Elf64_Shdr sections[3] = {};
  sections[1].sh_type = SHT_STRTAB;
  sections[1].sh_offset = sizeof header + sizeof sections;
  sections[1].sh_size = names.size();
  sections[2].sh_type = SHT_PROGBITS;
  sections[2].sh_name = 1;
  sections[2].sh_offset = sections[1].sh_offset + names.size();
  sections[2].sh_size = kTypes.size();
  return std::string(reinterpret_cast<const char*>(&header), sizeof header) +
         std::string(reinterpret_cast<const char*>(sections), sizeof sections) + names + kTypes;
}

class BtfFile : public testing::Test {
 protected:
  // What is found in a file of these bytes; of an error the reason, behind "! ".
  std::string found_in(const std::string& bytes) {
    root_.file("/types", bytes);
    const auto found = read_btf_file(root_.path() + "/types");
    if (!found) return "! " + found.error().what;
    return std::string(reinterpret_cast<const char*>(found->data()), found->size());
  }
  std::string error_of(const std::string& path) {
    const auto found = read_btf_file(path);
    return found ? "" : found.error().what;
  }

  FakeRoot root_;
};

TEST_F(BtfFile, IsTakenAsItIs) { EXPECT_EQ(found_in(kTypes), kTypes); }

TEST_F(BtfFile, OfAnElfFileTheSectionIsTaken) {
  EXPECT_EQ(found_in(elf_file()), kTypes);
  EXPECT_EQ(found_in(elf_file(".BTF.ext")), "! it is an ELF file without a section .BTF");
}

TEST_F(BtfFile, ADamagedElfFileIsRefusedWhereverItIsCut) {
  const std::string whole = elf_file();
  for (size_t size = SELFMAG; size < whole.size(); ++size) {
    EXPECT_TRUE(found_in(whole.substr(0, size)).starts_with("! it is an ELF file")) << size;
  }
  for (size_t at = 0; at < whole.size(); ++at) {  // whatever is made of it, it stays inside
    std::string bad = whole;
    bad[at] = static_cast<char>(~bad[at]);
    EXPECT_LE(found_in(bad).size(), whole.size());
  }
}

TEST_F(BtfFile, OnlyARegularFileIsRead) {
  EXPECT_EQ(error_of(root_.path() + "/missing"), "No such file or directory");
  EXPECT_EQ(error_of(root_.path()), "it is no regular file");
  EXPECT_EQ(error_of("/dev/zero"), "it is no regular file");
}

// What the user is told of a file that will not do: what, why, and what would.
TEST_F(BtfFile, ThatIsNoneIsTheUsersError) {
  root_.file("/garbage", std::string(1000, 'x'));
  root_.file("/empty", "");
  for (const std::string& name : {root_.path() + "/garbage", root_.path() + "/empty", root_.path() + "/missing\x1b"}) {
    const auto features = Features::detect(name);
    ASSERT_FALSE(features) << name;
    EXPECT_EQ(features.error().code, ErrorCode::kUsage);
    EXPECT_TRUE(features.error().what.starts_with("--btf /")) << features.error().what;
    EXPECT_EQ(features.error().what.find('\x1b'), std::string::npos);
    EXPECT_FALSE(features.error().hint.empty());
  }
}

}  // namespace
}  // namespace sockeye
