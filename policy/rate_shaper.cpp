#include "policy/rate_shaper.hpp"

#include <algorithm>

namespace vicket {

rate_shaper::rate_shaper(std::optional<rate_limit> limit) {
  reconfigure(limit);
}

rate_shaper::exact_us rate_shaper::sum(exact_us a, exact_us b) const {
  exact_us result{a.us + b.us, a.part + b.part};
  if (result.part >= limit_) {
    result.part -= limit_;
    ++result.us;
  }
  return result;
}

rate_shaper::exact_us rate_shaper::difference(exact_us a, exact_us b) const {
  exact_us result{a.us - b.us, a.part - b.part};
  if (result.part < 0) {
    result.part += limit_;
    --result.us;
  }
  return result;
}

rate_shaper::exact_us rate_shaper::intervals(std::int64_t count) const {
  // At most 10^6 * 8.64 * 10^10 (the limits of a connector): fits.
  const auto total = count * per_us_;
  return {total / limit_, total % limit_};
}

void rate_shaper::reconfigure(std::optional<rate_limit> limit) {
  const auto taken_until_us = state();
  limited_ = limit.has_value();
  limit_ = limit ? std::max<std::int64_t>(limit->limit, 1) : 1;
  per_us_ = limit ? std::max<std::int64_t>(limit->per_ms, 1) * 1'000 : 1;
  interval_ = intervals(1);
  tolerance_ = intervals(limit && limit->burst > 1 ? limit->burst - 1 : 0);
  arrival_ = {taken_until_us, 0};
}

void rate_shaper::forget_jump(std::int64_t now_us) const {
  // Further ahead than `take` at the last allowed moment could have put it: the clock was set back (or the
  // limit made faster). Without this an hour back would be an hour of silence.
  const auto window = sum(tolerance_, interval_);
  const auto latest = sum({now_us, 0}, window);
  if (arrival_.us > latest.us || (arrival_.us == latest.us && arrival_.part > latest.part))
    arrival_ = latest;
}

std::int64_t rate_shaper::wait_us(std::int64_t now_us) const {
  if (!limited_ || arrival_.us < now_us)
    return 0;
  forget_jump(now_us);
  const auto whole = arrival_.us - tolerance_.us - now_us;
  return std::max<std::int64_t>(whole + (arrival_.part > tolerance_.part ? 1 : 0), 0);
}

void rate_shaper::take(std::int64_t now_us) {
  if (!limited_)
    return;
  // Rounded up as `wait_us` rounds: one that goes in the first whole microsecond is not late, and loses no
  // part of its interval.
  if (state() < now_us)
    arrival_ = {now_us, 0};
  arrival_ = sum(arrival_, interval_);
  forget_jump(now_us);
}

void rate_shaper::give_back() {
  if (limited_)
    arrival_ = difference(arrival_, interval_);
}

void rate_shaper::spend_burst(std::int64_t now_us) {
  if (!limited_)
    return;
  const auto spent = sum({now_us, 0}, tolerance_);
  if (arrival_.us < spent.us || (arrival_.us == spent.us && arrival_.part < spent.part))
    arrival_ = spent;
}

std::int64_t rate_shaper::state() const {
  return arrival_.us + (arrival_.part > 0 ? 1 : 0);
}

void rate_shaper::restore(std::int64_t state_us) {
  arrival_ = {state_us, 0};
}

} // namespace vicket
