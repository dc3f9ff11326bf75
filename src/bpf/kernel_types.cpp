// SPDX-License-Identifier: Apache-2.0
#include "bpf/kernel_types.h"

#include <fcntl.h>
#include <linux/btf.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <deque>
#include <unordered_map>

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

// Types that are looked for by name.
bool has_a_use(uint32_t kind) {
  return kind == BTF_KIND_FUNC || kind == BTF_KIND_TYPEDEF || kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION ||
         kind == BTF_KIND_ENUM || kind == BTF_KIND_ENUM64 || kind == BTF_KIND_INT;
}

// FNV-1a (RFC 9923).
size_t hash_of(const char* name) {
  size_t hash = 0xcbf29ce484222325;
  for (; *name != '\0'; ++name) hash = (hash ^ static_cast<unsigned char>(*name)) * 0x100000001b3;
  return hash;
}

Error unreadable(std::string why) { return {ErrorCode::kNotPossible, std::move(why), ""}; }

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

// Copies types one after the other, each with what it holds by value, under new ids.
class Excerpt {
 public:
  explicit Excerpt(const KernelTypes& from) : from_(from) {}

  // The new id of a type.
  uint32_t take(uint32_t id) {
    if (id == 0 || id >= from_.begin_.size()) return 0;
    const auto [place, is_new] = new_ids_.try_emplace(id, static_cast<uint32_t>(new_ids_.size() + 1));
    if (is_new) waiting_.push_back(id);
    return place->second;
  }

  std::vector<std::byte> finish() {
    for (; !waiting_.empty(); waiting_.pop_front()) copy(waiting_.front());
    btf_header header = {.magic = BTF_MAGIC,
                         .version = BTF_VERSION,
                         .flags = 0,
                         .hdr_len = sizeof header,
                         .type_off = 0,
                         .type_len = static_cast<__u32>(types_.size()),
                         .str_off = static_cast<__u32>(types_.size()),
                         .str_len = static_cast<__u32>(strings_.size())};
    std::vector<std::byte> whole(sizeof header + types_.size() + strings_.size());
    memcpy(whole.data(), &header, sizeof header);
    memcpy(whole.data() + sizeof header, types_.data(), types_.size());
    memcpy(whole.data() + sizeof header + types_.size(), strings_.data(), strings_.size());
    return whole;
  }

 private:
  template <typename T>
  void add(const T& part) {
    const auto* bytes = reinterpret_cast<const std::byte*>(&part);
    types_.insert(types_.end(), bytes, bytes + sizeof part);
  }

  uint32_t add_name(uint32_t offset) {
    if (offset == 0 || offset >= from_.strings_.size()) return 0;
    const auto at = static_cast<uint32_t>(strings_.size());
    strings_ += from_.strings_.data() + offset;
    strings_ += '\0';
    return at;
  }

  template <typename Part, typename Change>
  void copy_parts(size_t at, uint32_t count, Change change) {
    for (uint32_t i = 0; i < count; ++i, at += sizeof(Part)) {
      Part part;
      memcpy(&part, from_.types_.data() + at, sizeof part);
      change(part);
      add(part);
    }
  }

