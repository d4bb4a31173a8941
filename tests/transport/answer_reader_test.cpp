#include "transport/answer_reader.hpp"

#include <catch2/catch_test_macros.hpp>

#include <random>
#include <string>
#include <vector>

using namespace vicket;

namespace {

using state = answer_reader::state;

constexpr answer_limits product_limits{64 * 1024, 8, 1024 * 1024, 64 * 1024};

struct reading {
  state ended;
  std::string error;
  int status;
  std::string body;
  bool reusable;

  bool operator==(const reading&) const = default;
};

/// What a reader makes of `bytes` when they come in pieces of `piece` bytes, and the stream ends after them.
reading read_in_pieces(const std::string& bytes, std::size_t piece) {
  answer_reader reader{product_limits};
  auto now = state::reading;
  for (std::size_t at = 0; at < bytes.size() && now == state::reading; at += piece)
    now = reader.consume(std::string_view{bytes}.substr(at, piece));
  if (now == state::reading)
    now = reader.end_of_stream(true);
  return {now, reader.error(), reader.status(), reader.take_body(), reader.reusable()};
}

const std::vector<std::string> answers{
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nT: 1\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\nRetry-After: 3\r\n\r\n",
    "HTTP/1.0 200 OK\r\n\r\nuntil the end",
};

} // namespace

TEST_CASE("an answer reads the same however its bytes are cut", "[transport]") {
  for (const auto& bytes : answers) {
    INFO(bytes);
    const auto whole = read_in_pieces(bytes, bytes.size());
    CHECK(whole.ended == state::complete);
    for (std::size_t piece = 1; piece < bytes.size(); ++piece)
      REQUIRE(read_in_pieces(bytes, piece) == whole);
  }
}

TEST_CASE("an answer that ends anywhere before its end is never taken for complete", "[transport]") {
  for (std::size_t i = 0; i < 3; ++i) { // not the last: its end is the stream's
    for (std::size_t size = 0; size < answers[i].size(); ++size) {
      INFO(answers[i].substr(0, size));
      const auto cut = read_in_pieces(answers[i].substr(0, size), 7);
      REQUIRE(cut.ended == state::failed);
      REQUIRE_FALSE(cut.error.empty());
      REQUIRE_FALSE(cut.reusable);
    }
  }
}

TEST_CASE("mangled answers end in a verdict, within their bounds", "[transport]") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random{seed};
  for (int round = 0; round < 20'000; ++round) {
    auto bytes = answers[random() % answers.size()];
    for (auto changes = random() % 4; changes > 0; --changes) {
      const auto at = random() % bytes.size();
      if (random() % 3 == 0)
        bytes.insert(at, bytes.substr(random() % bytes.size(), random() % 20));
      else
        bytes[at] = static_cast<char>(random());
    }
    const auto result = read_in_pieces(bytes, 1 + random() % bytes.size());
    REQUIRE(result.ended != state::reading);
    REQUIRE((result.ended == state::failed) == !result.error.empty());
    REQUIRE(result.body.size() <= bytes.size());
  }
}

TEST_CASE("Retry-After is the final answer's, not a 1xx's or a trailer's", "[transport]") {
  answer_reader reader{product_limits};
  const std::string bytes =
      "HTTP/1.1 103 Hints\r\nRetry-After: 1\r\n\r\nHTTP/1.1 503 No\r\nTransfer-Encoding: "
      "chunked\r\n\r\n0\r\nRetry-After: 2\r\n\r\n";
  CHECK(reader.consume(bytes) == state::complete);
  CHECK(reader.retry_after().empty());
}
