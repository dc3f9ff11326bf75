// SPDX-License-Identifier: Apache-2.0
#include "bpf/kernel_types.h"

#include <fcntl.h>
#include <linux/btf.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "base/fd.h"

namespace sockeye {
namespace {

// What follows struct btf_type, by kind (Documentation/bpf/btf.rst); -1: a kind that this version does not know.
int64_t extra_bytes(uint32_t kind, uint32_t members) {
  switch (kind) {
    case BTF_KIND_PTR:
    case BTF_KIND_FWD:
    case BTF_KIND_TYPEDEF:
    case BTF_KIND_VOLATILE:
    case BTF_KIND_CONST:
    case BTF_KIND_RESTRICT:
    case BTF_KIND_FUNC:
    case BTF_KIND_FLOAT:
    case BTF_KIND_TYPE_TAG: return 0;
    case BTF_KIND_INT:
    case BTF_KIND_VAR:
    case BTF_KIND_DECL_TAG: return 4;
    case BTF_KIND_ARRAY: return sizeof(btf_array);
    case BTF_KIND_ENUM:
    case BTF_KIND_FUNC_PROTO: return int64_t{members} * 8;
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
    case BTF_KIND_DATASEC:
    case BTF_KIND_ENUM64: return int64_t{members} * 12;
    default: return -1;
  }
}

btf_type type_at(std::span<const std::byte> types, size_t at) {
  btf_type type;
  memcpy(&type, types.data() + at, sizeof type);
  return type;
}

Error unreadable(const std::string& why) {
  return {ErrorCode::kNotPossible, "the kernel's type information (BTF) cannot be read: " + why,
          "sockeye needs a kernel built with CONFIG_DEBUG_INFO_BTF, at /sys/kernel/btf/vmlinux"};
}

}  // namespace

struct KernelTypes::Contents {
  ~Contents() {
    if (mapped != MAP_FAILED) munmap(mapped, size);
  }

  std::span<const std::byte> bytes() const {
    if (mapped != MAP_FAILED) return {static_cast<const std::byte*>(mapped), size};
    return read;
  }

