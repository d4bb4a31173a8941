#include "policy/compiled_filters.hpp"

#include <utility>
#include <variant>

namespace vicket {

std::size_t compiled_filters::bytes_of(const entry& one) {
  return one.json.size() + one.filter->most_memory_bytes();
}

std::shared_ptr<const content_filter> compiled_filters::of(std::string_view json) {
  if (const auto known = by_text_.find(json); known != by_text_.end()) {
    by_use_.splice(by_use_.begin(), by_use_, known->second);
    return known->second->filter;
  }
  auto made = content_filter::compile(json);
  if (std::holds_alternative<json_fault>(made))
    return nullptr;
  by_use_.push_front(
      {std::string{json}, std::make_shared<const content_filter>(std::get<content_filter>(std::move(made)))});
  by_text_.emplace(by_use_.front().json, by_use_.begin());
  bytes_ += bytes_of(by_use_.front());
  while (by_use_.size() > 1 && (by_use_.size() > max_filters_ || bytes_ > max_bytes_)) {
    bytes_ -= bytes_of(by_use_.back());
    by_text_.erase(by_use_.back().json);
    by_use_.pop_back();
  }
  return by_use_.front().filter;
}

} // namespace vicket
