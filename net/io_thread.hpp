#pragma once

#include <functional>
#include <memory>
#include <string>

namespace boost::asio {
class io_context;
}

namespace vicket::internal {

/// An I/O context, as long as anybody needs it. What is posted to one whose thread has ended is never run.
struct io_core;

/// One thread that runs an I/O context. An exception that leaves a handler is logged, and the thread goes on: whose handler
/// it was is ended by its deadlines.
class io_thread {
public:
  explicit io_thread(std::function<void(const std::string&)> log_warning);
  /// Ends the thread and waits for it, unless it is the caller.
  ~io_thread();
  io_thread(const io_thread&) = delete;
  io_thread& operator=(const io_thread&) = delete;

  [[nodiscard]] boost::asio::io_context& context() const;
  [[nodiscard]] const std::shared_ptr<io_core>& core() const { return core_; }

  /// Runs it on the thread and waits until it has; at once where the thread is the caller.
  void run(const std::function<void()>& work) const;

private:
  std::shared_ptr<io_core> core_;
};

} // namespace vicket::internal
