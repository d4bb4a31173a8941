#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace vicket {

/// How long a partition's log was some time ago, as one node has seen it grow: what it did not see counts as younger and shorter
/// than it is. Bounded: a few samples for the time and for the bytes that are to be kept. Pure.
class log_ages {
public:
  struct limits {
    std::int64_t keep_ms = 3'600'000;
    std::uint64_t keep_bytes = 50'000'000'000; ///< as stored
  };
  /// The samples that each of the two limits is divided into.
  static constexpr std::size_t parts = 64;

  explicit log_ages(limits keep) : keep_{keep} {}

  /// The log ends with this record now. `bytes`: all that this node has seen of it, which only grows.
  void note(std::int64_t now_ms, std::uint64_t last, std::uint64_t bytes);

  /// The last record that was there `keep_ms` ago; 0: none is known.
  [[nodiscard]] std::uint64_t old(std::int64_t now_ms) const;
  /// The last record with `times * keep_bytes` behind it; 0: none is known.
  [[nodiscard]] std::uint64_t far(std::uint64_t times = 1) const;

private:
  struct sample {
    std::int64_t at_ms;
    std::uint64_t last;
    std::uint64_t bytes;
  };
  limits keep_;
  std::deque<sample> samples_; ///< the newest is last
  std::uint64_t bytes_ = 0;
};

/// A copy of a partition, as the owner sees it.
struct log_copy {
  std::string node;
  std::uint64_t synced_to = 0; ///< record; 0: it has not said yet
  bool joins = false; ///< it is there, its store takes something, and it has not read all of the log yet
};

struct trim_view {
  std::string owner;
  std::vector<log_copy> copies; ///< the owner's among them
  std::uint64_t trimmed_to = 0; ///< the first row that is there
  std::uint64_t old = 0;        ///< see `log_ages`
  std::uint64_t far = 0;
  std::uint64_t twice_far = 0; ///< `far(2)`
};

struct trim_plan {
  std::uint64_t below = 0;      ///< rows below may go; 0: none
  std::string held_by;          ///< whose copy needs what is otherwise old enough to go; empty: nobody's
  std::vector<std::string> out; ///< nodes that are to keep the partition no more
};

/// What of a log may go, and who is in its way for too long. The row of the lowest synced position stays, so that its node finds
/// what it knows.
///
/// - What is neither old nor far stays.
/// - A copy that needs what is far is out, whoever it is but the owner's. One that takes a checkpoint meanwhile has twice as much.
/// - A copy that needs what is old is out where two others are left. So a node that is dead for long does not fill the
///   database, and the second-last copy may still be read up from the log.
[[nodiscard]] trim_plan plan_trim(const trim_view& view);

} // namespace vicket
