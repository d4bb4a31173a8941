#pragma once

#include "cluster/member_table.hpp"
#include "policy/presence.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace vicket {

/// This node among its cluster's: enters the table of members, shows signs of life, and sees the others. All on the table's
/// thread.
class membership {
public:
  /// Twice within the time for which a sign of life lets a node claim (`claim_watch::prompt_ms`).
  static constexpr std::int64_t beat_ms = 400;

  struct setup {
    member_table* table = nullptr; ///< outlives it
    member self;
    /// Of a clock that goes on while the machine sleeps.
    std::function<std::int64_t()> now_ms;
    /// A sign of life that was first sent then is durable; see `partition_keeper::lived`.
    std::function<void(std::int64_t first_sent_ms)> lived;
    /// Another process has entered under this node's name: this one has to end. Once.
    std::function<void()> replaced;
  };

  explicit membership(setup with);
  ~membership(); ///< calls nothing more
  membership(const membership&) = delete;
  membership& operator=(const membership&) = delete;

  /// Every 100 ms, by its owner's timer.
  void tick();
  static constexpr std::size_t most_wrong_bytes = 256;
  /// With the next sign of life; empty: nothing is wrong any more. What is no printable ASCII becomes `?`, so that no sentence
  /// is a reason for the table to refuse the sign of life; the rest is cut.
  void say_wrong(std::string_view what);

  /// With the next sign of life: `member::looked_at`.
  void say_looked(std::uint64_t timeline);
  /// With the next sign of life: those whom it can't reach, of which the first `most_unreached` are told.
  void say_unreached(std::vector<std::string> nodes);
  static constexpr std::size_t most_unreached = 32;
  /// With the next sign of life: a store of this node takes nothing, or all do again.
  void say_stalled(bool is);
  /// From the next sign of life on, which comes soon: it claims nothing more, and is about to go.
  void say_leaving();

  /// 0: it has not entered yet, or a failover lost its row. It may be another one then.
  [[nodiscard]] std::uint64_t incarnation() const noexcept;
  /// As they were read last.
  [[nodiscard]] const std::vector<member_row>& rows() const noexcept;
  [[nodiscard]] const presence& others() const noexcept;
  /// What the table said when it was of no use last; empty: it is of use.
  [[nodiscard]] const std::string& trouble() const noexcept;

private:
  struct rep;
  std::shared_ptr<rep> rep_;
};

} // namespace vicket
