#include "transport/answer_reader.hpp"

#include <algorithm>

namespace vicket {

answer_reader::state answer_reader::consume(std::string_view bytes) {
  if (bytes.empty() || state_ != state::reading)
    return state_;
  started_ = true;
  while (state_ == state::reading && !bytes.empty()) {
    if (no_http_) {
      keep_no_http(bytes);
      return state_;
    }
    bytes.remove_prefix(head_done_ ? read_body(bytes) : read_head(bytes));
  }
  reusable_ = reusable_ && bytes.empty();
  return state_;
}

// -- the head -----------------------------------------------------------------------------------------------

std::size_t answer_reader::read_head(std::string_view bytes) {
  const auto before = partial_.size();
  if (before > 0)
    partial_.append(bytes);
  const auto text = before > 0 ? std::string_view{partial_} : bytes;
  const auto end = end_of_head(text);
  if (no_http_) {
    keep_no_http(text);
    partial_.clear();
    return bytes.size();
  }
  const auto size = std::min(end, text.size());
  if (header_bytes_ + size > limits_.max_header_bytes) {
    fail("sent response headers longer than " + std::to_string(limits_.max_header_bytes) + " bytes");
    return bytes.size();
  }
  if (end == text.npos) {
    if (before == 0)
      partial_ = text;
    return bytes.size();
  }
  header_bytes_ += size;
  head_read(text.substr(0, size));
  partial_.clear();
  line_begin_ = searched_ = 0;
  has_status_line_ = false;
  return size - before;
}

/// Where the head's empty line ends. Empty lines before the status line are none of it.
std::size_t answer_reader::end_of_head(std::string_view text) {
  no_http_ = !has_status_line_ && !may_begin_answer(text.substr(line_begin_));
  if (no_http_)
    return text.npos;
  for (;;) {
    const auto line_end = text.find('\n', searched_);
    if (line_end == text.npos) {
      searched_ = text.size();
      return text.npos;
    }
    const auto line = text.substr(line_begin_, line_end - line_begin_);
    line_begin_ = searched_ = line_end + 1;
    if (has_status_line_) {
      if (line.empty() || (line[0] == '\r' && line.find_first_not_of('\r') == line.npos))
        return line_end + 1;
    } else if (blank_beginning(line) < line.size()) {
      has_status_line_ = true;
      no_http_ = !read_status_line(line);
      if (no_http_)
        return text.npos;
    }
  }
}

void answer_reader::head_read(std::string_view head) {
  if (!head_.read(head)) {
    no_http_ = true;
    error_ = "sent two status lines that differ";
    return keep_no_http(head);
  }
  if (status() == 101) {
    head_done_ = true;
    headers_ = keep_fields(head, attempt::max_header_bytes);
    return fail("switched protocols (status 101), which nothing asked for");
  }
  if (status() < 100)
    return fail("sent the status " + std::to_string(status()) + ", which HTTP does not have");
  trusted_ = trusted_ && head_.strict;
  if (status() >= 200)
    return head_accepted(head);
  trusted_ = trusted_ && !head_.announces_content;
  head_ = {};
}

void answer_reader::head_accepted(std::string_view head) {
  head_done_ = true;
  if (status() / 100 != 2)
    headers_ = keep_fields(head, attempt::max_header_bytes);
  if (status() == 204 || status() == 304) {
    trusted_ = trusted_ && !head_.announces_content;
    return body_finished();
  }
  if (head_.body == answer_head::framing::until_end)
    trusted_ = false;
  else if (head_.body == answer_head::framing::length && head_.length == 0)
    body_finished();
}

// -- the body -----------------------------------------------------------------------------------------------

std::size_t answer_reader::read_body(std::string_view bytes) {
  const auto allowed = limits_.max_read_body_bytes - body_stream_bytes_;
  if (allowed == 0) {
    cut_ = true;
    state_ = state::over_cap;
    return 0;
  }
  bytes = bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(allowed, bytes.size())));
  auto n = bytes.size();
  switch (head_.body) {
  case answer_head::framing::chunked:
    n = read_chunks(bytes);
    break;
  case answer_head::framing::length:
    n = static_cast<std::size_t>(std::min<std::uint64_t>(head_.length - body_bytes_, n));
    keep(bytes.substr(0, n));
    if (body_bytes_ == head_.length)
      body_finished();
    break;
  case answer_head::framing::until_end:
    keep(bytes);
  }
  body_stream_bytes_ += n;
  return n;
}

