#pragma once

#include "policy/denial_notice.hpp"
#include "transport/asio_transport.hpp"
#include "transport/connection_pool.hpp"
#include "transport/deadline_wheel.hpp"
#include "transport/dial_lane.hpp"
#include "transport/exchange.hpp"
#include "transport/known_addresses.hpp"
#include "transport/name_resolver.hpp"
#include "transport/socket_watch.hpp"
#include "transport/tls_context.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace vicket {

/// One I/O thread with everything its requests need: nothing in it is shared with another thread but the
/// inbox.
class io_worker {
public:
  /// `trust`: see `tls_context`. `ask_others_for_room` is called on this thread when it is short of something.
  io_worker(const transport_options& options, ssl_context_ptr trust,
            std::function<void()> ask_others_for_room);
  io_worker(const io_worker&) = delete;
  io_worker& operator=(const io_worker&) = delete;

  ~io_worker() { end(); }

  /// Ends every request that is left with "the node is stopping", and the thread. `post` may still be called.
  void end();

  /// From any thread. Unbounded here: callers cap what they have in flight (`--max-in-flight`).
  void post(posted_request request);
  void post_all(std::vector<posted_request> requests);

  /// From any thread: the name servers are read again.
  void reload();
  /// From any thread: others are trusted from now on.
  void take_trust(ssl_context_ptr fresh);

  /// From any thread: another one is short of something, idle connections are given up.
  void make_room();

  /// On this thread only: runs it once nothing more is ready, or enough has been.
  void defer(std::function<void()> later);
  /// Whose thread this is; null: nobody's.
  [[nodiscard]] static io_worker* current();

private:
  void run();
  void start_some();
  void run_deferred();
  void take_turn_of_dials();
  void hand_on_connections();
  void look_at_lines(std::chrono::steady_clock::time_point at);
  /// Whether a turn has to be posted for what was put into the inbox. With `inbox_mutex_` held.
  [[nodiscard]] bool needs_turn() { return !std::exchange(turn_posted_, true); }
  void tick_while_needed();
  void sweep_while_needed();
  void stop();

  const transport_options& options_;
  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> busy_;
  boost::asio::steady_timer tick_timer_;
  boost::asio::steady_timer sweep_timer_;
  boost::asio::steady_timer line_timer_;
  bool ticks_ = false;
  bool sweeps_ = false;
  tls_context tls_;
  deadline_wheel deadlines_;
  name_resolver names_;
  known_addresses known_;
  denial_notice denials_;
  socket_watch watch_;
  dial_lane dials_; ///< outlives the pool, whose destinations have their lines in it
  connection_pool pool_;
  std::string out_;
  std::vector<char> in_;
  exchange_services services_;
  exchange::live_list live_;
  std::vector<std::function<void()>> deferred_; ///< not empty: `run_deferred` is on its way
  unsigned turns_deferred_ = 0;

  std::mutex inbox_mutex_;
  std::vector<posted_request> inbox_;     ///< guarded by `inbox_mutex_`
  bool turn_posted_ = false;              ///< guarded by `inbox_mutex_`: `start_some` is on its way or runs
  bool stopping_ = false;                 ///< guarded by `inbox_mutex_`
  std::vector<posted_request> unstarted_; ///< taken from the inbox
  std::size_t next_unstarted_ = 0;

  std::thread thread_; ///< last: it uses all of the above
};

} // namespace vicket
