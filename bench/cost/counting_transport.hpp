#pragma once

#include "transport/http_transport.hpp"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicket::bench {

/// Answers every request with 200 at once, from within `post`. It keeps no request: it reads the header lines
/// and the body as a connection would, and notes which event it was, since what it does itself is counted
/// too.
///
/// The events' ids end in their number, 0 to `expected` - 1, as 8 hexadecimal digits.
class counting_transport final : public http_transport {
public:
  explicit counting_transport(std::size_t expected) : seen_(expected, 0) {}

  void post(http_request request, completion done) override {
    ++requests_;
    signed_ += has_signature(request.header_lines.value) ? 1 : 0;
    body_bytes_ += request.body->size();
    if (const auto number = number_of(*request.body); number && *number < seen_.size())
      events_ += std::exchange(seen_[*number], std::uint8_t{1}) == 0 ? 1 : 0;
    http_result result;
    result.status = 200;
    result.body = "ok";
    result.body_bytes = result.body.size();
    result.duration_us = 1'500;
    done(std::move(result));
  }

  [[nodiscard]] std::size_t requests() const noexcept { return requests_; }
  /// Of them, those with a whole `X-Vicket-Signature`.
  [[nodiscard]] std::size_t with_signature() const noexcept { return signed_; }
  /// Different events among them.
  [[nodiscard]] std::size_t events() const noexcept { return events_; }
  [[nodiscard]] std::size_t body_bytes() const noexcept { return body_bytes_; }

private:
  static bool has_signature(std::string_view lines) {
    constexpr std::string_view start = "\r\nX-Vicket-Signature: hmac-sha256, t=";
    constexpr std::string_view digest = ", v1=";
    constexpr std::size_t digest_digits = 64;
    const auto at = lines.find(start);
    if (at == std::string_view::npos)
      return false;
    const auto value =
        lines.substr(at + start.size(), lines.find('\r', at + start.size()) - at - start.size());
    const auto comma = value.find(digest);
    return comma != std::string_view::npos && value.size() - comma - digest.size() == digest_digits;
  }

  static std::optional<std::size_t> number_of(std::string_view body) {
    constexpr std::string_view start = R"({"id":")";
    constexpr std::size_t id_digits = 36;
    constexpr std::size_t number_digits = 8;
    if (!body.starts_with(start) || body.size() < start.size() + id_digits || !body.ends_with("}}"))
      return std::nullopt;
    const auto* const end = body.data() + start.size() + id_digits;
    std::size_t number = 0;
    const auto [stop, failure] = std::from_chars(end - number_digits, end, number, 16);
    return failure == std::errc{} && stop == end ? std::optional{number} : std::nullopt;
  }

  std::vector<std::uint8_t> seen_; ///< by the event's number
  std::size_t requests_ = 0;
  std::size_t signed_ = 0;
  std::size_t events_ = 0;
  std::size_t body_bytes_ = 0;
};

} // namespace vicket::bench
