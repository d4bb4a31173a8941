#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace vicket {

/// What a record of a partition's log is. The numbers are stored.
enum class record_kind : std::uint8_t {
  genesis = 1, ///< where a log begins: from nothing, from a store that is taken over, or after a loss
  claim = 2,   ///< a node takes the partition: the epoch after the one before
  round = 3,   ///< a sealed round
  copies = 4,  ///< which nodes keep the partition from now on
  yield = 5,   ///< the owner lets go
};

/// SHA-256.
using record_digest = std::array<unsigned char, 32>;

/// What stands beside a record's body, in the clear.
struct record_head {
  std::uint32_t partition = 0;
  std::uint64_t number = 0; ///< without gaps
  std::uint64_t epoch = 0;
  record_kind kind = record_kind::round;
  /// Up to here its author knew that the log is durable. That a record can be seen does not say so: a server that restarts
  /// shows what no standby has yet. Readers apply and show nothing beyond.
  std::uint64_t durable_to = 0;

  friend bool operator==(const record_head&, const record_head&) = default;
};

/// Covers the digest of the record before, so that who knows the last one knows that its whole history is the same:
/// SHA-256 of `before`, partition (4 bytes), number, epoch (8 each), kind (1), durable_to (8; all little-endian) and the body
/// as it is stored. Throws std::runtime_error where OpenSSL fails, which is when memory ends.
[[nodiscard]] record_digest digest_of(const record_digest& before, const record_head& head,
                                      std::string_view body);

/// One partition's log as it is known up to a record, and what may follow that. A reader takes nothing else, and whoever
/// appends offers nothing else, so all have one history.
class log_history {
public:
  /// Nothing yet: a genesis of any number follows.
  log_history() = default;

  /// From a record that is known to be part of the log, on. `owned`: it belongs to an epoch whose owner has not let go.
  log_history(const record_head& last, const record_digest& digest, bool owned);

  /// Empty: it follows, and is the last one now. Else why it does not, as a sentence's end ("is number 7, not 6"); nothing
  /// changes.
  [[nodiscard]] std::string take(const record_head& head, const record_digest& digest, std::string_view body);

  /// Why no record of this head may follow, whatever is in it; empty: one may.
  [[nodiscard]] std::string complaint_about(const record_head& head) const;

  /// The head of the next record of this kind. A claim begins the next epoch; the others belong to the one that there is.
  [[nodiscard]] record_head next(record_kind kind, std::uint64_t durable_to) const;

  [[nodiscard]] bool empty() const noexcept { return last_.number == 0; }
  [[nodiscard]] const record_head& last() const noexcept { return last_; }
  [[nodiscard]] const record_digest& digest() const noexcept { return digest_; }
  /// There is a claim that no yield has ended.
  [[nodiscard]] bool owned() const noexcept { return owned_; }

private:
  record_head last_; ///< number 0: nothing is known
  record_digest digest_{};
  bool owned_ = false;
};

} // namespace vicket
