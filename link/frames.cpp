#include "link/frames.hpp"

#include "policy/compiled_rule.hpp"
#include "policy/connector_config.hpp"

#include <algorithm>

namespace vicket::internal {

namespace {

/// Steps over CAF's binary form: integers in 7-bit groups, lowest first; strings and lists begin with their count.
class skimmer {
public:
  explicit skimmer(std::string_view rest) : rest_{rest} {}

  [[nodiscard]] std::optional<std::uint64_t> count() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) { // of 32 bits
      if (rest_.empty())
        return std::nullopt;
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= std::uint64_t{byte & 0x7fu} << shift;
      if ((byte & 0x80) == 0)
        return value;
    }
    return std::nullopt;
  }

  [[nodiscard]] bool skip_strings(std::uint64_t number) {
    for (; number > 0; --number) {
      const auto size = count();
      if (!size || *size > rest_.size())
        return false;
      rest_.remove_prefix(*size);
    }
    return true;
  }

  [[nodiscard]] bool skip_bytes(std::size_t number) {
    if (number > rest_.size())
      return false;
    rest_.remove_prefix(number);
    return true;
  }

private:
  std::string_view rest_;
};

bool begins_with_count(std::string_view body, std::uint64_t most) {
  const auto items = skimmer{body}.count();
  return items && *items <= most;
}

/// What is behind so many numbers of 32 bits.
std::string_view behind(std::size_t numbers, std::string_view body) {
  return body.substr(std::min(body.size(), numbers * sizeof(std::uint32_t)));
}

bool bounded_connector(std::string_view body) {
  constexpr std::uint64_t strings_before = 4; // id, name, url, secret
  skimmer at{body};
  if (!at.skip_strings(strings_before))
    return false;
  // What is more than allowed, but not absurd, is refused by the gateway with a sentence.
  constexpr std::uint64_t slack = 4;
  for (int list = 0; list < 2; ++list) { // headers, secret headers
    const auto headers = at.count();
    if (!headers || *headers > connector_bounds::headers * slack || !at.skip_strings(2 * *headers))
      return false;
  }
  const auto patterns = at.count();
  return patterns && *patterns <= connector_bounds::patterns * slack;
}

bool bounded_rule(std::string_view body) {
  constexpr std::uint64_t slack = 4; // as above
  skimmer at{body};
  if (!at.skip_strings(2) || !at.skip_bytes(1)) // id, name, enabled
    return false;
  const auto patterns = at.count();
  if (!patterns || *patterns > connector_bounds::patterns * slack ||
      !at.skip_strings(*patterns + 1)) // and the filter
    return false;
  const auto actions = at.count();
  return actions && *actions <= rule_bounds::actions * slack;
}

} // namespace

std::optional<frame_head> read_frame_head(std::string_view frame) {
  if (frame.size() < frame_head_bytes)
    return std::nullopt;
  frame_head head;
  head.kind = static_cast<std::uint8_t>(frame[0]);
  for (std::size_t i = 1; i < frame_head_bytes; ++i)
    head.request = head.request << 8 | static_cast<unsigned char>(frame[i]);
  return head;
}

void write_frame_head(caf::byte_buffer& to, frame_head head) {
  to.push_back(static_cast<caf::byte>(head.kind));
  for (int shift = 56; shift >= 0; shift -= 8)
    to.push_back(static_cast<caf::byte>(head.request >> shift & 0xff));
}

bool counts_are_bounded(std::uint8_t kind, std::string_view body) {
  switch (kind) {
  case kind_of<send_batch>:
    return begins_with_count(body, send_batch::max_items);
  case kind_of<put_connector>:
    return bounded_connector(body);
  case kind_of<trigger_batch>:
    return begins_with_count(body, trigger_batch::max_items);
  case kind_of<put_rule>:
    return bounded_rule(body);
  case kind_of<of_partition<accept_events>>: // twice the partition
    return begins_with_count(behind(2, body), send_batch::max_items);
  case kind_of<of_partition<put_connector>>:
    return bounded_connector(behind(1, body));
  case kind_of<of_partition<read_partition_histories>>:
    return begins_with_count(behind(1, body), event_page::max_events);
  default:
    return true; // no lists in it
  }
}

} // namespace vicket::internal
