#pragma once

#include "messages/history.hpp"
#include "tests/crash/plan.hpp"

#include <caf/actor_system.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace vicket::crash {

class node_client;

/// Reads the feed all along, across kills, with pages of the plan's sizes; now and then it goes on from an
/// entry in the middle of a page, as a reader does who was stopped before it had worked off the page.
class outcome_follower {
public:
  outcome_follower(caf::actor_system& system, const plan& promises, std::function<std::uint16_t()> port);
  ~outcome_follower();

  /// Reads on until there is nothing new, then ends. What was read, in order; absent: the node stopped
  /// answering. Call once, when the node stays and all is quiet.
  [[nodiscard]] std::optional<std::vector<outcome_entry>> finish();

private:
  void run();
  /// One page; false: no answer. `empty`: there was nothing new.
  bool read_page(node_client& client, bool& empty);

  caf::actor_system& system_;
  const plan& promises_;
  std::function<std::uint16_t()> port_;
  std::atomic<bool> finishing_{false};
  std::atomic<bool> abandoned_{false};
  bool complete_ = false; ///< the thread's until it is joined, as are the next three
  std::string cursor_;
  std::uint64_t page_ = 0;
  std::vector<outcome_entry> entries_;
  std::thread thread_; ///< the last member: it uses the others
};

/// The whole feed from the oldest entry on, as it is now; absent: the node did not answer, or its pages never end.
[[nodiscard]] std::optional<std::vector<outcome_entry>> read_whole_feed(node_client& client);

} // namespace vicket::crash
