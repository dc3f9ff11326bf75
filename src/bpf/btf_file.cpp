// SPDX-License-Identifier: Apache-2.0
#include "bpf/btf_file.h"

#include <bpf/bpf.h>
#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/fd.h"
#include "bpf/kernel_types.h"

namespace sockeye {
namespace {

constexpr uint64_t kMostBtf = uint64_t{64} << 20;  // the largest of a distribution's kernels have 10 MiB
constexpr uint64_t kMostNames = 1 << 20;
constexpr unsigned char kByteOrder = std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;

Error because(std::string why) { return {ErrorCode::kUsage, std::move(why), ""}; }

// A regular file of known size. It may shrink while it is read: then a part is not there.
class File {
 public:
  static Result<File> open(const std::string& path) {
    File file;
    file.fd_.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    struct stat info;
    if (!file.fd_ || fstat(file.fd_.get(), &info) != 0) return because(errno_text(errno));
    if (!S_ISREG(info.st_mode)) return because("it is no regular file");
    file.size_ = static_cast<uint64_t>(info.st_size);
    return file;
  }

  uint64_t size() const { return size_; }

  // So many bytes from `at` on; none: they are not all there.
  std::optional<std::vector<std::byte>> part(uint64_t at, uint64_t bytes) const {
    if (at > size_ || bytes > size_ - at) return std::nullopt;
    std::vector<std::byte> part(bytes);
    size_t have = 0;
    while (have < bytes) {
      const ssize_t n = pread(fd_.get(), part.data() + have, bytes - have, static_cast<off_t>(at + have));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return std::nullopt;
      have += static_cast<size_t>(n);
    }
    return part;
  }

  template <typename T>
  bool read(uint64_t at, T& value) const {
    const auto bytes = part(at, sizeof value);
    if (bytes) memcpy(&value, bytes->data(), sizeof value);
    return bytes.has_value();
  }

 private:
  Fd fd_;
  uint64_t size_ = 0;
};

// The section .BTF (System V ABI, "Sections").
Result<std::vector<std::byte>> btf_of_elf(const File& file) {
  const Error damaged = because("it is an ELF file, and damaged");
  Elf64_Ehdr header;
  if (!file.read(0, header)) return damaged;
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != kByteOrder)
    return because("it is an ELF file of another kind of machine");
  if (header.e_shentsize != sizeof(Elf64_Shdr) || header.e_shstrndx >= header.e_shnum) return damaged;
  const auto table = file.part(header.e_shoff, uint64_t{header.e_shnum} * sizeof(Elf64_Shdr));
  if (!table) return damaged;
  const auto section = [&](size_t index) {
    Elf64_Shdr at;
    memcpy(&at, table->data() + index * sizeof at, sizeof at);
    return at;
  };
  const Elf64_Shdr names_at = section(header.e_shstrndx);
  const auto names = names_at.sh_size <= kMostNames ? file.part(names_at.sh_offset, names_at.sh_size) : std::nullopt;
  if (!names) return damaged;
  const std::string_view all(reinterpret_cast<const char*>(names->data()), names->size());
  for (size_t i = 0; i < header.e_shnum; ++i) {
    const Elf64_Shdr found = section(i);
    if (found.sh_name >= all.size()) continue;
    const std::string_view name = all.substr(found.sh_name);
    if (name.substr(0, name.find('\0')) != ".BTF") continue;
    if (found.sh_type == SHT_NOBITS || found.sh_size > kMostBtf) return damaged;
    auto bytes = file.part(found.sh_offset, found.sh_size);
    return bytes ? Result<std::vector<std::byte>>(std::move(*bytes)) : damaged;
  }
  return because("it is an ELF file without a section .BTF");
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
  auto file = File::open(path);
  if (!file) return file.error();
  const auto magic = file->part(0, SELFMAG);
  if (magic && memcmp(magic->data(), ELFMAG, SELFMAG) == 0) return btf_of_elf(*file);
  if (file->size() > kMostBtf) return because("it is too large for BTF");
  auto bytes = file->part(0, file->size());
  return bytes ? Result<std::vector<std::byte>>(std::move(*bytes)) : because("it cannot be read");
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
