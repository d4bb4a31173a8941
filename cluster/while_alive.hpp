#pragma once

#include "net/io_thread.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <memory>
#include <utility>

namespace vicket::internal {

/// What an answer brings about, unless nobody waits for it any more: `then(*whose, answer…)`.
template <class Whose, class Then>
auto while_alive(std::weak_ptr<Whose> whose, Then then) {
  return [whose = std::move(whose), then = std::move(then)](auto&&... answer) {
    if (const auto self = whose.lock())
      then(*self, std::forward<decltype(answer)>(answer)...);
  };
}

/// The same on the I/O thread, later.
template <class Whose, class Work>
void post_while_alive(const io_thread& io, const std::shared_ptr<Whose>& whose, Work work) {
  boost::asio::post(io.context(), while_alive(std::weak_ptr{whose}, std::move(work)));
}

} // namespace vicket::internal
