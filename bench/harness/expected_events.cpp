#include "bench/harness/expected_events.hpp"

#include "bench/harness/real_time.hpp"

#include <algorithm>
#include <utility>

namespace vicket::bench {

namespace {

bool delivered(const arrival& request) {
  return request.status >= 200 && request.status <= 299;
}

} // namespace

expected_events::expected_events(event_source source) : source_{std::move(source)} {}

bool expected_events::take(const arrival& request) {
  const auto index = source_.index_of(event_id{request.id});
  if (!index)
    return false;
  ledger_.arrived(request);
  if (!delivered(request))
    return true;
  if (delivered_ns_.size() <= *index)
    delivered_ns_.resize(std::max<std::size_t>(*index + 1, delivered_ns_.size() * 2));
  if (delivered_ns_[*index] == 0)
    delivered_ns_[*index] = static_cast<std::int64_t>(request.arrived_ns);
  return true;
}

std::int64_t expected_events::delivered_ns(std::uint32_t index) const {
  return index < delivered_ns_.size() ? delivered_ns_[index] : 0;
}

std::uint64_t expected_events::delivered_between(std::int64_t from_ns, std::int64_t until_ns) const {
  return static_cast<std::uint64_t>(
      std::count_if(delivered_ns_.begin(), delivered_ns_.end(),
                    [&](std::int64_t at_ns) { return at_ns >= from_ns && at_ns < until_ns; }));
}

std::int64_t expected_events::last_delivery_ns(std::uint32_t first) const {
  std::int64_t latest = 0;
  for (std::size_t i = first; i < delivered_ns_.size(); ++i)
    latest = std::max(latest, delivered_ns_[i]);
  return latest;
}

void arrival_sorter::sort(const std::vector<expected_events*>& among) {
  from_.read_arrivals([&](const arrival& request) {
    const auto taken =
        std::any_of(among.begin(), among.end(), [&](expected_events* each) { return each->take(request); });
    strangers_ += taken ? 0 : 1;
    const auto at_ns = static_cast<std::int64_t>(request.arrived_ns);
    if (first_watched_ns_ == 0 && delivered(request) && at_ns >= watched_from_ns_)
      first_watched_ns_ = at_ns;
  });
}

bool arrival_sorter::wait_for(const expected_events& of, std::uint64_t delivered, std::int64_t patience_ms,
                              const std::vector<expected_events*>& among) {
  auto seen = of.ledger().delivered_count();
  for (auto since_ns = now_ns(); seen < delivered; sleep_ms(1)) {
    sort(among);
    if (const auto now_seen = of.ledger().delivered_count(); now_seen != seen) {
      seen = now_seen;
      since_ns = now_ns();
    }
    if (now_ns() - since_ns > patience_ms * 1'000'000)
      return false;
  }
  return true;
}

void arrival_sorter::watch_from(std::int64_t time_ns) {
  watched_from_ns_ = time_ns;
  first_watched_ns_ = 0;
}

std::string arrival_sorter::complaint() const {
  return strangers_ == 0 ? "" : std::to_string(strangers_) + " request(s) had an id that nobody sent";
}

void add_sentences(std::vector<std::string>& sentences, const std::string& name,
                   const std::vector<std::string>& more) {
  for (const auto& one : more)
    sentences.push_back(name + ": " + one);
}

} // namespace vicket::bench
