#pragma once

#include "cluster/pg_session.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace vicket::internal {

/// A session to PostgreSQL that is made again when it is needed and has ended, not more often than every `again_ms`: what is
/// asked before is told that there is none. Of several servers the next one is tried where one could not be reached, or is
/// none that takes writes. Of the I/O thread.
class pg_line {
public:
  static constexpr std::chrono::milliseconds again_ms{200};
  /// For one of several servers.
  static constexpr std::int64_t connect_ms = 1'000;
  /// A statement of which nothing depends on others has been answered by then, or the server does not answer.
  static constexpr std::int64_t patience_ms = 5'000;

  explicit pg_line(pg_session::setup with) : with_{std::move(with)}, places_{pg_places(with_.conninfo)} {
    if (places_.size() > 1)
      with_.connect_ms = connect_ms;
  }

  [[nodiscard]] pg_session& session() {
    if (!session_ || (session_->ended() && std::chrono::steady_clock::now() - made_at_ >= again_ms))
      renew();
    return *session_;
  }

  /// Another one, whatever the one that there is does: what is under way there has an unknown end, and is told nothing.
  void renew() {
    made_at_ = std::chrono::steady_clock::now();
    ++made_;
    if (session_ && !session_->was_open())
      place_ = (place_ + 1) % places_.size();
    session_.reset(); // before the next one, so that there is one at a time
    with_.at = places_[place_];
    session_ = std::make_unique<pg_session>(with_);
  }

  /// Ends a session whose statement has been under way for too long, which is told that its end is not known. True: it did.
  [[nodiscard]] bool give_up_if_it_hangs() {
    if (!session_ || session_->ended() || session_->waiting_ms() < patience_ms)
      return false;
    leave();
    return true;
  }
  /// Likewise, since another session found that the server hangs: what is under way here would wait for it for ever, however short
  /// a time it has waited by now.
  void leave() {
    if (!session_ || session_->ended())
      return;
    session_->give_up("the server has not answered for " + std::to_string(patience_ms / 1'000) + " s");
    place_ = (place_ + 1) % places_.size();
  }

  [[nodiscard]] bool is_open() const noexcept { return session_ && !session_->ended(); }
  /// How many there have been.
  [[nodiscard]] std::uint64_t made() const noexcept { return made_; }

private:
  pg_session::setup with_;
  std::vector<pg_place> places_;
  std::size_t place_ = 0;
  std::unique_ptr<pg_session> session_;
  std::chrono::steady_clock::time_point made_at_{};
  std::uint64_t made_ = 0;
};

} // namespace vicket::internal
