#include "tests/sim/endpoints.hpp"

#include "tests/sim/event_book.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>

namespace vicket::sim {

namespace {

constexpr std::size_t large_answer_bytes = 20'000;
constexpr std::uint64_t most_short = 40; ///< requests that one shortage keeps in the node

/// The text between `before` and the next `"`.
std::string field_after(std::string_view text, std::string_view before) {
  const auto at = text.find(before);
  if (at == text.npos)
    return {};
  const auto from = at + before.size();
  return std::string{text.substr(from, text.find('"', from) - from)};
}

std::uint32_t connector_of(std::string_view host) {
  std::uint32_t number = 0;
  std::from_chars(host.data() + 1, host.data() + host.size(), number);
  return number;
}

http_result answer(std::uint64_t request, std::uint16_t status, std::string body = {}) {
  http_result made;
  made.status = status;
  made.body = mark_of(request) + std::move(body);
  made.body_bytes = made.body.size();
  made.phases.first_byte_us = static_cast<std::int64_t>(request); // where it is found when the body was cut
  return made;
}

http_result answer(std::uint64_t request, std::uint16_t status, bool large) {
  return answer(request, status, large ? std::string(large_answer_bytes, 'x') : std::string{});
}

http_result failure(std::uint64_t request, outcome what) {
  http_result made;
  made.failure = what;
  made.error = mark_of(request) + "no answer";
  return made;
}

http_result result_of(std::uint64_t request, mood how, dice& chance) {
  switch (how) {
  case mood::failing:
    return answer(request, chance.pick(std::vector<std::uint16_t>{500, 404, 302, 400}), chance.percent(5));
  case mood::busy: {
    auto made = answer(request, chance.percent(50) ? 429 : 503);
    made.retry_after = std::to_string(chance.percent(80) ? chance.between(0, 4) : chance.between(5, 40));
    return made;
  }
  case mood::broken:
    return failure(request,
                   chance.pick(std::vector{outcome::connect, outcome::tls, outcome::dns, outcome::protocol}));
  case mood::well:
  case mood::silent:
  case mood::mixed:
    break;
  }
  return answer(request, 200, chance.percent(3));
}

} // namespace

mood endpoints::mood_of(const open_request& one, dice& chance) const {
  const auto how = moods_[one.connector];
  return how == mood::mixed ? static_cast<mood>(chance.below(mood_count - 1)) : how;
}

void endpoints::be_short(std::uint32_t after, std::uint64_t draw) {
  short_after_ = after;
  short_left_ = 1 + draw % most_short;
  shortage_ = draw;
}

bool endpoints::comes_back_short() {
  if (short_left_ == 0)
    return false;
  if (short_after_ > 0) {
    --short_after_;
    return false;
  }
  --short_left_;
  return true;
}

void endpoints::post(http_request request, completion done) {
  if (closed_)
    return;
  if (comes_back_short()) {
    told_.was_short();
    shortage_ = mixed(shortage_, short_left_);
    open_request none;
    none.connector = connector_of(request.endpoint->host);
    none.done = std::move(done);
    none.result.shortage = own_shortage{"something", shortage_ % 3 == 0};
    if (shortage_ % 2 == 0)
      finish(std::move(none));
    else
      ready_.push_back(std::move(none));
    return;
  }
  const auto serial =
      serial_of_event_name(field_after(*request.body, R"("event":")")).value_or(~std::uint64_t{0});
  dice chance{mixed(mixed(seed_, serial), ++times_seen_[serial])};
  open_request one;
  one.number = ++count_;
  one.connector = connector_of(request.endpoint->host);
  one.posted_ms = now_ms_;
  one.times_out_ms = now_ms_ + request.timeout_ms;
  one.done = std::move(done);
  told_.requested(one.number, serial, one.connector, request.endpoint->host,
                  field_after(*request.body, R"("id":")"), *request.body);
  const auto how = mood_of(one, chance);
  if (how == mood::silent) {
    silent_.push_back(std::move(one));
    return;
  }
  one.result = result_of(one.number, how, chance);
  if (chance.percent(30))
    finish(std::move(one));
  else
    ready_.push_back(std::move(one));
}

void endpoints::finish(open_request one) {
  if (one.result.shortage)
    return one.done(std::move(one.result));
  const bool ok = !one.result.failure && one.result.status && *one.result.status / 100 == 2;
  std::int64_t wait_s = 0;
  std::from_chars(one.result.retry_after.data(),
                  one.result.retry_after.data() + one.result.retry_after.size(), wait_s);
  one.result.duration_us = std::max<std::int64_t>(now_ms_ - one.posted_ms, 1) * 1'000;
  told_.responded(one.number, one.connector, ok, wait_s * 1'000, one.result.body.size(),
                  one.result.failure ? std::string{to_string(*one.result.failure)}
                                     : std::to_string(one.result.status.value_or(0)));
  one.done(std::move(one.result));
}

void endpoints::give(std::size_t index) {
  auto one = std::move(ready_[index]);
  ready_.erase(ready_.begin() + static_cast<std::ptrdiff_t>(index));
  finish(std::move(one));
}

void endpoints::answer_silent(std::size_t count, std::uint64_t draw) {
  dice chance{draw};
  count = std::min(count, silent_.size());
  std::vector<open_request> chosen{
      std::make_move_iterator(silent_.begin()),
      std::make_move_iterator(silent_.begin() + static_cast<std::ptrdiff_t>(count))};
  silent_.erase(silent_.begin(), silent_.begin() + static_cast<std::ptrdiff_t>(count));
  for (auto& one : chosen) {
    one.result = result_of(one.number, chance.percent(70) ? mood::well : mood::failing, chance);
    finish(std::move(one));
  }
}

void endpoints::time_is(std::int64_t steady_ms) {
  now_ms_ = steady_ms;
  const auto first_late = std::stable_partition(
      silent_.begin(), silent_.end(), [&](const open_request& one) { return one.times_out_ms > now_ms_; });
  std::vector<open_request> late{std::make_move_iterator(first_late), std::make_move_iterator(silent_.end())};
  silent_.erase(first_late, silent_.end());
  for (auto& one : late) {
    one.result = failure(one.number, outcome::timeout);
    finish(std::move(one));
  }
}

std::optional<std::int64_t> endpoints::next_timeout_ms() const {
  std::optional<std::int64_t> next;
  for (const auto& one : silent_)
    if (!next || one.times_out_ms < *next)
      next = one.times_out_ms;
  return next;
}

void endpoints::close() {
  closed_ = true;
  ready_.clear();
  silent_.clear();
}

std::map<std::uint32_t, std::uint64_t> endpoints::open_requests() const {
  std::map<std::uint32_t, std::uint64_t> counts;
  for (const auto* list : {&ready_, &silent_})
    for (const auto& one : *list)
      ++counts[one.connector];
  return counts;
}

} // namespace vicket::sim
