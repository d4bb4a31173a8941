#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <thread>

namespace vicket::internal {

/// Reads files again when it is asked to, and now and then by itself, on a thread of its own: they may be on a mount that
/// hangs, and whoever asks has something else to do. One reading at a time, and once more where it was asked for meanwhile.
/// Its end waits `patience` for a reading; what still hangs then is left behind, and told to nobody.
class file_reading {
public:
  /// Tells what has come of a reading. Empty: there is nothing to tell.
  using news = std::function<void()>;

  static constexpr std::chrono::seconds patience{1};

  /// `read` keeps what it uses, since it may outlive this. What it answers is called from the same thread, never after the
  /// end of this; it must not block. `every`: how often it is called without being asked; absent: not at all.
  explicit file_reading(std::function<news(bool asked)> read,
                        std::optional<std::chrono::milliseconds> every = std::nullopt);
  file_reading(const file_reading&) = delete;
  file_reading& operator=(const file_reading&) = delete;
  ~file_reading();

  /// From any thread. False: it is still at it, and begins once more when it is done.
  [[nodiscard]] bool begin();

private:
  struct state;
  static void run(const std::shared_ptr<state>& shared);

  std::shared_ptr<state> state_;
  std::thread thread_;
};

} // namespace vicket::internal
