#pragma once

#include "actors/node.hpp"
#include "bench/cost/counting_transport.hpp"
#include "messages/actors.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/seeded_random.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/scoped_actor.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace vicket::bench {

/// A whole node on CAF's deterministic coordinator, as a client sees it. The store is the real one, in a
/// folder on disk; time stands still until it is moved, chance follows from a fixed seed, and nothing runs
/// but within `ask`. What fails throws std::runtime_error.
class load_node {
public:
  /// `deliveries`: how many requests are expected, of events with the numbers below it.
  load_node(const std::filesystem::path& folder, std::size_t deliveries);
  ~load_node();
  load_node(const load_node&) = delete;
  load_node& operator=(const load_node&) = delete;

  /// The answer to a request, once the node has nothing left to do.
  template <class Answer, class Request>
  Answer ask(Request request) {
    caf::scoped_actor client{system_};
    auto pending = client->request(node_->gateway(), caf::infinite, std::move(request));
    run();
    if (!client->has_next_message())
      throw std::runtime_error{"the node came to rest and owes an answer"};
    Answer result;
    pending.receive([&](Answer& answer) { result = std::move(answer); },
                    [](const caf::error& why) { throw std::runtime_error{refusal_of(why).detail}; });
    return result;
  }

  void advance_ms(std::int64_t duration_ms) { clock_.advance_ms(duration_ms); }
  [[nodiscard]] timestamp_ms now() const { return clock_.wall_now(); }
  [[nodiscard]] const counting_transport& transport() const { return *transport_; }

private:
  struct config : caf::actor_system_config {
    config();
  };

  void run();
  [[nodiscard]] caf::scheduler::test_coordinator& coordinator();

  testing::manual_clock clock_;
  seeded_random random_{20260523};
  std::shared_ptr<counting_transport> transport_;
  std::string problem_; ///< of the store; empty: none
  config config_;
  caf::actor_system system_;
  std::unique_ptr<node> node_;
};

} // namespace vicket::bench
