#include "policy/shortage_notice.hpp"

#include "policy/rfc3339.hpp"

namespace vicket {

std::optional<std::string> shortage_notice::lasts(std::uint32_t source, const std::string& what,
                                                  std::size_t waiting, timestamp_ms now) {
  if (entries_.empty() && !told_)
    since_ = now;
  entries_[{what, source}] = {waiting, now};
  if (last_line_at_ && now - *last_line_at_ < interval_ms)
    return std::nullopt;
  last_line_at_ = now;
  told_ = true;
  last_things_ = things();
  std::size_t sum = 0;
  for (const auto& [key, one] : entries_)
    sum += one.waiting;
  return "this node is short of " + last_things_ + ": " + std::to_string(sum) +
         (sum == 1 ? " delivery waits" : " deliveries wait") + ", since " + format_rfc3339(since_) +
         "; that costs no attempt";
}

std::optional<std::string> shortage_notice::ends(std::uint32_t source, const std::string& what,
                                                 timestamp_ms now) {
  entries_.erase({what, source});
  return look(now);
}

std::optional<std::string> shortage_notice::look(timestamp_ms now) {
  std::erase_if(entries_, [&](const auto& one) { return now - one.second.told_at >= lapse_ms; });
  if (!entries_.empty() || !told_)
    return std::nullopt;
  told_ = false;
  return "this node is no longer short of " + last_things_ + ": deliveries waited since " +
         format_rfc3339(since_) + ", and start again";
}

std::string shortage_notice::things() const {
  std::string result;
  std::size_t count = 0;
  const std::string* before = nullptr;
  for (const auto& [key, one] : entries_) {
    if (before && *before == key.first)
      continue;
    before = &key.first;
    if (++count <= max_named)
      result += (count == 1 ? "" : ", ") + key.first;
  }
  if (count > max_named)
    result += " and " + std::to_string(count - max_named) + " more";
  return result;
}

} // namespace vicket
