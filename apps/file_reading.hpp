#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace vicket {

/// Reads files again when it is asked to, on a thread of its own: they may be on a mount that hangs, and who asks has a
/// SIGTERM to wait for. One at a time, and once more where it was asked for meanwhile. Its end waits for nobody: what still
/// hangs then is left behind, and told to nobody.
class file_reading {
public:
  using complaint = std::optional<std::string>;

  /// `read` keeps what it uses, since it may outlive this; it answers what is wrong. `tell` is called with that, from the
  /// thread that has read, never after the end of this.
  file_reading(std::function<complaint()> read, std::function<void(const complaint&)> tell);
  file_reading(const file_reading&) = delete;
  file_reading& operator=(const file_reading&) = delete;
  ~file_reading();

  /// False: it is still at it, and begins once more when it is done.
  [[nodiscard]] bool begin();

private:
  struct state;
  static void run(const std::shared_ptr<state>& shared);

  std::shared_ptr<state> state_;
};

} // namespace vicket
