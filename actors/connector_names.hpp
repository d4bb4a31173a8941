#pragma once

#include "actors/local_messages.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

namespace vicket {

/// The slots of a partition's connectors by their names, which stand in the places themselves: 6 to 11 bytes a connector.
/// Open addressing, linear probing, at most three quarters full.
class connector_names {
public:
  /// The name of a slot that is here.
  using name_of = std::function<std::string_view(connector_slot)>;

  explicit connector_names(name_of names) : names_{std::move(names)} {}

  [[nodiscard]] std::optional<connector_slot> find(std::string_view name) const;
  /// Not if there is one of this name.
  void insert(connector_slot slot);
  /// Must be there.
  void erase(std::string_view name);

  [[nodiscard]] std::size_t size() const noexcept { return size_; }

private:
  static constexpr connector_slot none = std::numeric_limits<connector_slot>::max();
  static constexpr std::size_t least_places = 16;

  [[nodiscard]] std::size_t home_of(std::string_view name) const {
    return std::hash<std::string_view>{}(name) & (table_.size() - 1);
  }
  /// Where it is, or the empty place where it would be.
  [[nodiscard]] std::size_t place_of(std::string_view name) const;
  void grow();

  // Invariants: the table's size is a power of two, or zero; between a name's home and its place nothing is empty.
  name_of names_;
  std::vector<connector_slot> table_; ///< `none`: empty
  std::size_t size_ = 0;
};

} // namespace vicket
