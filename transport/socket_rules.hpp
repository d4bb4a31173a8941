#pragma once

#include <sys/socket.h>

#include <atomic>
#include <cstddef>
#include <memory>

namespace vicket {

/// How many sockets all connections together may have, idle ones included, so that the rest of the process's descriptors
/// is there for what can't wait, the store above all.
///
/// Thread safety: any thread.
class socket_budget {
public:
  explicit socket_budget(std::size_t most) : most_{most} {}

  /// One more; false: there are as many as there may be.
  [[nodiscard]] bool take() noexcept {
    if (in_use_.fetch_add(1, std::memory_order_relaxed) < most_)
      return true;
    give_back();
    return false;
  }
  void give_back() noexcept { in_use_.fetch_sub(1, std::memory_order_relaxed); }

private:
  const std::size_t most_;
  std::atomic<std::size_t> in_use_{0};
};

/// How connections get their sockets.
struct socket_rules {
  std::shared_ptr<socket_budget> budget; ///< null: as many as the system gives
  /// `connect(2)`, or what a test has in its place.
  int (*connect)(int socket, const sockaddr* to, socklen_t size) = ::connect;
};

} // namespace vicket
