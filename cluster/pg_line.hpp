#pragma once

#include "cluster/pg_session.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>

namespace vicket::internal {

/// A session to PostgreSQL that is made again when it is needed and has ended, not more often than every `again_ms`: what is
/// asked before is told that there is none. Of the I/O thread.
class pg_line {
public:
  static constexpr std::chrono::milliseconds again_ms{200};

  explicit pg_line(pg_session::setup with) : with_{std::move(with)} {}

  [[nodiscard]] pg_session& session() {
    if (!session_ || (session_->ended() && std::chrono::steady_clock::now() - made_at_ >= again_ms))
      renew();
    return *session_;
  }

  /// Another one, whatever the one that there is does: what is under way there has an unknown end.
  void renew() {
    made_at_ = std::chrono::steady_clock::now();
    ++made_;
    session_.reset(); // before the next one, so that there is one at a time
    session_ = std::make_unique<pg_session>(with_);
  }

  [[nodiscard]] bool is_open() const noexcept { return session_ && !session_->ended(); }
  /// How many there have been.
  [[nodiscard]] std::uint64_t made() const noexcept { return made_; }

private:
  pg_session::setup with_;
  std::unique_ptr<pg_session> session_;
  std::chrono::steady_clock::time_point made_at_{};
  std::uint64_t made_ = 0;
};

} // namespace vicket::internal
