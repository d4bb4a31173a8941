#pragma once

#include "net/io_thread.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace vicket::internal {

/// Addresses of the hosts that an operator names (other nodes, databases), as the system finds them: /etc/hosts, search
/// domains, whatever nsswitch.conf says. (Names in URLs of customers are `name_resolver`'s, which knows none of that.)
///
/// The system blocks whoever asks it, for many seconds where no name server answers: so each question has a thread of its own,
/// which nobody waits for, not at the end either. One question for each name at a time. Who has waited for `patience`
/// gets what the name had before, if anything. Of the I/O thread, but for its making and its end, after which nothing is called.
class host_lookup {
public:
  /// Numeric addresses, one at least; or why there are none: one clause.
  using found = std::variant<std::vector<std::string>, std::string>;

  /// getaddrinfo(3).
  [[nodiscard]] static found ask_system(const std::string& name);

  host_lookup(const io_thread& io, std::chrono::milliseconds patience,
              std::function<found(const std::string&)> ask = ask_system);
  ~host_lookup();
  host_lookup(const host_lookup&) = delete;
  host_lookup& operator=(const host_lookup&) = delete;

  /// `done` is called once; at once where `name` is an address.
  void find(const std::string& name, std::function<void(const found&)> done);

private:
  struct rep;
  std::shared_ptr<rep> rep_;
};

} // namespace vicket::internal
