#include "actors/order_inbox.hpp"

#include "actors/scratch.hpp"

#include <caf/send.hpp>

namespace vicket {

void order_inbox::push(supervisor_actor whose, deliver what) {
  {
    std::lock_guard guard{mutex_};
    orders_.push_back({std::move(whose), std::move(what)});
    if (orders_.size() > 1)
      return;
  }
  caf::anon_send(
      owner_,
      orders_wait{shared_from_this()}); // without the lock, which is the first thing that it will want
}

void order_inbox::take(std::vector<order>& into) {
  empty_for_reuse(into, 1'024);
  std::lock_guard guard{mutex_};
  into.swap(orders_);
}

} // namespace vicket
