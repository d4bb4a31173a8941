#pragma once

#include <cstddef>
#include <deque>
#include <functional>

namespace vicket {

/// Bounds how many reads are under way at the same time, and with that what they hold in memory. The others wait, first
/// come first served, up to a bound of their own. For one actor.
class reading_places {
public:
  reading_places(std::size_t places, std::size_t max_waiting);

  /// `read` begins now, or once as many others as it takes have ended; and has to say `end` when it is over. False: too
  /// many wait already, and it never begins.
  [[nodiscard]] bool begin(std::function<void()> read);
  /// One of those under way is over.
  void end();

  [[nodiscard]] std::size_t under_way() const noexcept { return under_way_; }
  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.size(); }

private:
  // Invariants: under_way_ is at most places_; nobody waits while a place is free.
  std::size_t places_;
  std::size_t max_waiting_;
  std::size_t under_way_ = 0;
  std::deque<std::function<void()>> waiting_;
};

} // namespace vicket
