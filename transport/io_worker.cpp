#include "transport/io_worker.hpp"

#include <boost/asio/post.hpp>

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace vicket {

namespace asio = boost::asio;
using steady = asio::steady_timer::clock_type;

namespace {

/// What one read may bring: a whole TLS record is 16 KiB.
constexpr std::size_t read_buffer_bytes = 32 * 1024;

/// Endpoints of which an I/O thread remembers a TLS session, about 5 KB each.
constexpr std::size_t max_sessions = 1'024;
constexpr std::chrono::minutes max_session_age{60};

/// How soon an idle connection is noticed that is too old.
constexpr std::chrono::milliseconds max_sweep_interval{1'000};
constexpr std::chrono::milliseconds min_sweep_interval{10};

/// Requests that are started before answers are looked at again. Answers come first: the connection of one that is
/// complete carries the next request, so a thread that has more to do than it can uses few connections, which stay in
/// the caches, instead of as many as there are requests (docs/decisions/0004-speed.md).
constexpr std::size_t starts_per_turn = 16;

/// For how many looks at the sockets results are gathered before their owner is told. On a busy machine each telling is
/// a thread that is woken.
constexpr unsigned max_turns_deferred = 8;

/// Idle connections that are closed when another thread is short of descriptors.
constexpr std::size_t given_up_for_others = 64;

pool_limits limits_of(const transport_options& options) {
  const auto threads = std::max<std::size_t>(options.io_threads, 1);
  return {(options.max_idle_connections + threads - 1) / threads,
          options.max_idle_per_endpoint,
          std::chrono::milliseconds{options.idle_timeout_ms},
          std::chrono::milliseconds{options.max_connection_age_ms},
          max_sessions,
          max_session_age};
}

} // namespace

io_worker::io_worker(const transport_options& options, ssl_context_ptr trust,
                     std::function<void()> ask_others_for_room)
    : options_{options},
      context_{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO}, // only `post` comes from other threads
      busy_{context_.get_executor()}, tick_timer_{context_}, sweep_timer_{context_}, line_timer_{context_},
      tls_{std::move(trust)}, deadlines_{steady::now()}, names_{context_,
                                                                deadlines_,
                                                                {options.dns_servers, options.resolv_conf},
                                                                [this] { return pool_.give_up(1); }},
      watch_{context_}, dials_{{[this] { take_turn_of_dials(); }, [this] { hand_on_connections(); },
                                [this](steady::time_point at) { look_at_lines(at); }}},
      pool_{limits_of(options)},
      in_(read_buffer_bytes), services_{watch_, options_,   tls_,   pool_,    names_,
                                        known_, deadlines_, dials_, denials_, std::move(ask_others_for_room),
                                        out_,   in_},
      thread_{[this] { run(); }} {}

void io_worker::end() {
  {
    const std::lock_guard guard{inbox_mutex_};
    if (std::exchange(stopping_, true))
      return;
  }
  asio::post(context_, [this] { stop(); });
  thread_.join();
}

void io_worker::post(posted_request request) {
  std::unique_lock guard{inbox_mutex_};
  if (stopping_) {
    guard.unlock();
    request.done(exchange::stopped_result());
    return;
  }
  inbox_.push_back(std::move(request));
  const bool first = needs_turn();
  guard.unlock();
  if (first)
    asio::post(context_, [this] { start_some(); });
}

void io_worker::post_all(std::vector<posted_request> requests) {
  std::unique_lock guard{inbox_mutex_};
  if (stopping_) {
    guard.unlock();
    for (auto& one : requests)
      one.done(exchange::stopped_result());
    return;
  }
  std::move(requests.begin(), requests.end(), std::back_inserter(inbox_));
  const bool first = needs_turn();
  guard.unlock();
  if (first)
    asio::post(context_, [this] { start_some(); });
}

void io_worker::reload() {
  const std::lock_guard guard{inbox_mutex_};
  if (stopping_)
    return;
  asio::post(context_, [this] { names_.reload(); });
}

void io_worker::take_trust(ssl_context_ptr fresh) {
  const std::lock_guard guard{inbox_mutex_};
  if (stopping_)
    return;
  asio::post(context_, [this, fresh = std::move(fresh)]() mutable {
    tls_.take(std::move(fresh));
    pool_.forget_sessions(); // one would be resumed without another look at the certificate
  });
}

void io_worker::make_room() {
  const std::lock_guard guard{inbox_mutex_};
  if (!stopping_)
    asio::post(context_, [this] { pool_.give_up(given_up_for_others); });
}

void io_worker::defer(std::function<void()> later) {
  deferred_.push_back(std::move(later));
  if (deferred_.size() == 1)
    asio::post(context_, [this] { run_deferred(); });
}

void io_worker::run_deferred() {
  if (watch_.poll() && ++turns_deferred_ < max_turns_deferred) {
    asio::post(context_, [this] { run_deferred(); });
    return;
  }
  turns_deferred_ = 0;
  for (const auto& each : std::exchange(deferred_, {}))
    each();
}

namespace {

thread_local io_worker* current_worker = nullptr;

} // namespace

io_worker* io_worker::current() {
  return current_worker;
}

void io_worker::run() {
  // Signals are the program's, not this thread's; and OpenSSL writes to sockets that may be closed (SIGPIPE).
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  pthread_setname_np(pthread_self(), "vicket-io");
  current_worker = this;
  context_.run();
}

void io_worker::start_some() {
  watch_.poll(); // so that an idle connection with something to say is closed before a request takes it
  if (next_unstarted_ == unstarted_.size()) {
    unstarted_.clear();
    next_unstarted_ = 0;
    const std::lock_guard guard{inbox_mutex_};
    unstarted_.swap(inbox_);
  }
  const auto end = std::min(next_unstarted_ + starts_per_turn, unstarted_.size());
  while (next_unstarted_ < end)
    exchange::start(services_, live_, std::move(unstarted_[next_unstarted_++]));
  tick_while_needed();
  sweep_while_needed();
  if (next_unstarted_ == unstarted_.size()) {
    const std::lock_guard guard{inbox_mutex_};
    turn_posted_ = !inbox_.empty();
    if (!turn_posted_)
      return;
  }
  asio::post(context_, [this] { start_some(); }); // behind the answers that are here
}

/// Behind all that is ready.
void io_worker::take_turn_of_dials() {
  asio::post(context_, [this] {
    watch_.poll();
    dials_.take_turn(steady::now());
  });
}

void io_worker::hand_on_connections() {
  asio::post(context_, [this] {
    watch_.poll();
    dials_.hand_on(steady::now());
  });
}

void io_worker::look_at_lines(steady::time_point at) {
  line_timer_.expires_at(at);
  line_timer_.async_wait([this](const boost::system::error_code& ec) {
    if (!ec)
      dials_.look_at_lines(steady::now());
  });
}

void io_worker::tick_while_needed() {
  if (ticks_ || deadlines_.empty())
    return;
  ticks_ = true;
  tick_timer_.expires_after(deadline_wheel::tick);
  tick_timer_.async_wait([this](const boost::system::error_code& ec) {
    if (ec)
      return;
    ticks_ = false;
    deadlines_.advance(steady::now());
    tick_while_needed();
    sweep_while_needed();
  });
}

void io_worker::sweep_while_needed() {
  if (sweeps_ || pool_.empty())
    return;
  sweeps_ = true;
  sweep_timer_.expires_after(std::clamp(std::chrono::milliseconds{options_.idle_timeout_ms / 4},
                                        min_sweep_interval, max_sweep_interval));
  sweep_timer_.async_wait([this](const boost::system::error_code& ec) {
    if (ec)
      return;
    sweeps_ = false;
    pool_.sweep(steady::now());
    sweep_while_needed();
  });
}

void io_worker::stop() {
  {
    const std::lock_guard guard{inbox_mutex_};
    std::move(inbox_.begin(), inbox_.end(), std::back_inserter(unstarted_));
    inbox_.clear();
  }
  while (next_unstarted_ < unstarted_.size())
    unstarted_[next_unstarted_++].done(exchange::stopped_result());
  while (!live_.empty())
    live_.front().stop();
  dials_.clear();
  pool_.clear();
  names_.close();
  watch_.stop();
  tick_timer_.cancel();
  sweep_timer_.cancel();
  line_timer_.cancel();
  busy_.reset(); // what Asio still owes is handled, then `run` returns
}

} // namespace vicket
