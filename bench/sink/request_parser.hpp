#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vicket::bench {

inline constexpr std::size_t max_request_head_bytes = 16 * 1'024;
inline constexpr std::size_t max_request_body_bytes = 1'024 * 1'024;
inline constexpr std::size_t max_request_bytes = max_request_head_bytes + max_request_body_bytes;

/// One POST. Its texts lie in the bytes that were parsed; a header that isn't there is empty, of one that is
/// there twice the last counts.
struct request {
  std::string_view path;
  std::string_view body;
  std::string_view webhook_id;
  std::string_view webhook_timestamp;
  std::string_view webhook_signature;
  std::string_view vicket_signature; ///< `X-Vicket-Signature`
  bool http_1_0 = false;
  bool keep_alive = true;
};

struct parse_result {
  enum class outcome : std::uint8_t {
    incomplete, ///< more bytes are needed
    complete,
    refused, ///< answer `status` and close: where the next request begins nobody knows
  };

  outcome what = outcome::incomplete;
  std::uint16_t status = 0; ///< of `refused`: 400, 405 (not POST), 411 (no Content-Length), 413, 431, 505
  std::size_t bytes = 0;    ///< of `complete`: its length; what follows belongs to the next one
  request value;            ///< of `complete`
};

/// HTTP/1.0 and 1.1 as far as deliveries need it: POST with Content-Length, no chunks, no `Expect`. Strict
/// where a client's mistake could hide: lines end in CRLF, no header is folded.
///
/// Allocates nothing; remembers between calls only what saves it from searching the same bytes again.
class request_parser {
public:
  /// `bytes`: everything from the first byte of the request on; when it was incomplete, call again with more
  /// behind the same bytes. After a complete one the parser is ready for the next.
  [[nodiscard]] parse_result parse(std::string_view bytes);

private:
  std::size_t searched_bytes_ = 0; ///< where the end of the head is not
  std::size_t needed_bytes_ = 0;   ///< of the whole request, once its head is there
};

} // namespace vicket::bench