  void* mapped = MAP_FAILED;  // kernels from 6.16 let their BTF be mapped: no copy
  size_t size = 0;
  std::vector<std::byte> read;
};

Result<KernelTypes> KernelTypes::load(const std::string& path) {
  const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info;
  if (!file || fstat(file.get(), &info) != 0) return unreadable(path + ": " + errno_text(errno));
  auto contents = std::make_shared<Contents>();
  contents->size = static_cast<size_t>(info.st_size);
  if (contents->size == 0) return unreadable(path + " is empty");
  contents->mapped = mmap(nullptr, contents->size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (contents->mapped == MAP_FAILED) {
    contents->read.resize(contents->size);
    size_t have = 0;
    ssize_t n;
    while ((n = read(file.get(), contents->read.data() + have, contents->size - have)) > 0) {
      have += static_cast<size_t>(n);
    }
    if (n < 0) return unreadable(path + ": " + errno_text(errno));
    contents->read.resize(have);
  }
  auto types = parse(contents->bytes());
  if (types) types->contents_ = std::move(contents);
  return types;
}

Result<KernelTypes> KernelTypes::parse(std::span<const std::byte> bytes) {
  btf_header header;
  if (bytes.size() < sizeof header) return unreadable("it is too short");
  memcpy(&header, bytes.data(), sizeof header);
  if (header.magic != BTF_MAGIC || header.version != BTF_VERSION) return unreadable("it is no BTF of this machine");
  if (header.hdr_len < sizeof header || header.hdr_len > bytes.size()) return unreadable("its header is damaged");
  const std::span<const std::byte> body = bytes.subspan(header.hdr_len);
  const auto inside = [&](uint32_t at, uint32_t size) { return at <= body.size() && size <= body.size() - at; };
  if (!inside(header.type_off, header.type_len) || !inside(header.str_off, header.str_len) || header.str_len == 0) {
    return unreadable("its header is damaged");
  }
  KernelTypes types;
  types.types_ = body.subspan(header.type_off, header.type_len);
  types.strings_ = {reinterpret_cast<const char*>(body.data()) + header.str_off, header.str_len};
  if (types.strings_.front() != '\0' || types.strings_.back() != '\0') return unreadable("its strings are damaged");
  SOCKEYE_TRY(types.index());
  return types;
}

Status KernelTypes::index() {
  uint32_t id = 1;  // 0 is void
  for (size_t at = 0; at < types_.size(); ++id) {
    if (types_.size() - at < sizeof(btf_type)) return unreadable("its types end in the middle of one");
    const btf_type type = type_at(types_, at);
    const uint32_t kind = BTF_INFO_KIND(type.info);
    if (kind == BTF_KIND_FUNC || kind == BTF_KIND_TYPEDEF || kind == BTF_KIND_STRUCT) {
      named_.push_back({.name = type.name_off, .id = id, .kind = kind, .at = static_cast<uint32_t>(at)});
    }
    const int64_t extra = extra_bytes(kind, BTF_INFO_VLEN(type.info));
    if (extra < 0) return unreadable("it has types of kind " + std::to_string(kind) + ", which are newer than sockeye");
    at += sizeof type + static_cast<size_t>(extra);
    if (at > types_.size()) return unreadable("its types end in the middle of one");
  }
  return Ok{};
}

// Each string is there once (`pahole --btf_encode` removes duplicates).
uint32_t KernelTypes::offset_of(std::string_view name) const {
  std::string whole(1, '\0');
  whole.append(name).push_back('\0');
  const void* found = memmem(strings_.data(), strings_.size(), whole.data(), whole.size());
  return found ? static_cast<uint32_t>(static_cast<const char*>(found) - strings_.data() + 1) : 0;
}

const KernelTypes::Named* KernelTypes::find(std::string_view name, uint32_t kind) const {
  const uint32_t offset = offset_of(name);
  if (offset == 0) return nullptr;
  for (const Named& named : named_) {
    if (named.name == offset && named.kind == kind) return &named;
  }
  return nullptr;
}

uint32_t KernelTypes::function(std::string_view name) const {
  const Named* found = find(name, BTF_KIND_FUNC);
  return found ? found->id : 0;
}

uint32_t KernelTypes::type_definition(std::string_view name) const {
  const Named* found = find(name, BTF_KIND_TYPEDEF);
  return found ? found->id : 0;
}

uint32_t KernelTypes::structure(std::string_view name) const {
  const Named* found = find(name, BTF_KIND_STRUCT);
  return found ? found->id : 0;
}

// Where a type begins, counted from the nearest one before it that has a name; the length of all: there is no such id.
uint32_t KernelTypes::at_of(uint32_t wanted) const {
  uint32_t id = 1;
  size_t at = 0;
  for (const Named& named : named_) {
    if (named.id > wanted) break;
    id = named.id;
    at = named.at;
  }
  for (; id < wanted && at < types_.size(); ++id) {
    const btf_type type = type_at(types_, at);
    at += sizeof type + static_cast<size_t>(extra_bytes(BTF_INFO_KIND(type.info), BTF_INFO_VLEN(type.info)));
  }
  return static_cast<uint32_t>(at);
}

int KernelTypes::parameters(std::string_view name) const {
  const Named* found = find(name, BTF_KIND_FUNC);
  if (!found) return -1;
  const uint32_t at = at_of(type_at(types_, found->at).type);
  if (at >= types_.size()) return -1;
  const btf_type prototype = type_at(types_, at);
  return BTF_INFO_KIND(prototype.info) == BTF_KIND_FUNC_PROTO ? static_cast<int>(BTF_INFO_VLEN(prototype.info)) : -1;
}

}  // namespace sockeye
