#pragma once

#include <boost/beast/http/basic_parser.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vicket {

/// Bounds of one answer; see `transport_options` for the numbers.
struct answer_limits {
  std::size_t max_header_bytes;
  unsigned max_informational;
  std::uint64_t max_read_body_bytes;
  std::size_t max_kept_body_bytes;
};

/// Reads one HTTP/1.x answer from bytes as they come: skips 1xx answers, keeps the first bytes of the body,
/// counts the rest, and holds every bound. The grammar is Beast's parser (RFC 9112); what it refuses is
/// `failed`.
///
/// Decided here:
/// - A body over `max_read_body_bytes` (chunk framing counted) is read no further: `over_cap`. The status has
/// been
///   received and is the verdict.
/// - A body without length ends with the stream. Where TLS ended without close_notify it may have been cut:
/// the
///   status is the verdict, and the body counts as truncated.
/// - 101 is `failed`: nothing asked for another protocol.
class answer_reader {
public:
  enum class state : std::uint8_t { reading, complete, over_cap, failed };

  explicit answer_reader(const answer_limits& limits) : limits_{limits} { parser_.emplace(*this); }
  answer_reader(const answer_reader&) = delete;
  answer_reader& operator=(const answer_reader&) = delete;

  state consume(std::string_view bytes);

  /// The peer ended the stream; `clean`: with a close_notify, or there is no TLS.
  state end_of_stream(bool clean);

  [[nodiscard]] bool started() const { return started_; }         ///< a first byte has come
  [[nodiscard]] bool head_complete() const { return head_done_; } ///< of the final answer
  [[nodiscard]] std::uint16_t status() const { return status_; }
  [[nodiscard]] const std::string& retry_after() const { return retry_after_; }
  [[nodiscard]] std::uint64_t body_bytes() const { return body_bytes_; }
  [[nodiscard]] bool body_truncated() const { return cut_ || body_bytes_ > body_.size(); }
  [[nodiscard]] std::string take_body() { return std::move(body_); }

  /// The connection can carry another request: complete, HTTP/1.1, not `Connection: close`, nothing behind
  /// it.
  [[nodiscard]] bool reusable() const { return reusable_; }

  /// Why it is `failed`: a predicate such as "sent a malformed answer (bad chunk)".
  [[nodiscard]] const std::string& error() const { return error_; }

private:
  using beast_error = boost::beast::error_code;
  using beast_view = boost::beast::string_view;

  /// Beast's parser, giving what it finds to the reader.
  class parser : public boost::beast::http::basic_parser<false> {
  public:
    explicit parser(answer_reader& reader);

  private:
    void on_request_impl(boost::beast::http::verb, beast_view, beast_view, int, beast_error&) override {}
    void on_response_impl(int code, beast_view reason, int version, beast_error& ec) override;
    void on_field_impl(boost::beast::http::field name, beast_view name_text, beast_view value,
                       beast_error& ec) override;
    void on_header_impl(beast_error&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, beast_error&) override {}
    std::size_t on_body_impl(beast_view bytes, beast_error& ec) override;
    void on_chunk_header_impl(std::uint64_t, beast_view, beast_error&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, beast_view bytes, beast_error& ec) override;
    void on_finish_impl(beast_error&) override {}

    answer_reader& reader_;
  };

  std::size_t parse(std::string_view bytes);
  std::size_t parse_head(std::string_view bytes);
  std::size_t parse_body(std::string_view bytes);
  void head_parsed();
  void keep(beast_view bytes);
  void fail(std::string predicate);

  const answer_limits limits_;
  std::optional<parser> parser_;
  std::string partial_; ///< bytes that the parser waits to see continued; bounded by the header's bound
  state state_ = state::reading;
  bool started_ = false;
  bool head_done_ = false;
  bool http_1_1_ = false;
  bool reusable_ = false;
  bool cut_ = false;
  std::uint16_t status_ = 0;
  unsigned informational_ = 0;
  std::size_t header_bytes_ = 0;        ///< of this answer and the 1xx before it
  std::uint64_t body_stream_bytes_ = 0; ///< with chunk framing
  std::uint64_t body_bytes_ = 0;
  std::string body_;
  std::string retry_after_;
  std::string error_;
};

} // namespace vicket
