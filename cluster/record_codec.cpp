#include "cluster/record_codec.hpp"

#include "policy/aes_gcm.hpp"

#include <openssl/rand.h>
#include <zstd.h>

#include <memory>
#include <stdexcept>

namespace vicket {

namespace {

struct context_deleter {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

/// Made once for each thread: for a small record that is most of the work.
ZSTD_CCtx* packing() {
  thread_local const std::unique_ptr<ZSTD_CCtx, context_deleter> context{ZSTD_createCCtx()};
  return context.get();
}
ZSTD_DCtx* unpacking() {
  thread_local const std::unique_ptr<ZSTD_DCtx, context_deleter> context{ZSTD_createDCtx()};
  return context.get();
}

} // namespace

std::string record_codec::place_of(const record_head& head, const record_digest& before) const {
  auto place = "vicket record/" + uuid_ + '/' + std::to_string(head.partition) + '/' +
               std::to_string(head.number) + '/' + std::to_string(head.epoch) + '/' +
               std::to_string(static_cast<unsigned>(head.kind)) + '/';
  place.append(reinterpret_cast<const char*>(before.data()), before.size());
  return place;
}

std::string record_codec::seal(const record_head& head, const record_digest& before,
                               std::string_view body) const {
  const auto most = ZSTD_compressBound(body.size());
  std::string sealed(aes_gcm::nonce_bytes + most + aes_gcm::tag_bytes, '\0');
  std::string packed(most, '\0');
  const auto size =
      ZSTD_compressCCtx(packing(), packed.data(), packed.size(), body.data(), body.size(), zstd_level);
  if (ZSTD_isError(size) != 0)
    throw std::runtime_error{std::string{"zstd: "} + ZSTD_getErrorName(size)};
  packed.resize(size);
  sealed.resize(aes_gcm::nonce_bytes + size + aes_gcm::tag_bytes);
  if (RAND_bytes(reinterpret_cast<unsigned char*>(sealed.data()), aes_gcm::nonce_bytes) != 1)
    throw std::runtime_error{"OpenSSL: RAND_bytes failed"};
  const auto place = place_of(head, before);
  aes_gcm::seal(key_->derive(place).view(), {sealed.data(), aes_gcm::nonce_bytes}, place, packed,
                sealed.data() + aes_gcm::nonce_bytes);
  return sealed;
}

std::optional<std::string> record_codec::open(const record_head& head, const record_digest& before,
                                              std::string_view sealed) const {
  if (sealed.size() < aes_gcm::nonce_bytes + aes_gcm::tag_bytes || sealed.size() > 2 * max_body_bytes)
    return std::nullopt;
  std::string packed(sealed.size() - aes_gcm::nonce_bytes - aes_gcm::tag_bytes, '\0');
  const auto place = place_of(head, before);
  if (!aes_gcm::open(key_->derive(place).view(), sealed.substr(0, aes_gcm::nonce_bytes), place,
                     sealed.substr(aes_gcm::nonce_bytes), packed.data()))
    return std::nullopt;
  const auto size = ZSTD_getFrameContentSize(packed.data(), packed.size());
  if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR || size > max_body_bytes)
    return std::nullopt;
  std::string body(static_cast<std::size_t>(size), '\0');
  const auto opened =
      ZSTD_decompressDCtx(unpacking(), body.data(), body.size(), packed.data(), packed.size());
  if (ZSTD_isError(opened) != 0 || opened != body.size())
    return std::nullopt;
  return body;
}

} // namespace vicket
