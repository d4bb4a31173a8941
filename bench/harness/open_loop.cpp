#include "bench/harness/open_loop.hpp"

#include "bench/harness/real_time.hpp"

#include <algorithm>
#include <stdexcept>

namespace vicket::bench {

turns::turns(const std::vector<double>& per_s) {
  for (const auto one : per_s) {
    if (!(one > 0))
      throw std::logic_error("a rate of events is above 0");
    rates_.push_back({one, 0});
  }
  if (rates_.empty())
    throw std::logic_error("turns need somebody whose they are");
}

turns::turn turns::next() {
  // From the number taken, not from the last turn: nothing that is rounded adds up.
  const auto due_ns = [](const rate& one) { return static_cast<double>(one.taken) * 1e9 / one.per_s; };
  const auto first = std::min_element(rates_.begin(), rates_.end(),
                                      [&](const rate& a, const rate& b) { return due_ns(a) < due_ns(b); });
  const turn result{static_cast<std::size_t>(first - rates_.begin()),
                    static_cast<std::int64_t>(due_ns(*first))};
  ++first->taken;
  return result;
}

void offer_together(const std::vector<offered_load>& loads, std::int64_t duration_ms,
                    const std::stop_token& stop) {
  std::vector<double> per_s;
  for (const auto& one : loads)
    per_s.push_back(one.events_per_s);
  turns order{per_s};
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
