#pragma once

#include "messages/connector.hpp"

#include <cstddef>
#include <utility>
#include <vector>

namespace vicket {

/// A page of connectors ends before this many bytes, unless it has only one: a connector may have some 55 KB, and what a link
/// takes is bounded.
inline constexpr std::size_t max_connector_page_bytes = 4u << 20;

/// About as many bytes as it takes in a message, or in memory.
[[nodiscard]] std::size_t page_bytes_of(const connector& value);

/// Fills a page, in the order of ids.
class connector_page_filler {
public:
  /// `limit`: at least 1.
  explicit connector_page_filler(std::size_t limit) : limit_{limit} {}

  /// False: there is no room for it, and the page says that there is more.
  [[nodiscard]] bool add(connector_view next);
  [[nodiscard]] connector_page take() { return std::move(page_); }

private:
  const std::size_t limit_;
  std::size_t bytes_ = 0;
  connector_page page_;
};

/// One page of the first pages of several partitions. Beyond the last connector of a page that has more to come nothing is
/// taken: what comes there is not known yet, and who asks goes on after the last one that it was given.
[[nodiscard]] connector_page merge_pages(std::vector<connector_page> parts, std::size_t limit);

} // namespace vicket
