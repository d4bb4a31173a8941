#include "net/arrival_notice.hpp"

#include <utility>

namespace vicket::internal {

std::optional<std::string> arrival_notice::came_to_nothing(const std::string& address, const std::string& why,
                                                           bool silent, time_point now) {
  if (!silent) {
    ++count_;
  } else if (silent_ == 0 || (silent_ < many_silent && now - silent_since_ >= interval)) {
    silent_ = 1;
    silent_since_ = now;
  } else {
    ++silent_;
  }
  if (!silent || count_ == 0)
    last_ = "from " + address + ": " + why.substr(0, most_reason_bytes);
  return look(now);
}

std::optional<std::string> arrival_notice::look(time_point now) {
  if (!has_news() || (told_at_ && now - *told_at_ < interval))
    return std::nullopt;
  told_at_ = now;
  const auto all = std::exchange(count_, 0) + std::exchange(silent_, 0);
  if (all == 1)
    return "on " + where_ + " a connection came to nothing, " + last_;
  return "on " + where_ + " " + std::to_string(all) + " connections came to nothing, the last one " + last_;
}

std::optional<arrival_notice::time_point> arrival_notice::next_look() const {
  if (!has_news() || !told_at_)
    return std::nullopt;
  return *told_at_ + interval;
}

} // namespace vicket::internal
