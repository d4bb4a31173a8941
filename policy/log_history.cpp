#include "policy/log_history.hpp"

#include <openssl/evp.h>

#include <cstddef>
#include <memory>
#include <stdexcept>

namespace vicket {

namespace {

constexpr std::size_t head_bytes = 4 + 8 + 8 + 1 + 8;

template <class Number>
unsigned char* put(Number value, std::size_t bytes, unsigned char* to) {
  for (std::size_t i = 0; i < bytes; ++i)
    *to++ = static_cast<unsigned char>(static_cast<std::uint64_t>(value) >> (8 * i));
  return to;
}

std::array<unsigned char, head_bytes> bytes_of(const record_head& head) {
  std::array<unsigned char, head_bytes> bytes{};
  auto* to = put(head.partition, 4, bytes.data());
  to = put(head.number, 8, to);
  to = put(head.epoch, 8, to);
  to = put(static_cast<std::uint8_t>(head.kind), 1, to);
  put(head.durable_to, 8, to);
  return bytes;
}

bool is_known(record_kind kind) {
  return kind >= record_kind::genesis && kind <= record_kind::yield;
}

std::string is_not(std::string_view what, std::uint64_t is, std::uint64_t wanted) {
  return "is " + std::string{what} + " " + std::to_string(is) + ", not " + std::to_string(wanted);
}

} // namespace

record_digest digest_of(const record_digest& before, const record_head& head, std::string_view body) {
  struct deleter {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  const std::unique_ptr<EVP_MD_CTX, deleter> context{EVP_MD_CTX_new()};
  const auto bytes = bytes_of(head);
  record_digest digest{};
  if (!context || EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), before.data(), before.size()) != 1 ||
      EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) != 1 ||
      EVP_DigestUpdate(context.get(), body.data(), body.size()) != 1 ||
      EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) != 1)
    throw std::runtime_error{"OpenSSL: SHA-256 failed"};
  return digest;
}

log_history::log_history(const record_head& last, const record_digest& digest, bool owned)
    : last_{last}, digest_{digest}, owned_{owned} {}

std::string log_history::take(const record_head& head, const record_digest& digest, std::string_view body) {
  if (auto complaint = complaint_about(head); !complaint.empty())
    return complaint;
  if (digest_of(digest_, head, body) != digest)
    return "has another digest than its content and the record before it give";
  last_ = head;
  digest_ = digest;
  if (head.kind == record_kind::claim)
    owned_ = true;
  else if (head.kind == record_kind::yield || head.kind == record_kind::genesis)
    owned_ = false;
  return {};
}

std::string log_history::complaint_about(const record_head& head) const {
  if (!is_known(head.kind))
    return "is of kind " + std::to_string(static_cast<unsigned>(head.kind)) +
           ", which this version does not know";
  if (empty()) {
    if (head.kind != record_kind::genesis || head.number == 0)
      return "is not the beginning of a log";
    return head.durable_to < head.number ? std::string{} : "says that it is durable itself";
  }
  if (head.partition != last_.partition)
    return is_not("of partition", head.partition, last_.partition);
  if (head.number != last_.number + 1)
    return is_not("number", head.number, last_.number + 1);
  const auto begins_an_epoch = head.kind == record_kind::claim || head.kind == record_kind::genesis;
  if (const auto epoch = last_.epoch + (begins_an_epoch ? 1 : 0); head.epoch != epoch)
    return is_not("of epoch", head.epoch, epoch);
  if (!begins_an_epoch && !owned_)
    return "belongs to nobody: no claim is before it";
  if (head.durable_to >= head.number)
    return "says that it is durable itself";
  if (head.durable_to < last_.durable_to)
    return is_not("durable to", head.durable_to, last_.durable_to) + " at least";
  return {};
}

record_head log_history::next(record_kind kind, std::uint64_t durable_to) const {
  const auto begins_an_epoch = kind == record_kind::claim || kind == record_kind::genesis;
  return {last_.partition, last_.number + 1, last_.epoch + (begins_an_epoch ? 1 : 0), kind, durable_to};
}

} // namespace vicket
