#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

// What connections that mean harm do at an actor port. Pure: scripts, and who plays them is in attack_connection.hpp.

namespace vicket::bench {

/// As whom a connection comes.
enum class entrance : std::uint8_t {
  bare,                ///< without TLS
  no_certificate,      ///< TLS, but nothing to show
  foreign_certificate, ///< of an authority that the node does not know
  senders_certificate, ///< of one that may send events, and nothing else
};

struct attack_step {
  enum class kind : std::uint8_t {
    say,           ///< `bytes`, at once
    drip,          ///< `bytes`, one at a time
    await_upgrade, ///< until the answer 101; any other ends the script
    stay,          ///< says no more
  };
  kind what = kind::stay;
  std::string bytes = {};
  std::uint32_t messages = 0; ///< WebSocket messages in `bytes`; they wait for their turn (messages a second)
};

/// What one connection does, in order. Whatever comes is read and thrown away. At its end it stays.
struct attack_script {
  entrance by = entrance::bare;
  std::vector<attack_step> steps;
  std::size_t goal = 0; ///< where this step begins, the connection has come as far as it was to
  bool again = false;   ///< the last step again and again
  bool for_good =
      false; ///< it stays until the attack ends; else it hangs up after a while, and another comes
};

/// What scripts are made of.
struct attack_material {
  std::string client_hello; ///< the first bytes of a TLS handshake, as a client sends them
  std::vector<std::string>
      valid_messages; ///< of `vicket.caf.1`, one of each kind, in the order of their numbers
};

using attack_chance = std::mt19937;

struct attack {
  std::string name;
  std::function<attack_script(const attack_material&, attack_chance&)> script;
};

/// All that come in turn.
[[nodiscard]] const std::vector<attack>& all_attacks();

/// One that takes a place among the upgraded and keeps it.
[[nodiscard]] const attack& crowding();

} // namespace vicket::bench
