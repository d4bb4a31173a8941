#include "apps/body_text.hpp"
#include "apps/history_view.hpp"
#include "policy/charset.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

using namespace std::literals;
using namespace vicket;

namespace {

constexpr timestamp_ms noon{1'779'537'600'000};

attempt answered(std::string body, std::string content_type = "") {
  attempt value;
  value.number = 1;
  value.started_at = noon;
  value.result = outcome::http_status;
  value.status = 500;
  value.response_body_bytes = body.size();
  value.response_body = std::move(body);
  if (!content_type.empty())
    value.response_headers = {{"Content-Type", std::move(content_type)}};
  return value;
}

std::string shown(const attempt& value) {
  event_history history;
  history.summary.event = "a.b";
  history.summary.connector = {"crm"};
  history.attempts = {value};
  const std::ostringstream text;
  auto* before = std::cout.rdbuf(text.rdbuf());
  const terminal out{false};
  history_printer{out, false}.print(history);
  std::cout.rdbuf(before);
  return text.str();
}

/// What a printer makes of pages, and the largest piece that it wrote at once.
struct printed {
  std::string text;
  std::size_t largest = 0;
};

class piece_counter final : public std::streambuf {
public:
  printed taken;

private:
  int_type overflow(int_type c) override {
    taken.text += static_cast<char>(c);
    return c;
  }
  std::streamsize xsputn(const char* text, std::streamsize bytes) override {
    taken.text.append(text, static_cast<std::size_t>(bytes));
    taken.largest = std::max(taken.largest, static_cast<std::size_t>(bytes));
    return bytes;
  }
};

printed print_pages(const std::vector<std::vector<event_history>>& pages, bool json) {
  piece_counter counter;
  auto* before = std::cout.rdbuf(&counter);
  const terminal out{false};
  history_printer printer{out, json};
  for (const auto& page : pages)
    for (const auto& event : page)
      printer.print(event);
  printer.end();
  std::cout.rdbuf(before);
  return std::move(counter.taken);
}

event_history piece_of(std::uint32_t first, std::uint32_t last, bool goes_on, bool continues) {
  event_history piece;
  piece.summary.event = "a.b";
  piece.summary.connector = {"crm"};
  for (auto number = first; number <= last; ++number) {
    piece.attempts.push_back(answered("body " + std::to_string(number)));
    piece.attempts.back().number = number;
  }
  piece.goes_on = goes_on;
  piece.continues = continues;
  return piece;
}

std::string outcome_shown(const attempt& value) {
  outcome_entry entry;
  entry.value = value;
  return outcome_line(terminal{false}, entry);
}

} // namespace

TEST_CASE("a body that is not UTF-8 is read by the charset that its answer named, and says so") {
  struct row {
    std::string_view body;
    std::string_view content_type;
    std::string_view text;
    std::string_view note;
  };
  const std::vector<row> table{
      {"plain", "", "plain", ""},
      {"\xd0\x9f\xd1\x80\xd0\xb8", "text/plain; charset=utf-8", "При", ""},
      {"\xd0\x9f\xd1\x80\xd0\xb8", "text/plain; charset=windows-1251", "При", ""}, // it is UTF-8 all the same
      {"\xef\xbb\xbfok", "", "ok", ""},
      {"\xcf\xf0\xe8\xe2\xe5\xf2", "text/html; charset=windows-1251", "Привет", "windows-1251"},
      {"\xcf\xf0\xe8\xe2\xe5\xf2", "text/html;charset=\"Windows-1251\"", "Привет", "windows-1251"},
      {"\xcf\xf0\xe8\xe2\xe5\xf2", "text/html; boundary=x; CHARSET=CP1251", "Привет", "windows-1251"},
      {"\xcf\xf0\xe8\xe2\xe5\xf2", "text/html; charset = 'cp1251' ; a=b", "Привет", "windows-1251"},
      {"caf\xe9", "text/plain; charset=ISO-8859-1", "café", "windows-1252"},
      {"caf\xe9", "text/plain; charset=latin1", "café", "windows-1252"},
      {"\x80 5", "text/plain; charset=iso-8859-1", "€ 5", "windows-1252"}, // as browsers read it
      {"\xa4 5", "text/plain; charset=ISO-8859-15", "€ 5", "ISO-8859-15"},
      {"\xf0\xd2\xc9", "text/plain; charset=koi8-r", "При", "KOI8-R"},
      {"\x8f\xe0\xa8", "text/plain; charset=cp866", "При", "IBM866"},
      {"\x93\xfa\x96\x7b", "text/plain; charset=Shift_JIS", "日本", "Shift_JIS"},
      {"\xc6\xfc\xcb\xdc", "text/plain; charset=EUC-JP", "日本", "EUC-JP"},
      {"\x1b$BF|K\\\x1b(B", "text/plain; charset=iso-2022-jp", "日本", "ISO-2022-JP"},
      {"\xc4\xe3\xba\xc3", "text/plain; charset=gb2312", "你好", "GBK"},
      {"\xa7\x41\xa6\x6e", "text/plain; charset=big5", "你好", "Big5"},
      {"\xbe\xc8\xb3\xe7", "text/plain; charset=euc-kr", "안녕", "EUC-KR"},
      {"o\0k\0"sv, "text/plain; charset=utf-16le", "ok", "UTF-16LE"},
      {"\0o\0k"sv, "text/plain; charset=utf-16be", "ok", "UTF-16BE"},
      {"\xff\xfeo\0k\0"sv, "", "ok", "UTF-16LE"},
      {"\xfe\xff\0o\0k"sv, "text/plain; charset=utf-8", "ok", "UTF-16BE"},
      // what can't be
      {"caf\xe9", "", "caf\xef\xbf\xbd", "not UTF-8"},
      {"caf\xe9", "text/plain", "caf\xef\xbf\xbd", "not UTF-8"},
      {"caf\xe9", "text/plain; charset=", "caf\xef\xbf\xbd", "not UTF-8"},
      {"caf\xe9", "text/plain; charset=utf-8", "caf\xef\xbf\xbd", "not UTF-8"},
      {"caf\xe9", "text/plain; charset=x-klingon", "caf\xef\xbf\xbd",
       "not UTF-8; the charset x-klingon is not known"},
      {"caf\xe9", "text/plain; charset=latin1//TRANSLIT", "caf\xef\xbf\xbd",
       "not UTF-8; the charset latin1//TRANSLIT is not known"},
      {"caf\xe9", "text/plain; charset=../x", "caf\xef\xbf\xbd", "not UTF-8; the charset ../x is not known"},
      {"caf\xe9", "text/plain; charset=iso-2022-cn-ext", "caf\xef\xbf\xbd",
       "not UTF-8; the charset iso-2022-cn-ext is not known"},
      {"ab\x98z", "text/plain; charset=windows-1251", "ab\xef\xbf\xbdz", "windows-1251"}, // has no 0x98
      {"\x93\xfa\x96", "text/plain; charset=shift_jis", "日\xef\xbf\xbd", "Shift_JIS"},
  };
  for (const auto& [body, content_type, text, note] : table) {
    const auto got = text_of_body(answered(std::string{body}, std::string{content_type}));
    INFO(content_type << ": " << text);
    CHECK(got.text == text);
    CHECK(got.note == note);
  }
}

