// What an endpoint answers. The first byte says in what pieces it comes: what is made of it does not depend on them.

#include "tests/fuzz/fuzz_target.hpp"
#include "transport/answer_reader.hpp"

#include "policy/charset.hpp"
#include "policy/utf8.hpp"

namespace {

using namespace vicket;
using state = answer_reader::state;

constexpr answer_limits limits{2'048, 4'096, 1'024};

struct reading {
  state ended;
  bool whole, truncated, reusable;
  std::uint16_t status;
  std::string body, error, retry_after;
  std::vector<header_field> headers;

  bool operator==(const reading&) const = default;
};

reading read(std::string_view bytes, std::size_t piece, answer_reader::stream_end end) {
  answer_reader reader{limits};
  auto now = state::reading;
  auto at = std::size_t{0};
  while (at < bytes.size() && now == state::reading) {
    const auto part = bytes.substr(at, piece);
    at += part.size();
    now = reader.consume(part);
  }
  if (now == state::reading)
    now = reader.end_of_stream(end);
  EXPECT_THAT_IT_HOLDS(now != state::reading);
  reading result{now,
                 reader.whole(),
                 reader.body_truncated(),
                 reader.reusable() && at == bytes.size(),
                 reader.head_complete() ? reader.status() : std::uint16_t{0},
                 {},
                 reader.error(),
                 reader.head_complete() ? reader.retry_after() : std::string{},
                 {}};
  result.body = reader.take_body();
  result.headers = reader.take_headers().fields;
  return result;
}

} // namespace

VICKET_FUZZ_TARGET(http_answer) {
  if (input.empty())
    return;
  const auto shape = static_cast<unsigned char>(input[0]);
  const auto bytes = input.substr(1);
  const auto end = static_cast<answer_reader::stream_end>(shape % 3);
  const auto whole = read(bytes, std::max<std::size_t>(bytes.size(), 1), end);
  for (const auto piece : {std::size_t{1}, std::size_t{1} + shape / 3}) {
    auto other = read(bytes, piece, end);
    // Of what is no HTTP the first bytes are kept, as many as there were when that showed; and it may end before it shows.
    if (whole.ended == state::failed && whole.status == 0 && other.ended == state::failed) {
      other.body = whole.body;
      other.error = whole.error;
    }
    EXPECT_THAT_IT_HOLDS(other == whole);
  }
  EXPECT_THAT_IT_HOLDS(whole.body.size() <= limits.max_kept_body_bytes);
  EXPECT_THAT_IT_HOLDS(whole.ended != state::failed || !whole.error.empty());
  EXPECT_THAT_IT_HOLDS(!whole.reusable || whole.whole);
  auto header_bytes = std::size_t{0};
  for (const auto& field : whole.headers)
    header_bytes += field.name.size() + field.value.size();
  EXPECT_THAT_IT_HOLDS(header_bytes <= attempt::max_header_bytes);

  attempt value;
  value.response_body = whole.body;
  value.response_headers = whole.headers;
  value.response_truncated = whole.truncated;
  const auto characters = whole_character_bytes(value);
  EXPECT_THAT_IT_HOLDS(characters <= value.response_body.size());
}
