#pragma once

#include "net/web_socket.hpp"

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace vicket::internal {

/// What the I/O thread tells the actor at the near end of a link, in order. Its size is bounded by the connection: by the
/// messages that may be without credit.
class link_inbox {
public:
  using time_point = std::chrono::steady_clock::time_point;

  struct opened {
    std::shared_ptr<web_socket> socket;
    std::string node;
    unsigned roles = 0; ///< that the node has given
  };
  /// A connection ended, or (only where it is dialled) did not come about.
  struct ended {
    std::string node;
    std::string why;
  };
  struct tick {
    time_point now;
  };
  using item = std::variant<owned_bytes, opened, ended, tick>;

  /// True: the actor has to be told that there is something.
  [[nodiscard]] bool put(item one) {
    const std::lock_guard guard{mutex_};
    items_.push_back(std::move(one));
    return !std::exchange(told_, true);
  }

  /// All that is there; the next one is told again.
  [[nodiscard]] std::vector<item> take() {
    const std::lock_guard guard{mutex_};
    told_ = false;
    return std::exchange(items_, {});
  }

private:
  std::mutex mutex_;
  std::vector<item> items_; ///< guarded by mutex_
  bool told_ = false;       ///< guarded by mutex_
};

} // namespace vicket::internal
