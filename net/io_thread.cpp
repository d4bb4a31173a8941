#include "net/io_thread.hpp"

#include "net/io_core.hpp"

#include <boost/asio/post.hpp>

#include <pthread.h>

#include <csignal>
#include <exception>
#include <future>

namespace vicket::internal {

namespace {

void serve(io_core& core) {
  // Signals are the program's, not this thread's; and OpenSSL writes to sockets that may be closed (SIGPIPE).
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  pthread_setname_np(pthread_self(), "vicket-link");
  while (!core.context.stopped()) {
    try {
      core.context.run();
    } catch (const std::exception& problem) {
      if (core.log_warning)
        core.log_warning(std::string{"a connection failed inside: "} + problem.what());
    } catch (...) {
      if (core.log_warning)
        core.log_warning("a connection failed inside");
    }
  }
}

} // namespace

io_thread::io_thread(std::function<void(const std::string&)> log_warning)
    : core_{std::make_shared<io_core>(std::move(log_warning))} {
  core_->thread = std::thread{[core = core_] { serve(*core); }};
}

io_thread::~io_thread() {
  core_->context.stop();
  if (core_->thread.get_id() == std::this_thread::get_id())
    core_->thread.detach();
  else
    core_->thread.join();
}

boost::asio::io_context& io_thread::context() const {
  return core_->context;
}

void io_thread::run(const std::function<void()>& work) const {
  if (core_->thread.get_id() == std::this_thread::get_id()) {
    work();
    return;
  }
  std::promise<void> done;
  boost::asio::post(core_->context, [&] {
    try {
      work();
      done.set_value();
    } catch (...) {
      done.set_exception(std::current_exception());
    }
  });
  done.get_future().get();
}

} // namespace vicket::internal
