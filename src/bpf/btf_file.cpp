// SPDX-License-Identifier: Apache-2.0
#include "bpf/btf_file.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include "base/fd.h"
#include "bpf/kernel_types.h"

namespace sockeye {
namespace {

constexpr uint64_t kMostBtf = uint64_t{64} << 20;  // the largest of a distribution's kernels have 10 MiB

Error because(std::string why) { return {ErrorCode::kUsage, std::move(why), ""}; }

struct EndElf {
  void operator()(Elf* elf) const { elf_end(elf); }
};

std::vector<std::byte> copy_of(const Elf_Data& data) {
  const auto* begin = static_cast<const std::byte*>(data.d_buf);
  return {begin, begin + data.d_size};
}

Result<std::vector<std::byte>> btf_of_elf(int fd) {
  elf_version(EV_CURRENT);
  const std::unique_ptr<Elf, EndElf> elf(elf_begin(fd, ELF_C_READ, nullptr));
  size_t names = 0;
  if (!elf || elf_getshdrstrndx(elf.get(), &names) != 0) return because("it is an ELF file, and damaged");
  Elf_Scn* section = nullptr;
  while ((section = elf_nextscn(elf.get(), section))) {
    GElf_Shdr header;
    const char* name = gelf_getshdr(section, &header) ? elf_strptr(elf.get(), names, header.sh_name) : nullptr;
    if (!name || std::string_view(name) != ".BTF") continue;
    const Elf_Data* data = header.sh_size <= kMostBtf ? elf_rawdata(section, nullptr) : nullptr;
    return data && data->d_buf ? Result<std::vector<std::byte>>(copy_of(*data))
                               : because("it is an ELF file, and its section .BTF is damaged");
  }
  return because("it is an ELF file without a section .BTF");
}

// All of it; fewer bytes than `size` where it shrinks while it is read.
std::vector<std::byte> all_of(int fd, size_t size) {
  std::vector<std::byte> bytes(size);
  size_t have = 0;
  while (have < size) {
    const ssize_t n = pread(fd, bytes.data() + have, size - have, static_cast<off_t>(have));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    have += static_cast<size_t>(n);
  }
  bytes.resize(have);
  return bytes;
}

// Of a BTF object of the kernel's; empty where it does not give them.
std::vector<std::byte> bytes_of(const Fd& object, uint32_t size) {
  std::vector<std::byte> bytes(size);
  bpf_btf_info info = {};
  info.btf = reinterpret_cast<uintptr_t>(bytes.data());
  info.btf_size = size;
  __u32 info_size = sizeof info;
  if (bpf_obj_get_info_by_fd(object.get(), &info, &info_size) != 0) return {};
  return bytes;
}

}  // namespace

Result<std::vector<std::byte>> read_btf_file(const std::string& path) {
  const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat info;
  if (!file || fstat(file.get(), &info) != 0) return because(errno_text(errno));
  if (!S_ISREG(info.st_mode)) return because("it is no regular file");
  char magic[SELFMAG];
  if (pread(file.get(), magic, sizeof magic, 0) == SELFMAG && memcmp(magic, ELFMAG, SELFMAG) == 0)
    return btf_of_elf(file.get());
  const auto size = static_cast<uint64_t>(info.st_size);
  if (size > kMostBtf) return because("it is too large for BTF");
  return all_of(file.get(), size);
}

std::vector<std::byte> running_kernel_btf() {
  if (auto file = read_btf_file(kKernelBtf)) return std::move(*file);
  for (__u32 id = 0; bpf_btf_get_next_id(id, &id) == 0;) {
    char name[16] = {};
    bpf_btf_info info = {};
    info.name = reinterpret_cast<uintptr_t>(name);
    info.name_len = sizeof name;
    __u32 size = sizeof info;
    const Fd object(bpf_btf_get_fd_by_id(id));
    if (!object || bpf_obj_get_info_by_fd(object.get(), &info, &size) != 0) continue;
    if (info.kernel_btf != 0 && std::string_view(name) == "vmlinux") return bytes_of(object, info.btf_size);
  }
  return {};
}

}  // namespace sockeye
