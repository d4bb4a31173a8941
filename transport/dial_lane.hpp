#pragma once

#include "transport/connection_line.hpp"
#include "transport/fair_queue.hpp"
#include "transport/http_transport.hpp"

#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace vicket {

struct destination;
class dial_lane;
class exchange;

/// The line of a destination, which lives as long as that.
struct destination_line {
  using time_point = std::chrono::steady_clock::time_point;

  explicit destination_line(dial_lane& owner);
  destination_line(const destination_line&) = delete;
  destination_line& operator=(const destination_line&) = delete;
  ~destination_line();

  dial_lane& lane;
  connection_line<const http_endpoint*, boost::intrusive_ptr<exchange>> waiting;
  bool dial_queued = false;                ///< its next dial has a place in the lane
  bool connections_came_back = false;      ///< to be handed on
  std::optional<time_point> patient_until; ///< when the first one should dial; the lane looks then
};

/// Where exchanges get connections, and take the steps of dials: connecting, and a TLS handshake. Such a step takes
/// hundreds of microseconds, so that thousands of dials at once, as when an endpoint that hung has timed out, would
/// hold up the answers of everybody else: the I/O thread looks at its sockets and starts other requests between any two
/// of them, and destinations have their turns in a round, however many dials each has (docs/decisions/0004-speed.md). A
/// destination's next dial stands behind the steps of those before it, so that a crowd does not dial all at once.
///
/// Belongs to one I/O thread.
class dial_lane {
public:
  using time_point = destination_line::time_point;

  /// What the lane asks of its I/O thread. Each asks once, until it has been done.
  struct wishes {
    std::function<void()> take_turn; ///< call `take_turn` soon, after a look at the sockets
    std::function<void()> hand_on;   ///< the same of `hand_on`
    std::function<void(time_point)>
        look_at_lines; ///< call `look_at_lines` then; an earlier time replaces a later one
  };
  explicit dial_lane(wishes of_lane);
  dial_lane(const dial_lane&) = delete;
  dial_lane& operator=(const dial_lane&) = delete;
  ~dial_lane();

  /// `next` needs a connection: it is given one that comes back, or dials when its turn comes.
  void join(destination& to, boost::intrusive_ptr<exchange> next, time_point now);
  /// Whether somebody waits for the next connection that is idle.
  [[nodiscard]] static bool has_line(const destination& to);
  /// An idle connection was put into the pool.
  void connection_came_back(const std::shared_ptr<destination_line>& line, time_point now);
  /// A dial made a connection, after so long.
  void dial_took(destination& to, std::chrono::steady_clock::duration span);
  /// `next` is to take the next step of its dial.
  void add_step(destination& to, boost::intrusive_ptr<exchange> next);

  /// One dial or one step.
  void take_turn(time_point now);
  /// Gives connections that came back to those that wait. After a look at the sockets, so that the pool has closed those
  /// that have something to say.
  void hand_on(time_point now);
  void look_at_lines(time_point now);
  void clear();

private:
  friend struct destination_line;

  /// A step of an exchange, or, without one, a dial of whoever is first in the line by then.
  struct turn {
    boost::intrusive_ptr<exchange> whose;
    std::shared_ptr<destination_line> line;
  };

  [[nodiscard]] destination_line& line_of(destination& to);
  void queue(const destination_line* of, turn next);
  void consider(destination_line& line, time_point now);
  void be_patient(destination_line& line, std::optional<time_point> until);

  wishes ask_;
  bool turn_asked_ = false;
  std::set<std::pair<time_point, destination_line*>>
      patient_; ///< by their `patient_until`; outlives lines in the next two
  fair_queue<const destination_line*, turn> turns_;
  std::vector<std::shared_ptr<destination_line>> came_back_;
};

} // namespace vicket
