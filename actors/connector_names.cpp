#include "actors/connector_names.hpp"

#include "policy/assertion.hpp"

#include <algorithm>
#include <utility>

namespace vicket {

std::size_t connector_names::place_of(std::string_view name) const {
  auto at = home_of(name);
  while (table_[at] != none && names_(table_[at]) != name)
    at = (at + 1) & (table_.size() - 1);
  return at;
}

std::optional<connector_slot> connector_names::find(std::string_view name) const {
  if (table_.empty())
    return std::nullopt;
  const auto found = table_[place_of(name)];
  return found == none ? std::nullopt : std::optional{found};
}

void connector_names::insert(connector_slot slot) {
  if ((size_ + 1) * 4 > table_.size() * 3)
    grow();
  auto& place = table_[place_of(names_(slot))];
  VICKET_ASSERT(place == none);
  place = slot;
  ++size_;
}

void connector_names::erase(std::string_view name) {
  const auto mask = table_.size() - 1;
  auto hole = place_of(name);
  VICKET_ASSERT(table_[hole] != none);
  // What comes behind moves up, unless its home lies behind the hole.
  for (auto next = (hole + 1) & mask; table_[next] != none; next = (next + 1) & mask) {
    const auto home = home_of(names_(table_[next]));
    if (((next - home) & mask) >= ((next - hole) & mask))
      table_[std::exchange(hole, next)] = table_[next];
  }
  table_[hole] = none;
  --size_;
}

void connector_names::grow() {
  std::vector<connector_slot> before(std::max(least_places, table_.size() * 2), none);
  before.swap(table_);
  for (const auto slot : before)
    if (slot != none)
      table_[place_of(names_(slot))] = slot;
}

} // namespace vicket
