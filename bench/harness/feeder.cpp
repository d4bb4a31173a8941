#include "bench/harness/feeder.hpp"

#include "bench/harness/real_time.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <stdexcept>
#include <utility>

namespace vicket::bench {

namespace {

constexpr std::int64_t pause_us = 1'000; // a small part of what a window lasts
constexpr std::int64_t answer_patience_ns = 60'000'000'000;
constexpr std::int64_t arrival_patience_ns = 60'000'000'000;

trigger trigger_of(send_to_connector event) {
  return {std::move(event.event),
          event.occurred_at,
          std::move(event.data_json),
          std::move(event.message),
          std::move(event.workflow),
          std::move(event.run),
          event.id};
}

send_result only_event_of(const trigger_answer& answer) {
  if (const auto* no = std::get_if<refusal>(&answer))
    return *no;
  const auto& events = std::get<trigger_result>(answer).events;
  if (events.size() != 1)
    return refusal{errc::invalid_rule,
                   "rules made " + std::to_string(events.size()) + " events of it, not one"};
  return events.front().result;
}

} // namespace

struct feeder::account {
  std::mutex mutex;
  std::vector<send_times> times; ///< guarded by mutex, as all below
  std::vector<std::pair<std::uint32_t, refusal>> refused;
  std::vector<std::uint32_t> duplicates;
  std::atomic<std::uint64_t> answered{0};
  std::atomic<std::uint64_t> accepted{0};

  void note(std::uint32_t index, const send_result& result, std::int64_t at_ns) {
    const std::lock_guard guard{mutex};
    if (const auto* no = std::get_if<refusal>(&result)) {
      refused.emplace_back(index, *no);
    } else {
      times[index].accepted_ns = at_ns;
      if (std::get<vicket::accepted>(result).duplicate)
        duplicates.push_back(index);
      accepted.fetch_add(1, std::memory_order_relaxed);
    }
    answered.fetch_add(1, std::memory_order_release);
  }
};

feeder::feeder(node_session& node, const event_source& source, std::uint32_t first, sent_as as)
    : node_{node}, source_{source}, as_{as}, first_{first}, account_{std::make_shared<account>()} {}

feeder::~feeder() = default;

std::uint64_t feeder::accepted() const {
  return account_->accepted.load(std::memory_order_relaxed);
}

std::size_t feeder::on_their_way() const {
  return next_ - first_ - account_->answered.load(std::memory_order_acquire);
}

void feeder::send_batch_of(std::size_t items, std::int64_t intended_ns) {
  const auto first = next_;
  {
    const std::lock_guard guard{account_->mutex};
    account_->times.resize(first + items, send_times{intended_ns, 0});
  }
  if (as_ == sent_as::triggers) {
    trigger_batch batch;
    for (std::size_t i = 0; i < items; ++i)
      batch.items.push_back(trigger_of(source_.event(next_++)));
    node_.send(std::move(batch), [account = account_, first](const trigger_batch_result& answer) {
      const auto at_ns = now_ns();
      for (std::size_t i = 0; i < answer.results.size(); ++i)
        account->note(first + static_cast<std::uint32_t>(i), only_event_of(answer.results[i]), at_ns);
    });
    return;
  }
  send_batch batch;
  for (std::size_t i = 0; i < items; ++i)
    batch.items.push_back(source_.event(next_++));
  node_.send(std::move(batch), [account = account_, first](const batch_result& answer) {
    const auto at_ns = now_ns();
    for (std::size_t i = 0; i < answer.results.size(); ++i)
      account->note(first + static_cast<std::uint32_t>(i), answer.results[i], at_ns);
  });
}

void feeder::send_one(std::int64_t intended_ns) {
  const auto index = next_++;
  {
    const std::lock_guard guard{account_->mutex};
    account_->times.resize(index + 1, send_times{intended_ns, 0});
  }
  node_.send(source_.event(index), [account = account_, index](const send_result& answer) {
    account->note(index, answer, now_ns());
  });
}

void feeder::saturate(const sink& target, std::uint64_t others, std::size_t window,
                      std::int64_t duration_ms) {
  for (const auto end = now_ns() + duration_ms * 1'000'000; now_ns() < end; sleep_us(pause_us))
    while (next_ + others < target.arrived() + window && on_their_way() < max_unanswered)
      send_batch_of(batch_items, now_ns());
}

void feeder::saturate_count(const sink& target, std::uint64_t others, std::size_t window,
                            std::uint32_t count) {
  auto seen = target.arrived();
  auto since_ns = now_ns();
  for (const auto end = next_ + count; next_ < end; sleep_us(pause_us)) {
    if (const auto arrived = target.arrived(); arrived != seen) {
      seen = arrived;
      since_ns = now_ns();
    }
    while (next_ < end && next_ + others < seen + window && on_their_way() < max_unanswered)
      send_batch_of(std::min<std::size_t>(batch_items, end - next_), now_ns());
    if (now_ns() - since_ns > arrival_patience_ns)
      throw std::runtime_error("nothing came to the sink for a minute, with " +
                               std::to_string(next_ + others - seen) + " events on their way");
  }
}

void feeder::offer(double events_per_s, std::uint32_t count) {
  const auto start_ns = now_ns();
  const auto interval_ns = 1e9 / events_per_s;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto turn_ns = start_ns + static_cast<std::int64_t>(interval_ns * i);
    sleep_until_ns(turn_ns);
    send_one(turn_ns);
  }
}

