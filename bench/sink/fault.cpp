#include "bench/sink/fault.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace vicket::bench {

std::optional<fault> parse_fault(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, fault::kind>, 3> kinds{{
      {"lose:", fault::kind::lose},
      {"double:", fault::kind::record_twice},
      {"forge:", fault::kind::forge},
  }};
  for (const auto& [name, kind] : kinds) {
    if (!text.starts_with(name))
      continue;
    text.remove_prefix(name.size());
    fault found{kind, 0};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), found.request_number);
    if (error == std::errc{} && end == text.data() + text.size() && found.request_number > 0)
      return found;
    break;
  }
  return std::nullopt;
}

} // namespace vicket::bench
