#include "policy/uuid.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>
#include <string>

namespace vicket {

namespace {

constexpr std::uint64_t time_mask = (1ULL << 48) - 1;
constexpr std::uint64_t high_mask = (1ULL << 12) - 1;
constexpr std::uint64_t low_mask = (1ULL << 62) - 1;
constexpr std::uint64_t step_mask = (1ULL << 32) - 1;

} // namespace

void uuid7_source::start_at(std::uint64_t time_ms, random_source& random) {
  started_ = true;
  time_ms_ = time_ms & time_mask;
  high_ = random.next() & (high_mask >> 1); // the top bit stays free, as room to count up in
  low_ = random.next() & low_mask;
}

event_id uuid7_source::next(timestamp_ms now, random_source& random) {
  const auto now_ms = static_cast<std::uint64_t>(std::max<std::int64_t>(now.value, 0));
  if (!started_ || now_ms > time_ms_) {
    start_at(now_ms, random);
  } else {
    low_ += 1 + (random.next() & step_mask);
    if (low_ > low_mask) {
      low_ &= low_mask;
      if (++high_ > high_mask)
        start_at(time_ms_ + 1, random);
    }
  }
  event_id id;
  for (unsigned i = 0; i < 6; ++i)
    id.bytes[i] = static_cast<std::uint8_t>(time_ms_ >> (40 - 8 * i));
  id.bytes[6] = static_cast<std::uint8_t>(0x70 | (high_ >> 8));
  id.bytes[7] = static_cast<std::uint8_t>(high_);
  for (unsigned i = 0; i < 8; ++i)
    id.bytes[8 + i] = static_cast<std::uint8_t>(low_ >> (56 - 8 * i));
  id.bytes[8] =
      static_cast<std::uint8_t>(id.bytes[8] | 0x80); // the variant; low_ leaves these two bits clear
  return id;
}

event_id uuid5(const event_id& name_space, std::string_view name) {
  std::string hashed{name_space.bytes.begin(), name_space.bytes.end()};
  hashed += name;
  // Both kept: looking up the algorithm and making a context cost more than the hash.
  static const EVP_MD* const sha1 = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  thread_local const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(),
                                                                                     EVP_MD_CTX_free};
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  if (sha1 == nullptr || !context || EVP_DigestInit_ex2(context.get(), sha1, nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), hashed.data(), hashed.size()) != 1 ||
      EVP_DigestFinal_ex(context.get(), hash.data(), nullptr) != 1)
    throw std::runtime_error{"OpenSSL has no SHA-1"};
  event_id id;
  std::copy_n(hash.begin(), id.bytes.size(), id.bytes.begin());
  id.bytes[6] = static_cast<std::uint8_t>(0x50 | (id.bytes[6] & 0x0f));
  id.bytes[8] = static_cast<std::uint8_t>(0x80 | (id.bytes[8] & 0x3f));
  return id;
}

} // namespace vicket
