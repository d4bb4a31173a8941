#include "policy/backlog_pace.hpp"

#include <algorithm>
#include <utility>

namespace vicket {

namespace {

constexpr double us_per_s = 1e6;
constexpr double faster = 1.03;       ///< in each look
constexpr double slower = 0.85;       ///< in each look
constexpr double forget_most = 0.995; ///< in each look
constexpr double newest_weight = 0.1; ///< of what comes in a look

} // namespace

void backlog_pace::begin_look(std::int64_t now_us) {
  look_began_us_ = now_us;
  samples_ = 0;
  started_ = 0;
  came_ = 0;
}

void backlog_pace::fresh_accepted(std::int64_t lag_us, std::int64_t now_us) {
  if (!last_fresh_us_ || now_us - *last_fresh_us_ >= memory_us)
    begin_look(now_us);
  last_fresh_us_ = now_us;
  lags_us_[samples_++ % max_samples] = lag_us;
  if (samples_ >= min_samples && now_us - look_began_us_ >= (probes_ ? probe_us : look_us))
    look(now_us);
}

double backlog_pace::median_lag_us() {
  const auto end = lags_us_.begin() + static_cast<std::ptrdiff_t>(std::min(samples_, max_samples));
  const auto middle = lags_us_.begin() + (end - lags_us_.begin()) / 2;
  std::nth_element(lags_us_.begin(), middle, end);
  return static_cast<double>(std::max<std::int64_t>(*middle, 0));
}

double backlog_pace::least_per_s() const {
  return std::max({min_per_s, most_per_s_ / least_share, come_per_s_ * least_for_each});
}

void backlog_pace::look(std::int64_t now_us) {
  const auto lag_us = median_lag_us();
  const auto per_s = us_per_s / static_cast<double>(now_us - look_began_us_);
  const auto went_per_s = static_cast<double>(std::max<std::int64_t>(started_, 0)) * per_s;
  come_per_s_ += (static_cast<double>(came_) * per_s - come_per_s_) * newest_weight;
  const bool is_calm = went_per_s <= min_per_s;
  most_per_s_ = std::max(rate_ ? most_per_s_ : most_per_s_ * forget_most, went_per_s);
  if (std::exchange(was_calm_, is_calm) && is_calm) // in the first one there is what was before it
    learn_usual(lag_us, now_us);
  const bool lags = is_lag(lag_us);
  if (std::exchange(probes_, false) || (lags && (rate_ || !is_calm)))
    slow_down();
  else if (!lags && rate_ && went_per_s >= *rate_ / 2) // what was not used says nothing about a higher one
    rate_ = *rate_ * faster;
  begin_look(now_us);
}

void backlog_pace::learn_usual(double lag_us, std::int64_t now_us) {
  if (!usual_lag_us_ || now_us - usual_since_us_ >= usual_memory_us) {
    usual_lag_before_us_ = usual_lag_us_;
    usual_lag_us_ = lag_us;
    usual_since_us_ = now_us;
  }
  usual_lag_us_ = std::min(*usual_lag_us_, lag_us);
}

/// What is not known to be usual is a lag.
bool backlog_pace::is_lag(double lag_us) const {
  if (!usual_lag_us_)
    return true;
  const auto usual_us = std::min(*usual_lag_us_, usual_lag_before_us_.value_or(*usual_lag_us_));
  return lag_us > std::max(usual_us * usual_times, usual_us + slack_us);
}

void backlog_pace::slow_down() {
  if (!rate_)
    slow_looks_ = 0;
  const auto least = least_per_s();
  rate_ = std::max(least, rate_.value_or(most_per_s_) * slower);
  if (*rate_ > least)
    return;
  ++slow_looks_;
  probes_ =
      slow_looks_ == first_probe_after || slow_looks_ == second_probe_after || slow_looks_ % probe_every == 0;
}

std::size_t backlog_pace::allowance(std::int64_t now_us) {
  if (!last_fresh_us_ || now_us - *last_fresh_us_ >= memory_us) {
    rate_.reset();
    probes_ = false;
  }
  if (!rate_ || probes_) {
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
  if (rate_ && !probes_)
    credit_ -= static_cast<double>(count);
}

} // namespace vicket
