#include "transport/chunked_body.hpp"

#include <algorithm>

namespace vicket {

namespace {

/// Not a digit: 16.
unsigned hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f')
    return static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F')
    return static_cast<unsigned>(c - 'A') + 10;
  return 16;
}

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

} // namespace

std::size_t chunked_body::read(std::string_view bytes, std::string_view& content) {
  content = {};
  std::size_t n = 0;
  while (n < bytes.size() && !finished() && !malformed()) {
    if (at_ != place::content) {
      read_framing(bytes[n++]);
      continue;
    }
    content = bytes.substr(n, static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size() - n)));
    left_ -= content.size();
    framing_bytes_ = 0;
    if (left_ == 0)
      at_ = place::content_end;
    return n + content.size();
  }
  return n;
}

void chunked_body::read_framing(char c) {
  if (++framing_bytes_ > max_framing_bytes_) {
    at_ = place::malformed;
    return;
  }
  if (c == '\n') {
    strict_ = strict_ && after_cr_;
    after_cr_ = false;
    return end_of_line();
  }
  if (c == '\r') {
    strict_ = strict_ && !after_cr_;
    after_cr_ = true;
    return;
  }
  const auto cr_inside = after_cr_;
  after_cr_ = false;
  switch (at_) {
  case place::size_begin:
  case place::size:
  case place::size_end:
    if (cr_inside)
      at_ = place::malformed;
    else
      read_size(c);
    return;
  case place::content_end:
    at_ = place::malformed;
    return;
  case place::trailer_begin:
    at_ = place::trailer;
    break;
  default:
    break;
  }
  strict_ = strict_ && !cr_inside;
}

void chunked_body::read_size(char c) {
  const auto digit = hex_digit(c);
  if (digit < 16 && at_ != place::size_end) {
    at_ = left_ > UINT64_MAX >> 4 ? place::malformed : place::size;
    left_ = left_ << 4 | digit;
  } else if (is_blank(c)) {
    strict_ = false;
    if (at_ == place::size)
      at_ = place::size_end;
  } else if (c == ';' && at_ != place::size_begin) {
    at_ = place::extension;
  } else {
    at_ = place::malformed;
  }
}

void chunked_body::end_of_line() {
  switch (at_) {
  case place::size:
  case place::size_end:
  case place::extension:
    at_ = left_ == 0 ? place::trailer_begin : place::content;
    break;
  case place::content_end:
    at_ = place::size_begin;
    framing_bytes_ = 0;
    break;
  case place::trailer:
    at_ = place::trailer_begin;
    break;
  case place::trailer_begin:
    at_ = place::end;
    break;
  default: // a line without a size
    at_ = place::malformed;
  }
}

} // namespace vicket
