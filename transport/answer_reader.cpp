#include "transport/answer_reader.hpp"

#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>

#include <algorithm>

namespace vicket {

namespace http = boost::beast::http;

namespace {

/// Of a `Retry-After` value; an HTTP date has 29.
constexpr std::size_t max_retry_after_bytes = 128;

} // namespace

answer_reader::parser::parser(answer_reader& reader) : reader_{reader} {
  // Both bounds are held by the reader, which counts what Beast does not: headers over all 1xx, chunk
  // framing.
  body_limit(boost::none);
  header_limit(
      static_cast<std::uint32_t>(std::min<std::size_t>(reader.limits_.max_header_bytes + 1, UINT32_MAX)));
}

void answer_reader::parser::on_response_impl(int code, beast_view, int version, beast_error&) {
  reader_.status_ = static_cast<std::uint16_t>(code);
  reader_.http_1_1_ = version >= 11;
}

void answer_reader::parser::on_field_impl(http::field name, beast_view, beast_view value, beast_error&) {
  // Trailers come here as well, and say nothing that counts.
  if (name == http::field::retry_after && !reader_.head_done_ && value.size() <= max_retry_after_bytes)
    reader_.retry_after_.assign(value.data(), value.size());
}

std::size_t answer_reader::parser::on_body_impl(beast_view bytes, beast_error&) {
  reader_.keep(bytes);
  return bytes.size();
}

std::size_t answer_reader::parser::on_chunk_body_impl(std::uint64_t, beast_view bytes, beast_error&) {
  reader_.keep(bytes);
  return bytes.size();
}

answer_reader::state answer_reader::consume(std::string_view bytes) {
  if (bytes.empty() || state_ != state::reading)
    return state_;
  started_ = true;
  if (partial_.empty()) {
    const auto consumed = parse(bytes);
    if (state_ == state::reading)
      partial_.assign(bytes.substr(consumed));
    else
      reusable_ = reusable_ && consumed == bytes.size();
  } else {
    partial_.append(bytes);
    const auto consumed = parse(partial_);
    if (state_ != state::reading)
      reusable_ = reusable_ && consumed == partial_.size();
    partial_.erase(0, consumed);
  }
  if (state_ == state::reading && partial_.size() > limits_.max_header_bytes)
    fail("sent a chunk header or trailer longer than " + std::to_string(limits_.max_header_bytes) + " bytes");
  return state_;
}

std::size_t answer_reader::parse(std::string_view bytes) {
  std::size_t consumed = 0;
  while (state_ == state::reading && consumed < bytes.size()) {
    const auto rest = bytes.substr(consumed);
    const auto n = head_done_ ? parse_body(rest) : parse_head(rest);
    consumed += n;
    if (n == 0)
      break;
  }
  return consumed;
}

std::size_t answer_reader::parse_head(std::string_view bytes) {
  beast_error ec;
  const auto n = parser_->put(boost::asio::const_buffer{bytes.data(), bytes.size()}, ec);
  header_bytes_ += n;
  const auto waiting = ec == http::error::need_more ? bytes.size() - n : 0;
  if (ec == http::error::header_limit || header_bytes_ + waiting > limits_.max_header_bytes)
    fail("sent response headers longer than " + std::to_string(limits_.max_header_bytes) + " bytes");
  else if (ec && ec != http::error::need_more)
    fail("sent something that is not an HTTP answer (" + ec.message() + ")");
  else if (parser_->is_header_done())
    head_parsed();
  return n;
}

void answer_reader::head_parsed() {
  if (status_ == 101)
    return fail("switched protocols (status 101), which nothing asked for");
  if (status_ < 100)
    return fail("sent the status " + std::to_string(status_) + ", which HTTP does not have");
  if (status_ < 200) {
    if (++informational_ > limits_.max_informational)
      return fail("sent more than " + std::to_string(limits_.max_informational) +
                  " informational (1xx) answers");
    retry_after_.clear();
    parser_.emplace(*this);
    return;
  }
  head_done_ = true;
  reusable_ = http_1_1_ && parser_->keep_alive();
  if (parser_->is_done())
    state_ = state::complete;
}

std::size_t answer_reader::parse_body(std::string_view bytes) {
  const auto allowed = limits_.max_read_body_bytes - body_stream_bytes_;
  if (allowed == 0) {
    cut_ = true;
    reusable_ = false;
    state_ = state::over_cap;
    return 0;
  }
  bytes = bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(allowed, bytes.size())));
  beast_error ec;
  const auto n = parser_->put(boost::asio::const_buffer{bytes.data(), bytes.size()}, ec);
  body_stream_bytes_ += n;
  if (ec && ec != http::error::need_more)
    fail("sent a malformed response body (" + ec.message() + ")");
  else if (parser_->is_done())
    state_ = state::complete;
  return n;
}

answer_reader::state answer_reader::end_of_stream(bool clean) {
  if (state_ != state::reading)
    return state_;
  reusable_ = false;
  if (!started_) {
    fail("closed the connection without answering");
  } else if (!head_done_) {
    fail("closed the connection in the middle of the response headers");
  } else if (parser_->need_eof()) {
    cut_ = !clean;
    state_ = state::complete;
  } else if (const auto length = parser_->content_length()) {
    fail("closed the connection after " + std::to_string(body_bytes_) + " of " + std::to_string(*length) +
         " announced body bytes");
  } else {
    fail("closed the connection in the middle of a chunked body, after " + std::to_string(body_bytes_) +
         " bytes");
  }
  return state_;
}

void answer_reader::keep(beast_view bytes) {
  body_bytes_ += bytes.size();
  if (body_.size() < limits_.max_kept_body_bytes)
    body_.append(bytes.data(), std::min(bytes.size(), limits_.max_kept_body_bytes - body_.size()));
}

void answer_reader::fail(std::string predicate) {
  state_ = state::failed;
  reusable_ = false;
  error_ = std::move(predicate);
}

} // namespace vicket
