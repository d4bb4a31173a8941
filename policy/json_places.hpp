#pragma once

#include "policy/json_cursor.hpp"
#include "policy/json_pointer.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicket {

/// Where some pointers lead in a JSON text: found for all of them in one pass over it. Of a name that is in an object
/// several times the last one counts, as with most readers of JSON. An index is `0` or begins with another digit than 0;
/// other tokens (`01`, `-`) lead to nothing in an array.
class json_places {
public:
  /// Its number; the same one for the same pointer.
  std::size_t add(const json_pointer& pointer);

  [[nodiscard]] std::size_t size() const noexcept { return count_; }

  /// `found[n]` becomes the value at pointer n as it is written, empty where there is none. `valid` is JSON.
  void find(std::string_view valid, std::vector<std::string_view>& found) const;

private:
  struct node {
    std::optional<std::size_t> number;
    std::vector<std::pair<std::string, std::unique_ptr<node>>> members; ///< by name
    std::vector<std::pair<std::size_t, const node*>> elements; ///< those of them that are an index, in order
  };

  struct search {
    json_cursor at;
    std::vector<std::string_view>& found;
    std::string name; ///< with its escapes undone
  };

  static void look(const node& from, search& state);
  static void look_into_object(const node& from, search& state);
  static void look_into_array(const node& from, search& state);
  static void forget(const node& below, search& state);
  static const node* member(const node& of, std::string_view name);

  node root_;
  std::size_t count_ = 0;
};

} // namespace vicket
