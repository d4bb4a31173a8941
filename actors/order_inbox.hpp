#pragma once

#include "actors/interfaces.hpp"

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace vicket {

/// Where the supervisors of a partition leave their orders for its delivery actor. One message (`orders_wait`) wakes it for
/// all that has gathered: with many connectors each order is of one event, and a message for each was most of what it
/// cost.
///
/// Thread safety: any thread. Bounded by what supervisors hold.
class order_inbox : public std::enable_shared_from_this<order_inbox> {
public:
  struct order {
    supervisor_actor whose;
    deliver what;
  };

  explicit order_inbox(delivery_actor owner) : owner_{std::move(owner)} {}

  void push(supervisor_actor whose, deliver what);

  /// All that are there, in the order in which they came, in `into` alone, whose memory is used again.
  void take(std::vector<order>& into);

private:
  const delivery_actor owner_;
  std::mutex mutex_;
  std::vector<order> orders_; ///< guarded by mutex_; not empty: an `orders_wait` is under way
};

} // namespace vicket
