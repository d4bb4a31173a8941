#include "actors/record_inbox.hpp"

#include "actors/scratch.hpp"

#include <caf/send.hpp>

#include <chrono>
#include <utility>

namespace vicket {

namespace {

void cut_answer(attempt& of) {
  std::string{}.swap(of.response_body);
  std::vector<header_field>{}.swap(of.response_headers);
  of.response_truncated = true;
}

} // namespace

std::uint64_t record_inbox::push(record_attempts record) {
  std::unique_lock guard{mutex_};
  const auto number = ++pushed_;
  if (!owner_)
    return number;
  for (auto& decision : record.decisions) {
    const auto bytes = decision.value.answer_bytes();
    if (budget_ && bytes > 0 && !budget_->add_answer(bytes))
      cut_answer(decision.value);
    else
      decision.counted_bytes = budget_ ? bytes : 0;
    answer_bytes_ += decision.value.answer_bytes();
  }
  records_.push_back(std::move(record));
  if (!called_at_once_ && (wait_ms_ == 0 || answer_bytes_ >= max_wait_bytes)) {
    called_ = called_at_once_ = true;
    const auto owner = owner_;
    guard.unlock(); // it is the first thing that the owner will want
    caf::anon_send(owner, attempts_waited{});
  } else if (!called_) {
    called_ = true;
    const auto owner = owner_;
    guard.unlock();
    caf::delayed_anon_send(owner, std::chrono::milliseconds{wait_ms_}, attempts_waited{});
  }
  return number;
}

std::uint64_t record_inbox::take(std::vector<record_attempts>& into) {
  empty_for_reuse(into, 4'096);
  std::lock_guard guard{mutex_};
  answer_bytes_ = 0;
  into.swap(records_);
  return pushed_;
}

void record_inbox::heard() {
  std::lock_guard guard{mutex_};
  called_ = called_at_once_ = false;
}

void record_inbox::close() {
  std::lock_guard guard{mutex_};
  owner_ = nullptr;
  records_.clear();
}

} // namespace vicket
