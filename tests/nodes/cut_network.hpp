#pragma once

#include "tests/support/process.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vicket::testing {

/// Hosts that are network namespaces of their own, joined by a bridge in a namespace of this process: nothing of the machine's
/// network is touched, and all of it goes with this process. Between any two what one sends to the other can be lost without
/// a word, in one direction or both: connections that are there stay half open.
class cut_network {
public:
  static constexpr std::size_t hosts = 3;
  /// In place of a host: this process, with whatever it starts itself.
  static constexpr std::size_t hub = hosts;

  /// Takes the calling thread, and what it starts from then on, into a namespace of its own. Call it in `main`, while there is no
  /// other thread. Why it can't: one sentence.
  [[nodiscard]] static std::optional<std::string> enter();

  /// After `enter`. Throws std::runtime_error.
  cut_network();
  ~cut_network();
  cut_network(const cut_network&) = delete;
  cut_network& operator=(const cut_network&) = delete;

  [[nodiscard]] static std::string address_of(std::size_t who);
  /// A command that runs there.
  [[nodiscard]] std::vector<std::string> on(std::size_t host, std::vector<std::string> command) const;

  /// What `from` sends to `to` does not arrive from now on.
  void cut(std::size_t from, std::size_t to) const;
  void heal(std::size_t from, std::size_t to) const;

private:
  void run_on(std::size_t who, std::vector<std::string> command) const;

  std::vector<std::unique_ptr<process>> holders_; ///< each keeps a namespace
};

} // namespace vicket::testing
