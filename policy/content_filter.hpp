#pragma once

#include "policy/json_check.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vicket {

/// The bounds of a filter.
namespace filter_bounds {
inline constexpr std::size_t bytes = 16'384;
inline constexpr std::size_t depth =
    32; ///< objects and arrays inside each other, what values are compared with included
/// Operators, and besides each object or array that is one of several in `in`. An event is looked through at most so often.
inline constexpr std::size_t conditions = 64;
inline constexpr std::size_t patterns = 8; ///< `matches`
inline constexpr std::size_t pattern_bytes = 1'024;
/// What RE2 may take of memory for one pattern, in use included.
inline constexpr std::size_t pattern_memory_bytes = 262'144;
} // namespace filter_bounds

/// Why a filter does not match: the place in it, as a pointer, and a sentence.
using filter_mismatch = json_fault;

/// Conditions on an event's name and data, as docs/rules.md describes them:
///
///     {"event": {"prefix": "ticket."}, "/ticket/priority": {"in": ["high", "urgent"]}}
///
/// Compiled once, then asked for each event: in time linear in the event's data, without a copy of it. Not changed by being
/// asked; may be asked by several threads at once.
class content_filter {
public:
  /// Or what is wrong with it, and where.
  [[nodiscard]] static std::variant<content_filter, json_fault> compile(std::string_view json);

  content_filter(content_filter&& from) noexcept;
  content_filter& operator=(content_filter&& from) noexcept;
  ~content_filter();

  /// The filter as JSON, compact: what it was compiled from says the same.
  [[nodiscard]] const std::string& text() const noexcept;

  /// `event`: the name; `data`: JSON, at most 256 deep.
  [[nodiscard]] bool matches(std::string_view event, std::string_view data) const;

  /// Empty: it matches. Else the condition that does not, or, where any of several would do, one of each; at most
  /// `max_mismatches`.
  [[nodiscard]] std::vector<filter_mismatch> mismatches(std::string_view event, std::string_view data) const;
  static constexpr std::size_t max_mismatches = 16;

  /// How often an event is looked through at most, beside once for all pointers.
  [[nodiscard]] std::size_t conditions() const noexcept;

  /// How many `matches` are in it.
  [[nodiscard]] std::size_t patterns() const noexcept;

  /// About how many bytes of memory it takes at most.
  [[nodiscard]] std::size_t most_memory_bytes() const noexcept;

private:
  struct compiled;
  class compiler;
  class judge;

  explicit content_filter(std::unique_ptr<const compiled> from);

  std::unique_ptr<const compiled> compiled_;
};

} // namespace vicket
