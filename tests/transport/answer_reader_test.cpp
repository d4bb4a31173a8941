#include "transport/answer_reader.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <random>
#include <string>
#include <vector>

using namespace vicket;
using Catch::Matchers::ContainsSubstring;

namespace {

using state = answer_reader::state;

constexpr answer_limits product_limits{64 * 1024, 1024 * 1024, 64 * 1024};

struct reading {
  state ended = state::reading;
  bool whole = false;
  std::string error;
  int status = 0; ///< 0: not known
  std::string body;
  bool truncated = false;
  bool reusable = false;
  std::string retry_after;
  std::vector<header_field> headers;
  bool headers_truncated = false;

  bool operator==(const reading&) const = default;
};

/// Feeds a reader piece by piece, the size of each from `piece`, and ends the stream.
template <class Piece>
reading read(const std::string& bytes, Piece piece,
             answer_reader::stream_end end = answer_reader::stream_end::in_order,
             const answer_limits& limits = product_limits) {
  answer_reader reader{limits};
  auto now = state::reading;
  std::size_t at = 0;
  while (at < bytes.size() && now == state::reading) {
    const auto part = std::string_view{bytes}.substr(at, piece());
    at += part.size();
    now = reader.consume(part);
  }
  if (now == state::reading)
    now = reader.end_of_stream(end);
  reading result;
  result.ended = now;
  result.whole = reader.whole();
  result.error = reader.error();
  result.status = reader.head_complete() ? reader.status() : 0;
  result.truncated = reader.body_truncated();
  result.body = reader.take_body();
  result.reusable = reader.reusable() && at == bytes.size();
  result.retry_after = reader.head_complete() ? reader.retry_after() : "";
  auto kept = reader.take_headers();
  result.headers = std::move(kept.fields);
  result.headers_truncated = kept.truncated;
  return result;
}

reading read_in_pieces(const std::string& bytes, std::size_t piece) {
  return read(bytes, [piece] { return piece; });
}

/// What a reader makes of it whole; it must be the same byte by byte and in random pieces.
reading read_in_every_way(const std::string& bytes,
                          answer_reader::stream_end end = answer_reader::stream_end::in_order) {
  const auto whole = read(
      bytes, [&] { return bytes.size(); }, end);
  CHECK(read(
            bytes, [] { return std::size_t{1}; }, end) == whole);
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random{seed};
  for (int i = 0; i < 20; ++i)
    CHECK(read(
              bytes, [&] { return 1 + random() % 30; }, end) == whole);
  return whole;
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

TEST_CASE("an answer that ends anywhere before its end is never taken for whole", "[transport]") {
  for (std::size_t i = 0; i < 3; ++i) { // not the last: its end is the stream's
    for (std::size_t size = 0; size < answers[i].size(); ++size) {
      const auto bytes = answers[i].substr(0, size);
      INFO(bytes);
      const auto cut = read_in_pieces(bytes, 7);
      if (cut.status == 0)
        REQUIRE(cut.ended == state::failed);
      else
        REQUIRE(cut.ended == state::complete); // by its status
      // After the last chunk no content is missing, only the trailers.
      const auto only_trailers = i == 1 && size > answers[i].find("0\r\nT: 1");
      REQUIRE((cut.whole || only_trailers) == only_trailers);
      REQUIRE(cut.error.empty() == cut.whole);
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
    REQUIRE((result.ended == state::failed || !result.whole) == !result.error.empty());
    REQUIRE(result.body.size() <= bytes.size());
    REQUIRE(result == read_in_pieces(bytes, 1 + random() % bytes.size()));
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

namespace {

struct form {
  const char* name;
  std::string bytes;
  int status;
  std::string body;
  bool reusable = false; ///< only what is in strict form
};

std::vector<form> understood() {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::string chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";
  return {
      // The status line.
      {"strict", ok + "Content-Length: 2\r\n\r\nok", 200, "ok", true},
      {"an empty reason", "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok", 200, "ok", true},
      {"no reason", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", 200, "ok"},
      {"two blanks", "HTTP/1.1  200  OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok"},
      {"a tab", "HTTP/1.1\t200\tOK\r\nContent-Length: 2\r\n\r\nok", 200, "ok"},
      {"a reason that sticks to the status", "HTTP/1.1 200OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok"},
      {"a status with a part behind it", "HTTP/1.1 404.7 No\r\nContent-Length: 2\r\n\r\nno", 404, "no"},
      {"a control character in the reason", "HTTP/1.1 201 O\x01K\r\nContent-Length: 2\r\n\r\nok", 201, "ok"},
      {"a reason in Latin-1", "HTTP/1.1 200 tr\xe8s bien\r\nContent-Length: 2\r\n\r\nok", 200, "ok", true},
      {"a version of one's own", "HTTP/1.2 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok"},
      {"HTTP/2.0", "HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok"},
      {"HTTP/2", "HTTP/2 204\r\n\r\n", 204, ""},
      {"no version", "HTTP 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok"},
      {"small letters", "http/1.1 200 ok\r\ncontent-length: 2\r\n\r\nok", 200, "ok"},
      {"HTTP/1.0", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", 200, "ok"},
      {"HTTP/0.9's number", "HTTP/0.9 200 OK\r\n\r\nok", 200, "ok"},
      {"empty lines before", "\r\n\n\r\n" + ok + "Content-Length: 2\r\n\r\nok", 200, "ok"},
      {"a byte order mark before", "\xEF\xBB\xBF" + ok + "Content-Length: 2\r\n\r\nok", 200, "ok"},
      {"a byte order mark behind an empty line", "\r\n\xEF\xBB\xBF" + ok + "Content-Length: 2\r\n\r\nok", 200,
       "ok"},
      {"blanks before", "  \t" + ok + "Content-Length: 2\r\n\r\nok", 200, "ok"},
      {"the status line twice", ok + ok + "Content-Length: 2\r\n\r\nok", 200, "ok"},
      {"a status of no class", "HTTP/1.1 799 What\r\nContent-Length: 2\r\n\r\nno", 799, "no", true},
      // Line ends.
      {"LF alone", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", 200, "ok"},
      {"LF alone, then CR LF", "HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\nok", 200, "ok"},
      {"CR LF, then LF alone", "HTTP/1.1 200 OK\r\nContent-Length: 2\n\nok", 200, "ok"},
      {"CR LF, an empty line with LF alone", ok + "Content-Length: 2\r\n\nok", 200, "ok"},
      {"LF alone, an empty line with CR LF", "HTTP/1.1 200 OK\nContent-Length: 2\n\r\nok", 200, "ok"},
      {"CR CR LF", "HTTP/1.1 200 OK\r\r\nContent-Length: 2\r\r\n\r\r\nok", 200, "ok"},
      {"LF alone in chunks", chunked + "2\nok\n3;x\nyes\n0\n\n", 200, "okyes"},
      // Fields.
      {"a PHP warning",
       "HTTP/1.1 200 OK\r\n<b>Warning</b>: Undefined index in /h.php\r\nContent-Length: 2\r\n\r\nok", 200,
       "ok"},
      {"a PHP notice without colon", ok + "PHP Notice\r\nContent-Length: 2\r\n\r\nok", 200, "ok"},
      {"a line that is nothing, continued", ok + "???\r\n Content-Length: 7\r\nContent-Length: 2\r\n\r\nok",
       200, "ok"},
      {"a continuation of nothing", ok + " x: y\r\nContent-Length: 2\r\n\r\nok", 200, "ok"},
      {"no name", ok + ": 5\r\nContent-Length: 2\r\n\r\nok", 200, "ok"},
      {"a control character in a value", "HTTP/1.1 308 Go\r\nLocation: /a\x01\r\nContent-Length: 2\r\n\r\nok",
       308, "ok"},
      {"a NUL in a value", std::string{"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 2\r\n\r\nok", 48}, 200,
       "ok"},
      {"a CR in a value", ok + "X: a\rb\r\nContent-Length: 2\r\n\r\nok", 200, "ok"},
      {"a DEL in a value", ok + "X: a\x7f\r\nContent-Length: 2\r\n\r\nok", 200, "ok"},
      {"a value that is continued", ok + "X: a\r\n\tb\r\nContent-Length:\r\n 2\r\n\r\nok", 200, "ok"},
      {"a blank before the colon", ok + "Content-Length : 2\r\n\r\nok", 200, "ok"},
      {"a name in UTF-8",
       ok + "Gr\xc3\xb6\xc3\x9f"
            "e: 5\r\nContent-Length: 2\r\n\r\nok",
       200, "ok"},
      {"a Connection that is no list of words",
       ok + "Connection: keep-alive;x=\"y\r\nContent-Length: 2\r\n\r\nok", 200, "ok"},
      // Lengths.
      {"the same length twice", ok + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nok", 200, "ok"},
      {"the same length twice in one field", ok + "Content-Length: 2, 2\r\n\r\nok", 200, "ok"},
      {"a length with zeros before it", ok + "Content-Length: 0002\r\n\r\nok", 200, "ok", true},
      {"an empty length", ok + "Content-Length:\r\n\r\nok", 200, "ok"},
      {"a length below zero", ok + "Content-Length: -1\r\n\r\nok", 200, "ok"},
      {"a length that is no number", ok + "Content-Length: 2 bytes\r\n\r\nok", 200, "ok"},
      {"a wrong length and a right one", ok + "Content-Length: x\r\nContent-Length: 2\r\n\r\nok", 200, "ok"},
      // Codings.
      {"chunked", chunked + "2\r\nok\r\n0\r\n\r\n", 200, "ok", true},
      {"chunked in capitals", ok + "Transfer-Encoding: CHUNKED\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200, "ok", true},
      {"chunked twice",
       ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200,
       "ok"},
      {"chunked twice in one field", ok + "Transfer-Encoding: chunked, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
       200, "ok"},
      {"another coding, then chunked", ok + "Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
       200, "ok"},
      {"chunked with a parameter", ok + "Transfer-Encoding: chunked;q=1\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200,
       "ok"},
      {"chunked and a length",
       ok + "Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200, "ok"},
      {"identity and a length", ok + "Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nok", 200, "ok"},
      {"an empty coding", ok + "Transfer-Encoding:\r\nContent-Length: 2\r\n\r\nok", 200, "ok"},
      {"another coding", ok + "Transfer-Encoding: gzip\r\nContent-Length: 2\r\n\r\nzipped", 200, "zipped"},
      {"chunked in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
       200, "ok"},
      // Chunks.
      {"blanks around a size", chunked + "2  \r\nok\r\n 3\r\nyes\r\n0 \r\n\r\n", 200, "okyes"},
      {"zeros before a size", chunked + "00000000000000000002\r\nok\r\n0000\r\n\r\n", 200, "ok", true},
      {"a blank before an extension", chunked + "2 ; a=\"b;c\"\r\nok\r\n0\r\n\r\n", 200, "ok"},
      {"trailers that are no fields", chunked + "2\r\nok\r\n0\r\n<b>Warning</b>\r\n\r\n", 200, "ok", true},
      {"no empty line after the last chunk", chunked + "2\r\nok\r\n0\r\n", 200, "ok"},
      // Before and behind it.
      {"1xx before, with LF alone",
       "HTTP/1.1 102\n\nHTTP/1.1 103 Hints\nLink: x\n\n" + ok + "Content-Length: 2\r\n\r\nok", 200, "ok"},
      {"1xx that announces content",
       "HTTP/1.1 100 Continue\r\nContent-Length: 4\r\n\r\n" + ok + "Content-Length: 2\r\n\r\nok", 200, "ok"},
      {"more than was announced", ok + "Content-Length: 2\r\n\r\nokay", 200, "ok"},
      {"204 that announces content", "HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nnull", 204, ""},
      {"204 that announces chunks", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", 204, ""},
      {"204 that announces nothing", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", 204, "", true},
      {"304 that announces content", "HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n", 304, ""},
  };
}

} // namespace

TEST_CASE(
    "an answer in any form that says one thing is that answer, and only a strict one keeps its connection",
    "[transport]") {
  for (const auto& f : understood()) {
    DYNAMIC_SECTION(f.name) {
      const auto result = read_in_every_way(f.bytes);
      CHECK(result.ended == state::complete);
      CHECK(result.whole);
      CHECK(result.error.empty());
      CHECK(result.status == f.status);
      CHECK(result.body == f.body);
      CHECK_FALSE(result.truncated);
      CHECK(result.reusable == f.reusable);
    }
  }
}

TEST_CASE("a body that does not end as its head says leaves the status as it is", "[transport]") {
  struct broken_body {
    const char* name;
    std::string rest; ///< behind the status line
    std::string body;
    std::string sentence_has;
    bool end_known; ///< else another status than 2xx is `failed`
  };
  const std::string chunked = "Transfer-Encoding: chunked\r\n\r\n";
  const std::vector<broken_body> rows{
      {"less than announced", "Content-Length: 100\r\n\r\n0123456789", "0123456789",
       "after 10 of 100 announced", true},
      {"a length of twenty nines", "Content-Length: 99999999999999999999\r\n\r\nok", "ok",
       "after 2 of 1844674", true},
      {"inside a chunk", chunked + "5\r\nhel", "hel", "in the middle of a chunked body, after 3 bytes", true},
      {"between chunks", chunked + "5\r\nhello\r\n", "hello", "in the middle of a chunked body", true},
      {"no chunk at all", chunked, "", "in the middle of a chunked body", true},
      {"a head without its empty line", "X: 1\r\n", "", "middle of the response headers", true},
      {"a head inside a field", "X: 1\r\nContent-Len", "", "middle of the response headers", true},
      {"a length in an unfinished line", "Content-Length: 2", "", "middle of the response headers", true},
      {"two lengths that differ", "Content-Length: 3\r\nContent-Length: 2\r\n\r\nabc", "ab",
       "several lengths", false},
      {"two lengths that differ in one field", "Content-Length: 1, 2\r\n\r\nabc", "a", "several lengths",
       false},
      {"one of two lengths is 0", "Content-Length: 0\r\nContent-Length: 2\r\n\r\nok", "", "several lengths",
       false},
      {"a size of two numbers", chunked + "2\r\nok\r\n5 0\r\nhello\r\n", "ok", "bad chunk, after 2 bytes",
       false},
      {"a size with 0x", chunked + "0x2\r\nok\r\n0\r\n\r\n", "", "bad chunk", false},
      {"a size below zero", chunked + "-2\r\nok\r\n0\r\n\r\n", "", "bad chunk", false},
      {"a size that is no number", chunked + "nothex\r\n", "", "bad chunk", false},
      {"no size", chunked + "\r\n2\r\nok\r\n0\r\n\r\n", "", "bad chunk", false},
      {"an extension without a size", chunked + ";x\r\nok", "", "bad chunk", false},
      {"a size beyond 64 bits", chunked + "10000000000000000\r\nok\r\n", "", "bad chunk", false},
      {"more than the size", chunked + "2\r\nokay\r\n0\r\n\r\n", "ok", "bad chunk", false},
      {"a size inside of a CR", chunked + "2\r2\r\nok", "", "bad chunk", false},
      {"no chunks in spite of the head", chunked + "{\"ok\":true}", "", "bad chunk", false},
      {"an endless size", chunked + std::string(70'000, '0'), "", "longer than 65536 bytes", false},
      {"endless trailers", chunked + "2\r\nok\r\n0\r\n" + std::string(70'000, 't'), "ok",
       "longer than 65536 bytes", false},
  };
  for (const auto& row : rows) {
    DYNAMIC_SECTION(row.name) {
      for (const auto* line : {"HTTP/1.1 200 OK\r\n", "HTTP/1.1 503 Busy\r\n"}) {
        const auto success = std::string_view{line}.find("200") != std::string_view::npos;
        const auto result = read_in_every_way(line + row.rest);
        CHECK(result.ended == (success || row.end_known ? state::complete : state::failed));
        CHECK_FALSE(result.whole);
        CHECK(result.status == (success ? 200 : 503));
        CHECK(result.body == row.body);
        CHECK(result.truncated);
        CHECK_FALSE(result.reusable);
        CHECK_THAT(result.error, ContainsSubstring(row.sentence_has));
      }
    }
  }
}

TEST_CASE("what names no status, or two, is refused and shown", "[transport]") {
  struct refusal {
    const char* name;
    std::string bytes;
    std::string sentence_has = "not an HTTP answer";
  };
  const std::vector<refusal> rows{
      {"a status of two digits", "HTTP/1.1 20 OK\r\n\r\n"},
      {"a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n"},
      {"a status that is no number", "HTTP/1.1 OK\r\n\r\n"},
      {"a status with a sign", "HTTP/1.1 +200 OK\r\n\r\n"},
      {"no status", "HTTP/1.1\r\n\r\n"},
      {"no blank before the status", "HTTP/1.1200 OK\r\n\r\n"},
      {"a version that is none", "HTTP/one 200 OK\r\n\r\n"},
      {"another protocol's status line", "RTSP/1.0 200 OK\r\n\r\n"},
      {"a radio's", "ICY 200 OK\r\n\r\n"},
      {"a name that goes on", "HTTPS/1.1 200 OK\r\n\r\n"},
      {"two status lines that differ", "HTTP/1.1 200 OK\r\nHTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nok",
       "two status lines"},
      {"two that differ behind one that agrees",
       "HTTP/1.1 200 OK\r\nHTTP/1.1 200 OK\r\nHTTP/1.0 404 No\r\n\r\nok", "two status lines"},
      {"what was left of an answer before it", "nullHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
      {"a warning before the status line", "Warning: x\nHTTP/1.1 200 OK\r\n\r\n"},
      {"a page without a head (HTTP/0.9)", "<html>\n\nhello</html>"},
      {"an SSH server", "SSH-2.0-OpenSSH_9.2p1\r\n"},
      {"a mail server", "220 mx.example.com ESMTP\r\n"},
      {"a TLS alert", std::string{"\x15\x03\x01\x00\x02\x02\x46", 7}},
      {"a status line that ends too soon", "HTTP/1.1 2", "in the middle of the response headers"},
      {"an end after a 1xx", "HTTP/1.1 102 Processing\r\nX: y", "in the middle of the response headers"},
      {"empty lines alone", "\r\n\r\n", "in the middle of the response headers"},
  };
  for (const auto& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto result = read_in_every_way(row.bytes);
      CHECK(result.ended == state::failed);
      CHECK(result.status == 0);
      CHECK(result.body == row.bytes);
      CHECK_FALSE(result.reusable);
      CHECK_THAT(result.error, ContainsSubstring(row.sentence_has));
    }
  }
}

TEST_CASE("1xx answers are skipped, as many as fit into the bound of a head", "[transport]") {
  for (const int count : {1, 8, 9, 100, 2'000}) {
    std::string hints;
    for (int i = 0; i < count; ++i)
      hints += "HTTP/1.1 103 Early Hints\r\n\r\n";
    const auto result = read_in_every_way(hints + "HTTP/1.1 204 No Content\r\n\r\n");
    CHECK(result.ended == state::complete);
    CHECK(result.status == 204);
    CHECK(result.reusable);
  }
}

TEST_CASE("a bound that is passed is a failure, however the bytes come", "[transport]") {
  struct flood {
    const char* name;
    std::string bytes;
    std::string sentence_has;
    int status = 0;
  };
  const std::string answer_200 = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  std::string informational;
  for (int i = 0; i < 64 * 1024 / 27 + 1; ++i) // of 27 bytes each
    informational += "HTTP/1.1 102 Processing\r\n\r\n";
  const std::vector<flood> rows{
      {"a long head", "HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x') + "\r\n\r\n",
       "headers longer than 65536"},
      {"empty lines", std::string(70'000, '\n'), "headers longer than 65536"},
      {"long 1xx",
       "HTTP/1.1 102 P\r\nX: " + std::string(40'000, 'x') +
           "\r\n\r\nHTTP/1.1 200 OK\r\nX: " + std::string(40'000, 'x') + "\r\n\r\n",
       "headers longer than 65536"},
      {"many 1xx", informational + answer_200, "headers longer than 65536"},
      {"no such status", "HTTP/1.1 099 What\r\n\r\n", "status 99"},
      {"another protocol", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "101", 101},
  };
  for (const auto& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto result = read_in_every_way(row.bytes);
      CHECK(result.ended == state::failed);
      CHECK(result.status == row.status);
      CHECK_THAT(result.error, ContainsSubstring(row.sentence_has));
    }
  }
}

TEST_CASE("what is no HTTP is kept up to the bound of a body", "[transport]") {
  const std::string bytes(100'000, 'n');
  const auto result = read_in_pieces(bytes, 1'000);
  CHECK(result.ended == state::failed);
  CHECK(result.body == bytes.substr(0, 64 * 1024));
  CHECK(result.truncated);
}

TEST_CASE("the fields of an answer that is no 2xx are kept in their order, within their bound",
          "[transport]") {
  using fields = std::vector<header_field>;
  const auto fields_of = [](int status, const std::string& lines) {
    return read_in_every_way("HTTP/1.1 " + std::to_string(status) + " X\r\n" + lines +
                             "Content-Length: 0\r\n\r\n")
        .headers;
  };
  const header_field length{"Content-Length", "0"};
  CHECK(fields_of(200, "Location: /x\r\n").empty());
  CHECK(fields_of(204, "Location: /x\r\n").empty());
  CHECK(fields_of(308, "location:  /x \t\r\n") == fields{{"location", "/x"}, length});
  CHECK(fields_of(401, "WWW-Authenticate: Basic\r\nwww-authenticate: Digest\r\n") ==
        fields{{"WWW-Authenticate", "Basic"}, {"www-authenticate", "Digest"}, length});
  CHECK(fields_of(400, "X: a\r\n  b\r\nno field\r\nY:\r\n") == fields{{"X", "a b"}, {"Y", ""}, length});
  CHECK(fields_of(302, "Location: /\xff\x01\r\n") == fields{{"Location", "/\xff\x01"}, length});
  const std::string half(2'100, 'x');
  constexpr auto longest = (4'096 - 3 * 5 - 1 - 18 - 1) / 2; // beside their names, C's value and the length
  CHECK(fields_of(500, "A: " + half + "\r\nB: " + half + "\r\nC: c\r\n") ==
        fields{{"A", half.substr(0, longest)}, {"B", half.substr(0, longest)}, {"C", "c"}, length});
  std::string many;
  for (int i = 0; i < 5'000; ++i)
    many += "a:\n";
  CHECK(fields_of(500, many).size() == 4'096 / 5);
}

TEST_CASE("no header field crowds out the others, and what is cut is marked", "[transport]") {
  struct row {
    std::string lines;
    std::vector<std::pair<std::string, std::size_t>> kept; ///< names, and how long their values are
    bool truncated = false;
  };
  const auto of = [](std::size_t n) { return std::string(n, 'x'); };
  const std::vector<row> table{
      {"A: " + of(4'091) + "\r\n", {{"A", 4'091}}, false}, // 4,096 in all
      {"A: " + of(4'092) + "\r\n", {{"A", 4'091}}, true},
      {"A: " + of(5'000) + "\r\nLocation: /x\r\n", {{"A", 4'077}, {"Location", 2}}, true},
      {"A: " + of(5'000) + "\r\nX-Request-Id: 0123456789\r\n", {{"A", 4'065}, {"X-Request-Id", 10}}, true},
      {"A: " + of(5'000) + "\r\nLocation: " + of(3'000) + "\r\n", {{"A", 1'079}, {"Location", 3'000}}, true},
      {"Location: " + of(5'000) + "\r\nWWW-Authenticate: Basic\r\nB: b\r\n",
       {{"Location", 4'059}, {"WWW-Authenticate", 5}},
       true},
      {"content-type: text/plain\r\nB: " + of(9'000) + "\r\nC: " + of(9'000) + "\r\n",
       {{"content-type", 10}, {"B", 2'030}, {"C", 2'030}},
       true},
      {of(4'092) + ": v\r\nLocation: /x\r\n", {{"Location", 2}}, true},
      {of(4'093) + ": v\r\n", {}, true},
      {of(4'092) + ":\r\n", {{of(4'092), 0}}, false},
  };
  for (const auto& each : table) {
    INFO(each.lines.substr(0, 20) << " " << each.lines.size());
    const auto result = read_in_every_way("HTTP/1.1 308 X\r\n" + each.lines + "\r\n");
    std::vector<std::pair<std::string, std::size_t>> kept;
    for (const auto& field : result.headers)
      kept.emplace_back(field.name, field.value.size());
    CHECK(kept == each.kept);
    CHECK(result.headers_truncated == each.truncated);
  }
}

TEST_CASE("the fields of the final answer are kept, of a cut head its whole lines", "[transport]") {
  using fields = std::vector<header_field>;
  CHECK(read_in_every_way("HTTP/1.1 103 Hints\r\nLink: a\r\n\r\nHTTP/1.1 500 No\r\nX: y\r\n\r\n").headers ==
        fields{{"X", "y"}});
  CHECK(read_in_every_way("HTTP/1.1 302 Found\r\nX: y\r\nLocation: https://exa").headers ==
        fields{{"X", "y"}});
}

TEST_CASE("a body that ends with the stream ends well only where the stream does", "[transport]") {
  using stream_end = answer_reader::stream_end;
  const std::string bytes = "HTTP/1.1 500 No\r\n\r\nthe end";
  const auto in_order = read_in_every_way(bytes, stream_end::in_order);
  CHECK((in_order.whole && !in_order.truncated));
  const auto cut = read_in_every_way(bytes, stream_end::cut);
  CHECK((cut.whole && cut.truncated));
  const auto broken = read_in_every_way(bytes, stream_end::broken);
  CHECK((broken.ended == state::complete && !broken.whole && broken.truncated));
}
