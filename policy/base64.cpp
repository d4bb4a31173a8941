#include "policy/base64.hpp"

#include "messages/connector.hpp"

#include <openssl/evp.h>

#include <algorithm>

namespace vicket {

namespace {

// OpenSSL counts in int: pieces whose encoding can be put one behind the other.
constexpr std::size_t encode_piece_bytes = 3 * 1'048'576;
constexpr std::size_t max_decode_bytes = 1U << 30;

const unsigned char* as_bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

bool alphabet(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

} // namespace

std::string base64_encode(std::string_view bytes) {
  std::string text;
  text.resize((bytes.size() + 2) / 3 * 4 + 1); // EVP_EncodeBlock ends with a zero
  std::size_t written = 0;
  while (!bytes.empty()) {
    const auto piece = bytes.substr(0, encode_piece_bytes);
    written +=
        static_cast<std::size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data() + written),
                                                 as_bytes(piece), static_cast<int>(piece.size())));
    bytes.remove_prefix(piece.size());
  }
  text.resize(written);
  return text;
}

std::optional<std::string> base64_decode(std::string_view text) {
  // EVP_DecodeBlock overlooks blanks around and does not tell how much of the last group was padding.
  if (text.size() % 4 != 0 || text.size() > max_decode_bytes)
    return std::nullopt;
  const auto last = text.find_last_not_of('=');
  const auto characters = last == std::string_view::npos ? 0 : last + 1;
  const auto padding = text.size() - characters;
  if (padding > 2 ||
      !std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(characters), alphabet))
    return std::nullopt;
  secret_text kept{std::string(text.size() / 4 * 3, '\0')}; // it may be a key
  auto& bytes = kept.value;
  if (text.empty())
    return std::string{};
  if (EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), as_bytes(text),
                      static_cast<int>(text.size())) < 0)
    return std::nullopt;
  bytes.resize(bytes.size() - padding);
  // One text per value, or two secrets that differ would be the same key.
  if (padding > 0 && secret_text{base64_encode(bytes)}.value != text)
    return std::nullopt;
  return std::move(bytes);
}

std::variant<std::string, base64_fault> base64_decode_any(std::string_view text) {
  const auto characters = std::min(text.find('='), text.size());
  const auto padding = text.substr(characters);
  secret_text kept; // it may be a key
  auto& standard = kept.value;
  standard.reserve(text.size() + 3);
  standard = text.substr(0, characters);
  bool standard_only = false;
  bool url_only = false;
  for (std::size_t at = 0; at < standard.size(); ++at) {
    char& c = standard[at];
    standard_only = standard_only || c == '+' || c == '/';
    url_only = url_only || c == '-' || c == '_';
    if (standard_only && url_only)
      return base64_fault{at,
                          "mixes the alphabets of base64, that with '+' and '/' and that with '-' and '_'"};
    c = c == '-' ? '+' : c == '_' ? '/' : c;
    if (!alphabet(c))
      return base64_fault{at, "has a character that is no base64"};
  }
  const auto missing = (4 - characters % 4) % 4;
  if (missing == 3)
    return base64_fault{characters, "ends in the middle of a byte"};
  if (!padding.empty() && (padding.size() != missing || padding.find_first_not_of('=') != padding.npos))
    return base64_fault{characters, "has padding ('=') that does not fit"};
  standard.append(missing, '=');
  auto bytes = base64_decode(standard);
  if (!bytes) // the characters and their number are right
    return base64_fault{characters - 1, "ends with bits that belong to no byte, as if its end were lost"};
  return *std::move(bytes);
}

} // namespace vicket