void feeder::flood(std::uint32_t count, std::size_t items, std::size_t unanswered) {
  const auto end = next_ + count;
  auto since_ns = now_ns();
  while (next_ < end) {
    if (on_their_way() < unanswered) {
      send_batch_of(std::min<std::size_t>(items, end - next_), now_ns());
      since_ns = now_ns();
    } else if (now_ns() - since_ns > answer_patience_ns) {
      throw std::runtime_error("no event was answered for a minute, with " + std::to_string(on_their_way()) +
                               " on their way");
    } else {
      sleep_us(pause_us);
    }
  }
}

void feeder::wait_for_answers() {
  auto seen = on_their_way();
  for (auto since_ns = now_ns(); seen > 0; sleep_us(pause_us)) {
    if (const auto now_unanswered = on_their_way(); now_unanswered != seen) {
      seen = now_unanswered;
      since_ns = now_ns();
    }
    if (now_ns() - since_ns > answer_patience_ns)
      throw std::runtime_error(std::to_string(seen) + " events were sent and not answered for a minute");
  }
}

std::vector<std::string> feeder::settle(delivery_ledger& ledger) {
  const std::lock_guard guard{account_->mutex};
  for (; settled_ < account_->times.size(); ++settled_)
    if (account_->times[settled_].accepted_ns != 0)
      ledger.promised(settled_);
  std::vector<std::string> complaints;
  if (!account_->refused.empty()) {
    const auto& [index, why] = account_->refused.front();
    complaints.push_back(std::to_string(account_->refused.size()) + " event(s) were refused, the first (" +
                         source_.id(index).to_string() + ") with " + std::string{to_string(why.code)} + ": " +
                         why.detail);
  }
  if (!account_->duplicates.empty())
    complaints.push_back(std::to_string(account_->duplicates.size()) +
                         " event(s) were taken for duplicates, the first is " +
                         source_.id(account_->duplicates.front()).to_string());
  account_->refused.clear();
  account_->duplicates.clear();
  return complaints;
}

const std::vector<send_times>& feeder::times() const {
  return account_->times;
}

bool wait_for_arrivals(const sink& target, std::uint64_t count, std::int64_t patience_ms) {
  auto seen = target.arrived();
  for (auto since_ns = now_ns(); seen < count; sleep_ms(1)) {
    if (const auto now_seen = target.arrived(); now_seen != seen) {
      seen = now_seen;
      since_ns = now_ns();
    }
    if (now_ns() - since_ns > patience_ms * 1'000'000)
      return false;
  }
  return true;
}

} // namespace vicket::bench
