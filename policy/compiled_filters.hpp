#pragma once

#include "policy/content_filter.hpp"

#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace vicket {

/// The filters that were used last, by their text, so that none is compiled for each event. Bounded in number and in memory;
/// beyond it the one that was not used for longest goes.
class compiled_filters {
public:
  static constexpr std::size_t default_max_filters = 1'024;
  static constexpr std::size_t default_max_bytes = 64u << 20; ///< by `content_filter::most_memory_bytes`

  explicit compiled_filters(std::size_t max_filters = default_max_filters,
                            std::size_t max_bytes = default_max_bytes)
      : max_filters_{max_filters}, max_bytes_{max_bytes} {}

  /// Null: it is no filter.
  [[nodiscard]] std::shared_ptr<const content_filter> of(std::string_view json);

  [[nodiscard]] std::size_t size() const noexcept { return by_text_.size(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

private:
  struct entry {
    std::string json;
    std::shared_ptr<const content_filter> filter;
  };

  [[nodiscard]] static std::size_t bytes_of(const entry& one);

  std::size_t max_filters_;
  std::size_t max_bytes_;
  std::list<entry> by_use_; ///< the one used last in front
  std::unordered_map<std::string_view, std::list<entry>::iterator> by_text_;
  std::size_t bytes_ = 0; ///< of all of them
};

} // namespace vicket
