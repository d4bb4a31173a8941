#include "net/byte_budget.hpp"

#include <algorithm>
#include <utility>

namespace vicket::internal {

byte_budget::share::share(byte_budget& all, std::function<void()> go_on, std::function<void()> give_up)
    : all_{all}, go_on_{std::move(go_on)}, give_up_{std::move(give_up)} {
  all_.shares_.insert(this);
}

byte_budget::share::~share() {
  all_.held_ -= held_;
  all_.shares_.erase(this);
  if (all_.first_ == this)
    all_.first_ = nullptr;
  if (in_line_)
    all_.line_.remove(this);
  all_.look();
}

bool byte_budget::share::may_read(bool in_message) {
  if (all_.held_ < all_.limit_ || held_ < all_.always_ || all_.first_ == this)
    return true;
  if (in_message && !all_.first_) {
    all_.first_ = this;
    return true;
  }
  in_message_ = in_message;
  if (!std::exchange(in_line_, true))
    all_.line_.push_back(this);
  return false;
}

void byte_budget::share::take(std::size_t bytes) {
  held_ += bytes;
  all_.held_ += bytes;
  if (all_.held_ > 2 * all_.limit_)
    all_.give_up_largest();
}

void byte_budget::share::give(std::size_t bytes) {
  bytes = std::min(bytes, held_);
  held_ -= bytes;
  all_.held_ -= bytes;
  all_.look();
}

void byte_budget::give_left_behind(std::size_t bytes) {
  held_ -= std::min(bytes, held_);
  look();
}

void byte_budget::share::message_ended() {
  if (all_.first_ != this)
    return;
  all_.first_ = nullptr;
  all_.look();
}

void byte_budget::give_up_largest() {
  share* largest = nullptr;
  std::size_t going = 0; // with those that were given up and are not gone yet
  for (auto* one : shares_) {
    if (one->given_up_)
      going += one->held_;
    else if (!largest || one->held_ > largest->held_)
      largest = one;
  }
  if (!largest || held_ - going <= 2 * limit_)
    return;
  largest->given_up_ = true;
  largest->give_up_();
}

void byte_budget::look() {
  for (auto at = line_.begin(); at != line_.end();) {
    auto* one = *at;
    const bool goes_first = !first_ && one->in_message_;
    if (held_ >= limit_ && one->held_ >= always_ && !goes_first) {
      ++at;
      continue;
    }
    if (goes_first && held_ >= limit_)
      first_ = one;
    at = line_.erase(at);
    one->in_line_ = false;
    one->go_on_();
  }
}

} // namespace vicket::internal
