#include "actors/connector_pages.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

namespace vicket {

std::size_t page_bytes_of(const connector& value) {
  constexpr std::size_t around_a_string = 40; // in memory; less in a message
  auto bytes = sizeof(connector) + value.id.value.size() + value.name.size() + value.url.size() +
               value.secret.value.size() + value.filter_json.size();
  for (const auto& [name, of] : value.headers)
    bytes += name.size() + of.size() + 2 * around_a_string;
  for (const auto& [name, of] : value.secret_headers)
    bytes += name.size() + of.value.size() + 2 * around_a_string;
  for (const auto& pattern : value.events)
    bytes += pattern.size() + around_a_string;
  return bytes;
}

bool connector_page_filler::add(connector_view next) {
  const auto bytes = page_bytes_of(next.value);
  const bool is_full = page_.connectors.size() >= limit_ ||
                       (!page_.connectors.empty() && bytes_ + bytes > max_connector_page_bytes);
  page_.more = page_.more || is_full;
  if (is_full)
    return false;
  bytes_ += bytes;
  page_.connectors.push_back(std::move(next));
  return true;
}

connector_page merge_pages(std::vector<connector_page> parts, std::size_t limit) {
  std::optional<connector_id> known_to; // in every part
  std::vector<connector_view> all;
  for (auto& part : parts) {
    if (part.more && !part.connectors.empty()) {
      const auto& last = part.connectors.back().value.id;
      known_to = known_to ? std::min(*known_to, last) : last;
    }
    std::move(part.connectors.begin(), part.connectors.end(), std::back_inserter(all));
  }
  std::sort(all.begin(), all.end(),
            [](const connector_view& a, const connector_view& b) { return a.value.id < b.value.id; });
  connector_page_filler filler{limit};
  for (auto& each : all)
    if ((known_to && *known_to < each.value.id) || !filler.add(std::move(each)))
      break;
  auto page = filler.take();
  page.more = page.more || known_to.has_value();
  return page;
}

} // namespace vicket
