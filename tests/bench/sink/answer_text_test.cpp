#include "bench/sink/answer_text.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

using namespace vicket::bench;

namespace {

std::string answer(std::uint16_t status, persistence connection = persistence::implied) {
  std::string text;
  append_answer(text, status, connection);
  return text;
}

} // namespace

TEST_CASE("an answer has its status, and a short body where one may be and anything is to be said") {
  CHECK(answer(200) == "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  CHECK(answer(204) == "HTTP/1.1 204 As Asked\r\n\r\n");
  CHECK(answer(304) == "HTTP/1.1 304 As Asked\r\n\r\n");
  CHECK(answer(500) ==
        "HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n"
        "\r\nsink: 500\n");
  CHECK(answer(201).ends_with("Content-Length: 10\r\n\r\nsink: 201\n"));
}

TEST_CASE("an answer says what becomes of the connection where the client could not know") {
  CHECK(answer(200, persistence::stays) ==
        "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n");
  CHECK(answer(200, persistence::closes) ==
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
}

TEST_CASE("answers follow one another in one text") {
  std::string text;
  append_answer(text, 200, persistence::implied);
  append_answer(text, 404, persistence::implied);
  CHECK(text == answer(200) + answer(404));
}