TEST_CASE("a body that was cut, or is compressed, is shown as far as it can be") {
  auto cut = answered("\x93\xfa\x96", "text/plain; charset=shift_jis");
  cut.response_truncated = true;
  CHECK(text_of_body(cut).text == "日");
  auto gzip = answered("\x1f\x8b\x08\x00\xff"s);
  gzip.response_headers = {{"content-encoding", "gzip"}};
  CHECK(text_of_body(gzip).text.empty());
  CHECK(text_of_body(gzip).note == "gzip, not decoded");
  CHECK(shown(gzip).find("[gzip, not decoded]") != std::string::npos);
  CHECK(text_of_body(answered(std::string(attempt::max_body_bytes, 'x'))).text.size() < 10'000);
}

TEST_CASE(
    "where a redirect points, what was wanted and how the request is found are shown, and nothing is cut") {
  const auto far = "https://elsewhere.example.com/" + std::string(3'000, 'x') + "/end";
  auto value = answered("moved");
  value.status = 308;
  value.response_headers = {{"location", far},
                            {"WWW-Authenticate", "Bearer realm=\"hooks\""},
                            {"X-Request-Id", "req-1"},
                            {"X-Amzn-RequestId", "req-2"},
                            {"traceparent", "00-1-2-01"},
                            {"CF-Ray", "ray-3"},
                            {"X-Powered-By", "nobody asks"}};
  const auto text = shown(value);
  CHECK(text.find("\n      location: " + far + "\n") != std::string::npos);
  CHECK(text.find("\n      WWW-Authenticate: Bearer realm=\"hooks\"\n") != std::string::npos);
  for (const auto* id :
       {"X-Request-Id: req-1", "X-Amzn-RequestId: req-2", "traceparent: 00-1-2-01", "CF-Ray: ray-3"})
    CHECK(text.find(id) != std::string::npos);
  CHECK(text.find("nobody asks") == std::string::npos);
  CHECK(outcome_shown(value).find("  → " + far) != std::string::npos);
}

TEST_CASE("which hint was heard, and what was made of it, is shown") {
  auto value = answered("busy");
  value.status = 429;
  value.retry_after = retry_hint{"30.0", noon + 30'000, noon + 30'000};
  CHECK(shown(value).find("Retry-After: 30.0 (not before 2026-05-23T12:00:30.000Z, connector held until "
                          "2026-05-23T12:00:30.000Z)") != std::string::npos);
  value.retry_after->held_until.reset();
  CHECK(shown(value).find("Retry-After: 30.0 (not before 2026-05-23T12:00:30.000Z)") != std::string::npos);
  value.retry_after = retry_hint{"1779546101", {}, {}};
  CHECK(shown(value).find("Retry-After: 1779546101 (can't be meant, passed over)") != std::string::npos);
}

TEST_CASE("nothing that an answer says can steer the terminal") {
  auto value = answered("\x9b\x33\x31m \xcf", "text/plain; charset=windows-1251\x1b[31m");
  value.response_headers.push_back({"Location", "https://x/\x1b]0;owned\x07\xc2\x9b"});
  value.response_headers.push_back({"X-Request-Id\x1b", "\r\nfake line"});
  value.retry_after = retry_hint{"\x1b[2J", {}, {}};
  value.error = "\x1b[1m";
  for (const auto& text : {shown(value), outcome_shown(value)}) {
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(text.find('\x07') == std::string::npos);
    CHECK(text.find('\r') == std::string::npos);
    CHECK(text.find("\xc2\x9b") == std::string::npos);
  }
  CHECK(shown(value).find("\nfake line") == std::string::npos);
  // A charset with a C1 control character in it.
  auto c1 = answered("\xf0 \x1b[31m", "text/plain; charset=koi8-r");
  CHECK(shown(c1).find('\x1b') == std::string::npos);
}

TEST_CASE("a sentence that does not fit into the table stands below it, whole") {
  auto value = answered("");
  value.error =
      "hooks.example.com (203.0.113.9:443) has a certificate of an unknown issuer (Example CA 2): either the "
      "server leaves out an intermediate certificate, or the root is not trusted (--ca-file)";
  CHECK(shown(value).find(value.error) != std::string::npos);
  CHECK(outcome_shown(value).find(value.error) != std::string::npos);
  value.error = "the endpoint answered 500; only 2xx is success";
  const auto text = shown(value);
  CHECK(text.find(value.error) != std::string::npos);
  CHECK(text.find(value.error) == text.rfind(value.error));
}

TEST_CASE("an event that is spread over pages is printed as one, whatever the pages") {
  const std::vector<std::vector<event_history>> whole{
      {piece_of(1, 9, false, false), piece_of(1, 2, false, false)}};
  const std::vector<std::vector<std::vector<event_history>>> spread{
      {{piece_of(1, 3, true, false)}, {piece_of(4, 9, false, true), piece_of(1, 2, false, false)}},
      {{piece_of(1, 1, true, false)}, {piece_of(2, 9, false, true)}, {piece_of(1, 2, false, false)}},
      {{piece_of(1, 3, true, false)},
       {piece_of(4, 8, true, true)},
       {piece_of(9, 9, false, true), piece_of(1, 1, true, false)},
       {piece_of(2, 2, false, true)}},
  };
  const auto json = print_pages(whole, true).text;
  CHECK(json == event_history_to_json(whole[0][0]) + "\n" + event_history_to_json(whole[0][1]) + "\n");
  const auto text = print_pages(whole, false).text;
  CHECK(std::count(text.begin(), text.end(), '#') == 2); // one table for each
  CHECK(text.find("\n\n") != std::string::npos);
  for (const auto& pages : spread) {
    CHECK(print_pages(pages, true).text == json);
    CHECK(print_pages(pages, false).text == text);
  }
}

TEST_CASE("an event whose further attempts did not come is ended, and says that it is not whole") {
  for (const auto& pages : std::vector<std::vector<std::vector<event_history>>>{
           {{piece_of(1, 2, true, false)}},                                    // the node went away
           {{piece_of(1, 2, true, false)}, {piece_of(1, 1, false, false)}}}) { // it was forgotten meanwhile
    const auto json = print_pages(pages, true).text;
    const auto first = json.substr(0, json.find('\n'));
    auto expected = event_history_to_json(piece_of(1, 2, false, false));
    expected.replace(expected.size() - 2, 2, R"(],"incomplete":true})");
    CHECK(first == expected);
    CHECK(std::count(json.begin(), json.end(), '\n') == static_cast<std::ptrdiff_t>(pages.size()));
    CHECK(print_pages(pages, false).text.find("could not be read") != std::string::npos);
  }
}

TEST_CASE("what is written at once does not grow with the history") {
  auto page = piece_of(1, 3, true, false);
  for (auto& one : page.attempts)
    one.response_body.assign(attempt::max_body_bytes, '\n'); // two bytes each in JSON
  std::vector<std::vector<event_history>> pages{{page}};
  page.continues = true;
  for (int i = 0; i < 20; ++i)
    pages.push_back({page});
  const auto taken = print_pages(pages, true);
  CHECK(taken.text.size() > 60 * 2 * attempt::max_body_bytes);
  CHECK(taken.largest < 3 * attempt::max_body_bytes);
}

TEST_CASE("an event whose attempts are no longer kept says how many there were") {
  for (const auto& [count, sentence] :
       {std::pair<std::uint32_t, std::string>{1, "  1 attempt, which is no longer kept\n"},
        {12, "  12 attempts, which are no longer kept\n"}}) {
    auto history = piece_of(1, 0, false, false);
    history.attempts_dropped = count;
    CHECK(print_pages({{history}}, false).text.find(sentence) != std::string::npos);
    CHECK(print_pages({{history}}, false).text.find("no attempts yet") == std::string::npos);
    CHECK(print_pages({{history}}, true)
              .text.ends_with("\"attempts\":[],\"attempts_dropped\":" + std::to_string(count) + "}\n"));
  }
}
