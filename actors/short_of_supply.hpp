#pragma once

#include "actors/interfaces.hpp"
#include "actors/shortage_log.hpp"
#include "policy/shortage_pause.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace vicket {

/// What a delivery actor keeps of a shortage of the node's own: how many may start, and the supervisors that wait for
/// word, in the order in which they get it. Sends nothing itself.
class short_of_supply {
public:
  /// `log` may be null.
  short_of_supply(std::shared_ptr<shortage_log> log, std::uint32_t partition)
      : log_{std::move(log)}, partition_{partition} {}

  /// Whether one more may start beside those in flight.
  [[nodiscard]] bool allows(std::size_t in_flight) const noexcept { return pause_.allows(in_flight); }

  /// One could not be sent, the node is short of `what`; `in_flight` are, without it.
  void came_back(const std::string& what, std::size_t in_flight, timestamp_ms now);
  /// The same, of what only one endpoint takes; `waiting` were to go there.
  void came_back_from_destination(const std::string& what, std::size_t waiting, timestamp_ms now);

  /// `who` was told to wait for word, with so many deliveries. It keeps its place if it has one.
  void waits(const supervisor_actor& who, std::size_t deliveries);
  /// It has been heard of, after word was given.
  void answered() noexcept { given_ -= given_ > 0 ? 1U : 0U; }
  /// Those who get word now, so that at most `places` and what is allowed beside those in flight start.
  [[nodiscard]] std::vector<supervisor_actor> give_word(std::size_t in_flight, std::size_t places);

  /// Looks at the clock.
  void look(std::size_t in_flight, timestamp_ms now);
  /// When to do so next; absent: nothing is short, and the log knows that.
  [[nodiscard]] std::optional<timestamp_ms> looks_at() const;

private:
  void tell(timestamp_ms now);
  void tell_end(timestamp_ms now);

  // Invariants: `places_` names those in `line_`; with `told_what_` there is `told_at_`.
  const std::shared_ptr<shortage_log> log_;
  const std::uint32_t partition_;
  shortage_pause pause_;
  std::string what_; ///< is short, as the last one said
  std::deque<supervisor_actor> line_;
  std::unordered_map<caf::actor_id, std::size_t> places_; ///< how many deliveries wait
  std::size_t waiting_ = 0;                               ///< of `places_`, together
  std::size_t given_ = 0;               ///< have got word since the last look, and not answered
  std::optional<timestamp_ms> told_at_; ///< the log, last; absent: it knows that it is over
  std::string
      told_what_; ///< of what the log believes the node short; empty: of nothing, or of an endpoint's alone
};

} // namespace vicket
