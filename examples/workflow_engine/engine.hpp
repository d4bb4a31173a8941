#pragma once

#include <messages/actors.hpp>

#include <caf/event_based_actor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

struct engine_options {
  std::string host;
  std::uint16_t port = 0;
  bool tls = false;
  std::string workflow; ///< whose outcomes are ours
  std::filesystem::path cursor_file;
};

/// The part of a workflow engine that talks to a node: workflows fire actions at it, it sends them in batches, and
/// follows what became of them. A node that restarts, is overloaded or has a full disk costs time, no event.
///
/// Spawn it detached, since connecting blocks. Ends normally when `close_atom` came and all that was fired is
/// delivered; with an error if something was refused or given up.
///
/// Invariants: an action is in `outbox_` or in `in_flight_`, never in both; its id is in `unsettled_` from the moment
/// it was fired until it is refused for good, delivered or given up.
class engine : public caf::event_based_actor {
public:
  static constexpr std::size_t batch_items = 100;
  /// Actions that wait for the node. At the bound a workflow is refused with `overloaded`, and has to wait itself.
  static constexpr std::size_t max_outbox = 10'000;
  static constexpr std::uint32_t feed_wait_ms = 5'000;
  static constexpr std::chrono::milliseconds rest{200}; ///< before sending or connecting again
  static constexpr std::chrono::milliseconds answer_timeout{15'000};

  engine(caf::actor_config& config, engine_options options);

  caf::behavior make_behavior() override;

private:
  void connect();
  void lose_node(const std::string& why);
  caf::result<void> fire(vicket::send_to_connector action);
  void send_waiting();
  void take_answers(const vicket::batch_result& answers);
  void send_later(const vicket::refusal& reason);
  void read_on();
  void take_outcomes(const vicket::outcome_page& page);
  void settle(const vicket::event_id& id, bool good);
  [[nodiscard]] bool finished() const;
  void end_when_settled();

  engine_options options_;
  vicket::gateway_actor node_; ///< null while there is no connection
  std::uint64_t connection_ = 0; ///< its number; answers of an earlier one are void
  std::deque<vicket::send_to_connector> outbox_;
  std::vector<vicket::send_to_connector> in_flight_; ///< the batch that waits for its answer
  bool resting_ = false;
  std::string cursor_;
  std::set<vicket::event_id> unsettled_;
  std::size_t not_delivered_ = 0;
  bool closing_ = false;
};
