// A response body with the Content-Type that came with it, as a person is shown it. The first byte says how long the
// Content-Type is.

#include "tests/fuzz/fuzz_target.hpp"

#include "apps/body_text.hpp"
#include "apps/terminal.hpp"
#include "policy/json_text.hpp"
#include "policy/utf8.hpp"

using namespace vicket;

VICKET_FUZZ_TARGET(shown_body) {
  if (input.empty())
    return;
  const auto type_bytes = std::size_t{static_cast<unsigned char>(input[0])};
  auto rest = input.substr(1);
  event_history history;
  auto& value = history.attempts.emplace_back();
  value.response_headers.push_back({"Content-Type", std::string{rest.substr(0, type_bytes)}});
  rest.remove_prefix(std::min(type_bytes, rest.size()));
  value.response_body = rest;
  value.response_body_bytes = rest.size();
  value.error = rest;
  const auto shown = text_of_body(value);
  EXPECT_THAT_IT_HOLDS(with_replaced_invalid_utf8(shown.text) == shown.text);
  for (const auto& line :
       {printable(shown.text), printable(shown.note), first_line(shown.text, 80), printable_lines(rest)})
    for (const auto c : line)
      EXPECT_THAT_IT_HOLDS(static_cast<unsigned char>(c) >= 0x20 || c == '\n');
  const auto json = with_escaped_controls(event_history_to_json(history));
  EXPECT_THAT_IT_HOLDS(with_replaced_invalid_utf8(json) == json);
  EXPECT_THAT_IT_HOLDS(json.find('\x7f') == std::string::npos && json.find('\x1b') == std::string::npos);
}
