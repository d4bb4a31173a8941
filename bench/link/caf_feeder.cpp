#include "bench/link/feeders.hpp"
#include "link/connect.hpp"
#include "messages/actors.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>

#include <deque>
#include <stdexcept>
#include <utility>

namespace vicket::bench {

namespace {

send_batch batch_of(std::size_t events, std::uint64_t& number) {
  send_batch batch;
  batch.items.resize(events);
  for (auto& event : batch.items) {
    event.connector = {"crm-prod"};
    event.event = "ticket.status_changed";
    event.occurred_at = {1'779'546'071'412};
    event.data_json = link_event_data;
    event.workflow = "wf-7";
    event.run = "run-42";
    event_id id;
    for (std::size_t i = 0; i < 8; ++i)
      id.bytes[15 - i] = static_cast<std::uint8_t>(number >> (8 * i));
    ++number;
    event.id = id;
  }
  return batch;
}

} // namespace

std::uint64_t feed_in_caf(const link_load& load) {
  caf::actor_system_config config;
  config.set("caf.scheduler.max-threads", 1); // the client is one actor
  config.set("caf.work-stealing.aggressive-poll-attempts", 0);
  config.set("caf.work-stealing.moderate-poll-attempts", 0);
  caf::actor_system system{config};
  link_options options;
  options.nodes = {"127.0.0.1:" + std::to_string(load.port)};
  options.tls = load.tls;
  const auto gateway = connect(system, options);
  caf::scoped_actor self{system};
  constexpr std::chrono::seconds patience{30};
  std::uint64_t number = 0;
  std::uint64_t good = 0;
  const auto ask = [&] { return self->request(gateway, patience, batch_of(load.batch_events, number)); };
  std::deque<decltype(ask())> asked;
  const auto until = std::chrono::steady_clock::now() + load.duration;
  while (std::chrono::steady_clock::now() < until || !asked.empty()) {
    while (asked.size() < load.under_way && std::chrono::steady_clock::now() < until)
      asked.push_back(ask());
    if (asked.empty())
      break;
    asked.front().receive(
        [&](const batch_result& result) {
          for (const auto& one : result.results)
            good += std::holds_alternative<accepted>(one) ? 1 : 0;
        },
        [](const caf::error& why) { throw std::runtime_error{refusal_of(why).detail}; });
    asked.pop_front();
  }
  if (good != number)
    throw std::runtime_error{std::to_string(good) + " of " + std::to_string(number) +
                             " events were accepted"};
  return good;
}

} // namespace vicket::bench
