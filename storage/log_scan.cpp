#include "storage/log_scan.hpp"

#include <rocksdb/env.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

namespace vicket {

namespace {

// A record's header: u32 masked CRC, u16 length, both little-endian, u8 type; the CRC is of type and payload.
constexpr std::size_t header_bytes = 7;
constexpr std::size_t length_offset = 4;
constexpr std::size_t type_offset = 6;
constexpr std::uint8_t first_type =
    1; // full, first, middle, last: all that we have it write, since logs are neither
constexpr std::uint8_t last_type = 4; // recycled nor compressed

constexpr std::uint32_t mask_delta = 0xa282ead8;

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  auto table = std::array<std::uint32_t, 256>{};
  for (auto i = std::uint32_t{0}; i < 256; ++i) {
    auto value = i;
    for (auto bit = 0; bit < 8; ++bit)
      value = (value >> 1) ^ ((value & 1) != 0 ? 0x82f63b78u : 0u);
    table[i] = value;
  }
  return table;
}

std::uint32_t crc32c_by_table(std::string_view bytes) noexcept {
  static constexpr auto table = make_crc_table();
  auto crc = ~std::uint32_t{0};
  for (const auto c : bytes)
    crc = (crc >> 8) ^ table[(crc ^ static_cast<std::uint8_t>(c)) & 0xff];
  return ~crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) std::uint32_t crc32c_by_instruction(std::string_view bytes) noexcept {
  auto crc = std::uint64_t{0xffffffff};
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    auto word = std::uint64_t{0};
    __builtin_memcpy(&word, bytes.data(), 8);
    crc = __builtin_ia32_crc32di(crc, word);
  }
  auto tail = static_cast<std::uint32_t>(crc);
  for (const auto c : bytes)
    tail = __builtin_ia32_crc32qi(tail, static_cast<std::uint8_t>(c));
  return ~tail;
}
#endif

std::uint32_t little_endian(std::string_view bytes, std::size_t at, std::size_t count) {
  auto value = std::uint32_t{0};
  for (auto i = count; i > 0; --i)
    value = (value << 8) | static_cast<std::uint8_t>(bytes[at + i - 1]);
  return value;
}

/// The bytes of the valid record that `bytes` begins with; 0 when it begins with none.
std::size_t valid_record_bytes(std::string_view bytes) {
  if (bytes.size() < header_bytes)
    return 0;
  const auto type = static_cast<std::uint8_t>(bytes[type_offset]);
  const auto length = little_endian(bytes, length_offset, 2);
  if (type < first_type || type > last_type || length > bytes.size() - header_bytes)
    return 0;
  const auto crc = crc32c(bytes.substr(type_offset, 1 + length));
  const auto masked = ((crc >> 15) | (crc << 17)) + mask_delta;
  return masked == little_endian(bytes, 0, 4) ? header_bytes + length : 0;
}

/// What is left of a full block when no header fits any more is filled with zeros.
bool is_padding(std::string_view rest, std::size_t block_size) {
  return block_size == log_scan::block_bytes && rest.size() < header_bytes &&
         std::all_of(rest.begin(), rest.end(), [](char c) { return c == '\0'; });
}

} // namespace

std::uint32_t crc32c(std::string_view bytes) noexcept {
#ifdef __x86_64__
  static const auto has_instruction = __builtin_cpu_supports("sse4.2") != 0;
  if (has_instruction)
    return crc32c_by_instruction(bytes);
#endif
  return crc32c_by_table(bytes);
}

void log_scan::add_block(std::string_view block) {
  auto at = std::size_t{0};
  if (invalid_) // each block begins with a record: enough to tell whether the log goes on behind the damage
    valid_behind_ = valid_behind_ || valid_record_bytes(block) > 0;
  while (!invalid_ && at < block.size() && !is_padding(block.substr(at), block.size())) {
    if (const auto bytes = valid_record_bytes(block.substr(at)); bytes > 0)
      at += bytes;
    else
      invalid_ = offset_ + at;
  }
  // Within the damaged block the next record may begin anywhere.
  if (invalid_ && *invalid_ >= offset_)
    for (++at; !valid_behind_ && at < block.size(); ++at)
      valid_behind_ = valid_record_bytes(block.substr(at)) > 0;
  offset_ += block.size();
}

std::optional<std::uint64_t> log_scan::damage() const {
  return valid_behind_ ? invalid_ : std::nullopt;
}

namespace {

store_status check_log(rocksdb::Env& env, const std::string& path) {
  auto file = std::unique_ptr<rocksdb::SequentialFile>{};
  auto status = env.NewSequentialFile(path, &file, rocksdb::EnvOptions{});
  auto scan = log_scan{};
  auto buffer = std::vector<char>(log_scan::block_bytes);
  auto filled = std::size_t{0};
  for (auto at_end = false; status.ok() && !at_end;) {
    auto piece = rocksdb::Slice{};
    status = file->Read(buffer.size() - filled, &piece, buffer.data() + filled);
    if (piece.data() != buffer.data() + filled) // an environment may hand out its own memory
      std::copy_n(piece.data(), piece.size(), buffer.data() + filled);
    filled += piece.size();
    at_end = piece.empty();
    if (filled == buffer.size() || at_end) {
      scan.add_block({buffer.data(), filled});
      filled = 0;
    }
  }
  if (!status.ok())
    return {store_errc::failed, "can't read the log " + path + ": " + status.ToString()};
  if (const auto offset = scan.damage())
    return {
        store_errc::corrupt,
        "the log " + path + " is damaged at byte " + std::to_string(*offset) +
            ", with intact records behind that: acknowledged events would be lost, so nothing was opened; "
            "restore the file, or move the data folder away to start empty"};
  return {};
}

} // namespace

store_status check_logs(rocksdb::Env& env, const std::string& folder) {
  auto names = std::vector<std::string>{};
  if (const auto status = env.GetChildren(folder, &names); status.IsNotFound())
    return {};
  else if (!status.ok())
    return {store_errc::failed, "can't list " + folder + ": " + status.ToString()};
  std::sort(names.begin(), names.end());
  for (const auto& name : names)
    if (name.ends_with(".log"))
      if (auto status = check_log(env, folder + "/" + name); !status.ok())
        return status;
  return {};
}

} // namespace vicket
