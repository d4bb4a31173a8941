#include "policy/charset.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <vector>

using namespace vicket;
using namespace std::string_view_literals;

namespace {

attempt answered(std::string_view body, std::string_view content_type) {
  attempt value;
  value.response_body = body;
  if (!content_type.empty())
    value.response_headers.push_back({"content-type", std::string{content_type}});
  return value;
}

} // namespace

TEST_CASE("a body that was cut is whole up to its last whole character, in any charset") {
  struct row {
    std::string_view body;
    std::string_view content_type;
    std::size_t whole;
  };
  const std::vector<row> table{
      {"ab", "", 2},
      {"a\xd0\x9f\xd1", "", 3}, // UTF-8 says so itself
      {"a\xd0\x9f\xd1", "text/plain; charset=utf-8", 3},
      {"a\xd0\x9f\xd1", "text/plain; charset=windows-1251", 3}, // it is UTF-8 all the same
      {"caf\xe9", "", 3},                                       // might be either
      {"\xe9 caf\xe9", "", 6},                                  // is not
      {"\xcf\xf0\xe8", "text/plain; charset=windows-1251", 3},
      {"\x93\xfa\x96\x7b", "text/plain; charset=Shift_JIS", 4},
      {"\x93\xfa\x96", "text/plain; charset=Shift_JIS", 2},
      {"\xb1\x93", "text/plain; charset=Shift_JIS", 1}, // half-width kana is one byte
      {"\xc6\xfc\xcb", "text/plain; charset=EUC-JP", 2},
      {"\x8f\xb0\xa1\x8f\xb0", "text/plain; charset=EUC-JP", 3},
      {"\xc4\xe3\xba", "text/plain; charset=gb2312", 2},
      {"\xc4\xe3\x84\x31\xa4", "text/plain; charset=gb18030", 2}, // of four bytes
      {"\xc4\xe3\x84\x31\xa4\x37", "text/plain; charset=gb18030", 6},
      {"\xa7\x41\xa6", "text/plain; charset=big5", 2},
      {"\xbe\xc8\xb3", "text/plain; charset=euc-kr", 2},
      {"o\0k"sv, "text/plain; charset=utf-16le", 2},
      {"o\0k\0"sv, "text/plain; charset=utf-16", 4},
      {"\0o\0"sv, "text/plain; charset=utf-16be", 2},
      {"o\0\x3d\xd8"sv, "text/plain; charset=utf-16le", 2}, // half a pair
      {"o\0\x3d\xd8\0"sv, "text/plain; charset=utf-16le", 2},
      {"o\0\x3d\xd8\0\xde"sv, "text/plain; charset=utf-16le", 6},
      {"\xff\xfeo\0k"sv, "", 4}, // by its mark
      {"\xff\xfeo\0k"sv, "text/plain; charset=utf-8", 4},
      {"\xfe\xff\0o\0"sv, "", 4},
      {"\x93\xfa\x96", "text/plain; charset=x-klingon", 3},
      {"\x93\xfa\x96", "application/octet-stream", 3},
      {"", "text/plain; charset=utf-16le", 0},
  };
  for (const auto& [body, content_type, whole] : table) {
    INFO(content_type << ", " << body.size() << " bytes, whole " << whole);
    CHECK(whole_character_bytes(answered(body, content_type)) == whole);
  }
  auto compressed = answered("\x93\xfa\x96", "text/plain; charset=Shift_JIS");
  compressed.response_headers.push_back({"Content-Encoding", "gzip"});
  CHECK(whole_character_bytes(compressed) == 3);
}