std::size_t answer_reader::read_chunks(std::string_view bytes) {
  std::string_view content;
  const auto n = chunks_.read(bytes, content);
  keep(content);
  if (chunks_.finished()) {
    trusted_ = trusted_ && chunks_.strict();
    body_finished();
  } else if (chunks_.malformed()) {
    odd_end(chunks_.too_long() ? "sent a chunk header or trailer longer than " +
                                     std::to_string(limits_.max_header_bytes) + " bytes"
                               : "sent a malformed response body (bad chunk, after " +
                                     std::to_string(body_bytes_) + " bytes of content)");
  }
  return n;
}

void answer_reader::body_finished() {
  if (head_.lengths_differ)
    return odd_end("announced several lengths of its body, of which " + std::to_string(head_.length) +
                   " is the shortest");
  state_ = state::complete;
  reusable_ = trusted_ && head_.persistent;
}

/// The body's end cannot be known. It does not matter after a 2xx.
void answer_reader::odd_end(const std::string& predicate) {
  fail(predicate);
  odd_end_ = cut_ = true;
  if (success())
    state_ = state::complete;
}

void answer_reader::keep(std::string_view bytes) {
  body_bytes_ += bytes.size();
  if (body_.size() < limits_.max_kept_body_bytes)
    body_.append(bytes.substr(0, limits_.max_kept_body_bytes - body_.size()));
}

void answer_reader::keep_no_http(std::string_view bytes) {
  keep(bytes);
  if (error_.empty())
    error_ = "sent something that is not an HTTP answer";
  if (body_bytes_ > limits_.max_kept_body_bytes)
    fail(error_);
}

// -- the end ------------------------------------------------------------------------------------------------

answer_reader::state answer_reader::end_of_stream(stream_end end, const std::string& how) {
  if (state_ != state::reading)
    return state_;
  if (no_http_) {
    fail(error_);
    return state_;
  }
  if (!head_done_)
    take_cut_head();
  if (body_ends_with(end)) {
    cut_ = end == stream_end::cut && head_.body == answer_head::framing::until_end;
    state_ = state::complete;
    return state_;
  }
  fail(how + where_it_ended());
  if (head_done_) {
    odd_end_ = cut_ = true;
    state_ = state::complete;
  } else {
    keep(partial_);
  }
  return state_;
}

/// Whole lines count. The status line may lack its end: three digits say all.
void answer_reader::take_cut_head() {
  const std::string_view text{partial_};
  const auto lines = text.substr(0, text.rfind('\n') + 1); // none: npos + 1 is 0
  if (!head_.read(has_status_line_ ? lines : text) || status() < 200)
    return;
  head_done_ = head_cut_ = true;
  if (status() / 100 != 2)
    headers_ = keep_fields(lines, attempt::max_header_bytes);
}

bool answer_reader::body_ends_with(stream_end end) const {
  if (!head_done_ || head_cut_)
    return false;
  if (head_.body == answer_head::framing::until_end)
    return end != stream_end::broken;
  return head_.body == answer_head::framing::chunked && chunks_.content_finished();
}

std::string answer_reader::where_it_ended() const {
  if (!started_)
    return " without answering";
  if (!head_done_ || head_cut_)
    return " in the middle of the response headers";
  const auto bytes = std::to_string(body_bytes_);
  switch (head_.body) {
  case answer_head::framing::length:
    return " after " + bytes + " of " + std::to_string(head_.length) + " announced body bytes";
  case answer_head::framing::chunked:
    return " in the middle of a chunked body, after " + bytes + " bytes";
  case answer_head::framing::until_end:
    break;
  }
  return " in the middle of the response body, after " + bytes + " bytes";
}

void answer_reader::fail(std::string predicate) {
  state_ = state::failed;
  reusable_ = false;
  error_ = std::move(predicate);
}

} // namespace vicket
