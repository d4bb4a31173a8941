#include "net/pause.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <utility>

namespace vicket::internal {

struct pause::rep {
  boost::asio::steady_timer timer;
};

pause::pause(const io_thread& io) : rep_{new rep{boost::asio::steady_timer{io.context()}}} {}

pause::~pause() = default;

void pause::start(std::chrono::milliseconds length, std::function<void()> then) {
  rep_->timer.expires_after(length);
  rep_->timer.async_wait([then = std::move(then)](boost::system::error_code problem) {
    if (!problem)
      then();
  });
}

void pause::cancel() {
  rep_->timer.cancel();
}

} // namespace vicket::internal
