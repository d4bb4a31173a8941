#pragma once

#include "bench/attacker/attack.hpp"
#include "bench/sink/byte_stream.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace vicket::bench {

/// One connection that plays a script. Never waits: `go_on` whenever its socket, its turn or the time may let it.
class attack_connection {
public:
  static constexpr std::int64_t drip_ns = 50'000'000;
  /// After this it hangs up, so that another can come: from where it has come as far as it was to, and in all.
  static constexpr std::int64_t stay_ns = 1'000'000'000;
  static constexpr std::int64_t longest_ns = 6'000'000'000;

  attack_connection(attack_script script, descriptor socket, tls_session tls, std::int64_t now_ns);

  /// As far as it goes without waiting.
  void go_on(std::int64_t now_ns);
  /// It may send the messages that it waits with.
  void take_turn(std::int64_t now_ns);

  /// How many messages it waits to send; 0: it waits for something else.
  [[nodiscard]] std::uint32_t wants_turn() const { return over_ ? 0 : wanted_; }
  [[nodiscard]] bool reached_goal() const { return reached_ns_ != 0; }
  [[nodiscard]] std::uint64_t messages_sent() const { return messages_; }
  /// The node has ended it, or it has had its time.
  [[nodiscard]] bool over() const { return over_; }

private:
  void read_all();
  void act(std::int64_t now_ns);
  [[nodiscard]] bool take_step(std::int64_t now_ns);
  [[nodiscard]] bool say_rest(std::size_t at_most);
  void next_step();

  attack_script script_;
  byte_stream stream_;
  std::int64_t since_ns_;
  std::int64_t reached_ns_ = 0;
  std::int64_t dripped_ns_ = 0;
  std::size_t at_ = 0;   ///< the step
  std::size_t said_ = 0; ///< of its bytes
  std::string answer_;   ///< what has come of an upgrade's answer
  std::uint32_t wanted_ = 0;
  std::uint64_t messages_ = 0;
  bool has_turn_ = false;
  bool over_ = false;
};

} // namespace vicket::bench
