#include "bench/sink/answer_text.hpp"

#include <string_view>

namespace vicket::bench {

namespace {

std::string_view reason_of(std::uint16_t status) {
  switch (status) {
  case 200:
    return "OK";
  case 400:
    return "Bad Request";
  case 404:
    return "Not Found";
  case 405:
    return "Method Not Allowed";
  case 411:
    return "Length Required";
  case 413:
    return "Content Too Large";
  case 431:
    return "Request Header Fields Too Large";
  case 500:
    return "Internal Server Error";
  case 503:
    return "Service Unavailable";
  case 505:
    return "HTTP Version Not Supported";
  default:
    return "As Asked";
  }
}

constexpr std::size_t status_digits = 3;

void append_status(std::string& out, std::uint16_t status) {
  out += static_cast<char>('0' + status / 100 % 10);
  out += static_cast<char>('0' + status / 10 % 10);
  out += static_cast<char>('0' + status % 10);
}

void append_persistence(std::string& out, persistence connection) {
  if (connection == persistence::stays)
    out += "Connection: keep-alive\r\n";
  else if (connection == persistence::closes)
    out += "Connection: close\r\n";
}

} // namespace

void append_answer(std::string& out, std::uint16_t status, persistence connection) {
  constexpr std::string_view body_begin = "sink: ";
  const bool may_have_body = status != 204 && status != 304; // RFC 9110 15.3.5, 15.4.5
  const bool has_body = may_have_body && status != 200;
  out += "HTTP/1.1 ";
  append_status(out, status);
  out += ' ';
  out += reason_of(status);
  out += "\r\n";
  append_persistence(out, connection);
  if (!has_body) {
    out += may_have_body ? "Content-Length: 0\r\n\r\n" : "\r\n";
    return;
  }
  static_assert(body_begin.size() + status_digits + 1 == 10);
  out += "Content-Type: text/plain\r\nContent-Length: 10\r\n\r\n";
  out += body_begin;
  append_status(out, status);
  out += '\n';
}

} // namespace vicket::bench
