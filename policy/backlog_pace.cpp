#include "policy/backlog_pace.hpp"

#include <algorithm>

namespace vicket {

namespace {

constexpr double us_per_s = 1e6;
constexpr double slower = 0.8;
constexpr double faster = 1.05;
constexpr double forget_free_rate = 0.999; ///< in each look

} // namespace

void backlog_pace::learn_least(double lag_us, std::int64_t now_us) {
  if (!least_us_ || now_us - least_since_us_ >= least_memory_us) {
    least_before_us_ = least_us_;
    least_us_.reset();
    least_since_us_ = now_us;
  }
  least_us_ = least_us_ ? std::min(*least_us_, lag_us) : lag_us;
}

void backlog_pace::fresh_started(std::int64_t lag_us, std::int64_t now_us) {
  if (!last_fresh_us_ || now_us - *last_fresh_us_ >= memory_us) {
    look_began_us_ = now_us;
    lag_sum_us_ = 0;
    samples_ = 0;
    started_ = 0;
  }
  last_fresh_us_ = now_us;
  lag_sum_us_ += std::max<std::int64_t>(lag_us, 0);
  ++samples_;
  if (samples_ >= min_samples && now_us - look_began_us_ >= look_us)
    look(now_us);
}

void backlog_pace::look(std::int64_t now_us) {
  const auto span_us = static_cast<double>(now_us - look_began_us_);
  const auto lag_us = static_cast<double>(lag_sum_us_) / samples_;
  const auto went_per_s = static_cast<double>(std::max<std::int64_t>(started_, 0)) / span_us * us_per_s;
  if (!rate_)
    free_rate_ = std::max(free_rate_ * forget_free_rate, went_per_s);
  learn_least(lag_us, now_us);
  const auto least_us = std::min(*least_us_, least_before_us_.value_or(*least_us_));
  const auto floor_per_s = std::max(min_per_s, free_rate_ / least_share);
  const bool lags = lag_us > least_us + static_cast<double>(slack_us);
  if (lags && (rate_ || started_ > 0)) { // else it is not the backlog's fault
    if (!rate_) {
      credit_ = 0;
      credited_at_us_ = now_us;
    }
    rate_ = std::max(std::min(rate_.value_or(went_per_s), std::max(went_per_s, floor_per_s)) * slower,
                     floor_per_s);
  } else if (!lags && rate_) {
    // What was not used of the rate says nothing about a higher one.
    if (went_per_s >= *rate_ / 2)
      rate_ = *rate_ * faster;
  }
  look_began_us_ = now_us;
  lag_sum_us_ = 0;
  samples_ = 0;
  started_ = 0;
}

std::size_t backlog_pace::allowance(std::int64_t now_us) {
  if (rate_ && (!last_fresh_us_ || now_us - *last_fresh_us_ >= memory_us))
    rate_.reset();
  if (!rate_)
    return unlimited;
  const auto most = std::max(1.0, *rate_ * static_cast<double>(burst_us) / us_per_s);
  credit_ = std::min(
      most,
      credit_ + *rate_ * static_cast<double>(std::max<std::int64_t>(now_us - credited_at_us_, 0)) / us_per_s);
  credited_at_us_ = now_us;
  return static_cast<std::size_t>(credit_);
}

void backlog_pace::started(std::int64_t count) {
  started_ += count;
  if (rate_)
    credit_ -= static_cast<double>(count);
}

} // namespace vicket
