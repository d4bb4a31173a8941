#include "policy/denial_notice.hpp"

#include <algorithm>

namespace vicket {

std::optional<std::string> denial_notice::denied(const std::string& name, const std::string& addresses,
                                                 timestamp_ms now) {
  const auto since = [now](timestamp_ms then) { return now.value - then.value; };
  const auto known = names_.find(name);
  const auto is_over = [&](timestamp_ms then, std::int64_t span) {
    return since(then) >= span || since(then) < 0; // a clock that was set back
  };
  if (known != names_.end() && known->second.addresses == addresses && !is_over(known->second.at, again_ms))
    return std::nullopt;
  if (lines_ == 0 || is_over(minute_began_, minute_ms)) {
    minute_began_ = now;
    lines_ = 0;
  }
  if (lines_ == max_lines) {
    ++left_out_;
    return std::nullopt;
  }
  ++lines_;
  if (known != names_.end())
    order_.erase(std::find(order_.begin(), order_.end(), name));
  names_.insert_or_assign(name, told{addresses, now});
  order_.push_back(name);
  if (order_.size() > max_names) {
    names_.erase(order_.front());
    order_.pop_front();
  }
  auto line = "deliveries to " + name + " are kept from where it resolves to: " + addresses;
  if (const auto left_out = std::exchange(left_out_, 0); left_out > 0)
    line += "; " + std::to_string(left_out) + " more of such names or attempts were not told";
  return line;
}

} // namespace vicket
