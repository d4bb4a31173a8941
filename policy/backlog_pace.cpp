#include "policy/backlog_pace.hpp"

#include <algorithm>
#include <utility>

namespace vicket {

namespace {

constexpr double us_per_s = 1e6;
constexpr double slower = 0.7;
constexpr double faster = 1.1;
constexpr double forget_most = 0.999; ///< in each look
constexpr double learn_usual = 0.25;  ///< from each look

} // namespace

void backlog_pace::begin_look(std::int64_t now_us) {
  look_began_us_ = now_us;
  samples_ = 0;
  started_ = 0;
}

void backlog_pace::fresh_started(std::int64_t lag_us, std::int64_t now_us) {
  if (!last_fresh_us_ || now_us - *last_fresh_us_ >= memory_us)
    begin_look(now_us);
  last_fresh_us_ = now_us;
  lags_us_[samples_++ % max_samples] = lag_us;
  if (samples_ >= min_samples && now_us - look_began_us_ >= look_us)
    look(now_us);
}

double backlog_pace::median_lag_us() {
  const auto end = lags_us_.begin() + static_cast<std::ptrdiff_t>(std::min(samples_, max_samples));
  const auto middle = lags_us_.begin() + (end - lags_us_.begin()) / 2;
  std::nth_element(lags_us_.begin(), middle, end);
  return static_cast<double>(std::max<std::int64_t>(*middle, 0));
}

void backlog_pace::look(std::int64_t now_us) {
  const auto lag_us = median_lag_us();
  const auto went_per_s = static_cast<double>(std::max<std::int64_t>(started_, 0)) * us_per_s /
                          static_cast<double>(now_us - look_began_us_);
  most_per_s_ = std::max(most_per_s_ * forget_most, went_per_s);
  const auto least_per_s = std::max(min_per_s, most_per_s_ / least_share);
  const bool is_calm = rate_ ? at_least_ : went_per_s <= min_per_s;
  if (std::exchange(was_calm_, is_calm) && is_calm) // in the first one there is what was before it
    usual_lag_us_ = usual_lag_us_ ? *usual_lag_us_ + (lag_us - *usual_lag_us_) * learn_usual : lag_us;
  if (!usual_lag_us_) // so that it is learned
    slow_down(0, least_per_s, is_calm);
  else if (lag_us > std::max(*usual_lag_us_ * usual_times, *usual_lag_us_ + slack_us))
    slow_down(went_per_s, least_per_s, is_calm);
  else if (rate_ && went_per_s >= *rate_ / 2) // what was not used says nothing about a higher one
    set_rate(*rate_ * faster, least_per_s);
  begin_look(now_us);
}

void backlog_pace::slow_down(double went_per_s, double least_per_s, bool is_calm) {
  if (rate_ || !is_calm) // else there is no backlog to blame
    set_rate(std::min(rate_.value_or(went_per_s), went_per_s) * slower, least_per_s);
}

void backlog_pace::set_rate(double per_s, double least_per_s) {
  at_least_ = per_s <= least_per_s;
  rate_ = std::max(per_s, least_per_s);
}

std::size_t backlog_pace::allowance(std::int64_t now_us) {
  if (!last_fresh_us_ || now_us - *last_fresh_us_ >= memory_us)
    rate_.reset();
  if (!rate_) {
    credit_ = 0;
    credited_at_us_ = now_us;
    return unlimited;
  }
  const auto since_us = static_cast<double>(std::max<std::int64_t>(now_us - credited_at_us_, 0));
  const auto most = std::max(1.0, *rate_ * static_cast<double>(burst_us) / us_per_s);
  credit_ = std::min(most, credit_ + *rate_ * since_us / us_per_s);
  credited_at_us_ = now_us;
  return credit_ > 0 ? static_cast<std::size_t>(credit_) : 0;
}

void backlog_pace::started(std::int64_t count) {
  started_ += count;
  if (rate_)
    credit_ -= static_cast<double>(count);
}

} // namespace vicket
