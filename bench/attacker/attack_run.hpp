#pragma once

#include "bench/attacker/attack.hpp"
#include "bench/attacker/attack_connection.hpp"
#include "bench/attacker/attack_count.hpp"
#include "bench/sink/descriptor.hpp"
#include "bench/sink/server_tls.hpp"
#include "bench/sink/termination_watch.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace vicket::bench {

/// Something that may happen so often in a second. What was not done in time is not made up for, but for a moment's. Pure.
class pace {
public:
  static constexpr std::int64_t moment_ns = 50'000'000;

  /// 0: as often as it can be.
  pace(double per_s, std::int64_t now_ns) : per_s_{per_s}, at_ns_{now_ns} {}

  /// Whether it is time for one more; then `count` at once may be taken, and the next has to wait the longer.
  [[nodiscard]] bool due(std::int64_t now_ns);
  void take(std::uint32_t count);

private:
  double per_s_;
  double left_ = 0;
  std::int64_t at_ns_;
};

/// All attacks at once on one actor port, until it is told to end. One thread. Connections come from addresses of their
/// own within 127.0.0.0/8, since a port counts by them; those that stay for good come from one.
class attack_run {
public:
  struct settings {
    std::uint16_t port = 0; ///< of 127.0.0.1
    std::vector<attack> attacks;
    double connections_per_s = 0; ///< new ones; 0: as fast as it goes
    double messages_per_s = 0;    ///< the same
    std::size_t most_open = 1'500;
    std::size_t crowd = 0;          ///< so many stay upgraded for good, from the start
    std::size_t burst = 0;          ///< so many more are tried at once, when it has begun
    std::array<tls_context, 3> tls; ///< by `entrance` - 1
    attack_material material;
    std::uint32_t seed = 1;
  };

  attack_run(settings with, const termination_watch& end);

  /// `ready` is called when the crowd is there, or has had five seconds; what is counted is from then on.
  void run(const std::function<void()>& ready);

  [[nodiscard]] const std::map<std::string, attack_count>& counts() const { return counts_; }
  [[nodiscard]] std::size_t crowd_held() const;
  [[nodiscard]] double seconds() const; ///< of what is counted
  [[nodiscard]] std::uint64_t bursts_opened() const { return burst_opened_; }

private:
  struct place {
    std::unique_ptr<attack_connection> connection;
    attack_count* count = nullptr; ///< null: it is not counted
    bool crowds = false;
    bool seen_at_goal = false;
    bool in_line = false;
  };

  bool wait_and_serve();
  void open_due();
  void open_burst();
  bool open(const attack& what, bool crowds, attack_count* count);
  [[nodiscard]] descriptor dial(bool crowds);
  void look(int number);
  void look_at_all();
  void serve_line();
  void watch(int number, std::uint32_t events);
  [[nodiscard]] const attack& next_attack();

  settings with_;
  const termination_watch& end_;
  descriptor epoll_;
  attack_chance chance_;
  std::vector<place> places_; ///< by descriptor
  std::deque<int> in_line_;   ///< wait to send messages
  std::map<std::string, attack_count> counts_;
  pace connections_;
  pace messages_;
  std::size_t open_ = 0;
  std::size_t crowd_open_ = 0;
  std::size_t next_ = 0;
  std::uint32_t next_address_ = 0;
  std::uint64_t burst_opened_ = 0;
  std::int64_t looked_ns_ = 0;
  std::int64_t counted_from_ns_ = 0;
  std::int64_t counted_until_ns_ = 0;
};

} // namespace vicket::bench