  void copy(uint32_t id) {
    const size_t at = from_.begin_[id];
    btf_type type = type_at(from_.types_, at);
    const uint32_t kind = BTF_INFO_KIND(type.info), parts = BTF_INFO_VLEN(type.info);
    type.name_off = add_name(type.name_off);
    switch (kind) {
      case BTF_KIND_TYPEDEF:
      case BTF_KIND_CONST:
      case BTF_KIND_VOLATILE:
      case BTF_KIND_RESTRICT:
      case BTF_KIND_TYPE_TAG: type.type = take(type.type); break;
      case BTF_KIND_PTR: type.type = 0; break;
      case BTF_KIND_FUNC:  // nobody holds these by value
      case BTF_KIND_FUNC_PROTO:
      case BTF_KIND_VAR:
      case BTF_KIND_DATASEC:
      case BTF_KIND_DECL_TAG: type = {.name_off = 0, .info = BTF_KIND_PTR << 24, .type = 0}; break;
      default: break;
    }
    add(type);
    const size_t rest = at + sizeof type;
    if (kind == BTF_KIND_INT) copy_parts<__u32>(rest, 1, [](__u32&) {});
    if (kind == BTF_KIND_ARRAY) {
      copy_parts<btf_array>(rest, 1, [this](btf_array& array) {
        array.type = take(array.type);
        array.index_type = take(array.index_type);
      });
    }
    if (kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION) {
      copy_parts<btf_member>(rest, parts, [this](btf_member& member) {
        member.name_off = add_name(member.name_off);
        member.type = take(member.type);
      });
    }
    const auto rename = [this](auto& value) { value.name_off = add_name(value.name_off); };
    if (kind == BTF_KIND_ENUM) copy_parts<btf_enum>(rest, parts, rename);
    if (kind == BTF_KIND_ENUM64) copy_parts<btf_enum64>(rest, parts, rename);
  }

  const KernelTypes& from_;
  std::unordered_map<uint32_t, uint32_t> new_ids_;
  std::deque<uint32_t> waiting_;
  std::vector<std::byte> types_;
  std::string strings_ = std::string(1, '\0');
};

