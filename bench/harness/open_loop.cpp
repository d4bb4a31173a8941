#include "bench/harness/open_loop.hpp"

#include "bench/harness/real_time.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace vicket::bench {

turns::turns(const std::vector<event_rate>& rates) {
  for (const auto& one : rates) {
    if (!(one.per_s > 0))
      throw std::logic_error("a rate of events is above 0");
    streams_.push_back({1e9 / one.per_s, std::mt19937_64{one.seed}, 0});
    advance(streams_.back());
  }
  if (streams_.empty())
    throw std::logic_error("turns need somebody whose they are");
}

/// By an exponential time. Not by the library's distribution, which need not be the same everywhere.
void turns::advance(stream& of) {
  const auto uniform = static_cast<double>(of.chance() >> 11) * 0x1p-53; // from 0 to just below 1
  of.next_ns -= std::log1p(-uniform) * of.mean_ns;
}

turns::turn turns::next() {
  const auto first = std::min_element(streams_.begin(), streams_.end(),
                                      [](const stream& a, const stream& b) { return a.next_ns < b.next_ns; });
  const turn result{static_cast<std::size_t>(first - streams_.begin()),
                    static_cast<std::int64_t>(first->next_ns)};
  advance(*first);
  return result;
}

void offer_together(const std::vector<offered_load>& loads, std::int64_t duration_ms,
                    const std::stop_token& stop) {
  std::vector<event_rate> rates;
  for (const auto& one : loads)
    rates.push_back({one.events_per_s, one.seed});
  turns order{rates};
  const auto start_ns = now_ns();
  while (!stop.stop_requested()) {
    const auto next = order.next();
    if (next.after_ns >= duration_ms * 1'000'000)
      return;
    sleep_until_ns(start_ns + next.after_ns);
    loads[next.whose].sender->send_one(start_ns + next.after_ns);
  }
}

} // namespace vicket::bench