Result<KernelTypes> KernelTypes::load(const std::string& path) {
  const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info;
  if (!file || fstat(file.get(), &info) != 0) return unreadable(errno_text(errno));
  auto contents = std::make_shared<Contents>();
  contents->size = static_cast<size_t>(info.st_size);
  if (contents->size == 0) return unreadable("it is empty");
  contents->mapped = mmap(nullptr, contents->size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (contents->mapped == MAP_FAILED) {
    contents->read.resize(contents->size);
    size_t have = 0;
    ssize_t n;
    while ((n = read(file.get(), contents->read.data() + have, contents->size - have)) > 0) {
      have += static_cast<size_t>(n);
    }
    if (n < 0) return unreadable(errno_text(errno));
    contents->read.resize(have);
  }
  auto types = parse(contents->bytes());
  if (types) types->contents_ = std::move(contents);
  return types;
}

Result<KernelTypes> KernelTypes::take(std::vector<std::byte> bytes) {
  auto contents = std::make_shared<Contents>();
  contents->read = std::move(bytes);
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
  types.bytes_ = bytes;
  types.types_ = body.subspan(header.type_off, header.type_len);
  types.strings_ = {reinterpret_cast<const char*>(body.data()) + header.str_off, header.str_len};
  if (types.strings_.front() != '\0' || types.strings_.back() != '\0') return unreadable("its strings are damaged");
  SOCKEYE_TRY(types.index());
  return types;
}

Status KernelTypes::index() {
  begin_.push_back(0);  // 0 is void
  for (size_t at = 0; at < types_.size();) {
    if (types_.size() - at < sizeof(btf_type)) return unreadable("its types end in the middle of one");
    const btf_type type = type_at(types_, at);
    const int64_t extra = extra_bytes(BTF_INFO_KIND(type.info), BTF_INFO_VLEN(type.info));
    if (extra < 0) {
      return unreadable("it has types of kind " + std::to_string(BTF_INFO_KIND(type.info)) +
                        ", which are newer than sockeye");
    }
    begin_.push_back(static_cast<uint32_t>(at));
    at += sizeof type + static_cast<size_t>(extra);
    if (at > types_.size()) return unreadable("its types end in the middle of one");
  }
  slots_.resize(std::bit_ceil(begin_.size() * 2));
  for (uint32_t id = 1; id < begin_.size(); ++id) {
    const btf_type type = type_at(types_, begin_[id]);
    if (!has_a_use(BTF_INFO_KIND(type.info)) || type.name_off == 0) continue;
    if (type.name_off >= strings_.size()) return unreadable("its strings are damaged");
    size_t slot = hash_of(strings_.data() + type.name_off);
    while (slots_[slot &= slots_.size() - 1] != 0) ++slot;
    slots_[slot] = id;
  }
  return Ok{};
}

const char* KernelTypes::name_of(uint32_t id) const { return strings_.data() + type_at(types_, begin_[id]).name_off; }

std::vector<uint32_t> KernelTypes::named(std::string_view name) const {
  std::vector<uint32_t> ids;
  const std::string wanted(name);
  for (size_t slot = hash_of(wanted.c_str()); slots_[slot &= slots_.size() - 1] != 0; ++slot) {
    if (wanted == name_of(slots_[slot])) ids.push_back(slots_[slot]);
  }
  return ids;
}

uint32_t KernelTypes::find(std::string_view name, uint32_t kind) const {
  for (const uint32_t id : named(name)) {
    if (BTF_INFO_KIND(type_at(types_, begin_[id]).info) == kind) return id;
  }
  return 0;
}

uint32_t KernelTypes::function(std::string_view name) const { return find(name, BTF_KIND_FUNC); }

uint32_t KernelTypes::type_definition(std::string_view name) const { return find(name, BTF_KIND_TYPEDEF); }

uint32_t KernelTypes::structure(std::string_view name) const { return find(name, BTF_KIND_STRUCT); }

// -1: it is no prototype.
int KernelTypes::prototype_size(uint32_t prototype) const {
  if (prototype == 0 || prototype >= begin_.size()) return -1;
  const uint32_t info = type_at(types_, begin_[prototype]).info;
  return BTF_INFO_KIND(info) == BTF_KIND_FUNC_PROTO ? static_cast<int>(BTF_INFO_VLEN(info)) : -1;
}

int KernelTypes::parameters(std::string_view name) const {
  const uint32_t id = function(name);
  return id == 0 ? -1 : prototype_size(type_at(types_, begin_[id]).type);
}

// btf_trace_<name> is a pointer to the function that a program hooks; what that gets first is the hook's own.
int KernelTypes::arguments(std::string_view tracepoint) const {
  const uint32_t id = type_definition("btf_trace_" + std::string(tracepoint));
  const uint32_t pointer = id == 0 ? 0 : type_at(types_, begin_[id]).type;
  if (pointer == 0 || pointer >= begin_.size()) return -1;
  const btf_type type = type_at(types_, begin_[pointer]);
  const int size = BTF_INFO_KIND(type.info) == BTF_KIND_PTR ? prototype_size(type.type) : -1;
  return size > 0 ? size - 1 : -1;
}

uint32_t KernelTypes::member_type(std::string_view structure_name, std::string_view member_name) const {
  const uint32_t id = structure(structure_name);
  if (id == 0) return 0;
  size_t at = begin_[id] + sizeof(btf_type);
  for (uint32_t i = BTF_INFO_VLEN(type_at(types_, begin_[id]).info); i > 0; --i, at += sizeof(btf_member)) {
    btf_member member;
    memcpy(&member, types_.data() + at, sizeof member);
    if (member.name_off < strings_.size() && member_name == strings_.data() + member.name_off) return member.type;
  }
  return 0;
}

std::vector<std::pair<std::string_view, uint32_t>> KernelTypes::enumerators(std::string_view enumeration) const {
  std::vector<std::pair<std::string_view, uint32_t>> values;
  const uint32_t id = find(enumeration, BTF_KIND_ENUM);
  if (id == 0) return values;
  size_t at = begin_[id] + sizeof(btf_type);
  for (uint32_t i = BTF_INFO_VLEN(type_at(types_, begin_[id]).info); i > 0; --i, at += sizeof(btf_enum)) {
    btf_enum value;
    memcpy(&value, types_.data() + at, sizeof value);
    if (value.name_off >= strings_.size()) continue;
    values.emplace_back(strings_.data() + value.name_off, static_cast<uint32_t>(value.val));
  }
  return values;
}

std::vector<std::byte> KernelTypes::excerpt(const std::vector<std::string_view>& names) const {
  Excerpt excerpt(*this);
  for (const std::string_view name : names) {
    for (const uint32_t id : named(name)) excerpt.take(id);
  }
  return excerpt.finish();
}

}  // namespace sockeye
