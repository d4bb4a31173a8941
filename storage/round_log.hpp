#pragma once

#include "storage/sealed_round.hpp"
#include "storage/store_status.hpp"

#include <functional>

namespace vicket {

class partition_store;

/// What a partition's rounds go through: appended in order, each after the one that is known to be its predecessor, each
/// comes back durable and applied to the store, in order, or not at all. Only what came back may be answered, handed
/// over and let go. The engine above cannot tell which log it has.
///
/// One round is on its way at a time. By the partition's writer only.
class round_log {
public:
  /// `full`: nothing of the round is there, nor will be; what it held may be given again in another one of the same
  /// number, once `resume()` says ok. `failed`, `corrupt`: the partition takes nothing more.
  using completion = std::function<void(const store_status&)>;

  round_log() = default;
  round_log(const round_log&) = delete;
  round_log& operator=(const round_log&) = delete;
  virtual ~round_log() = default;

  /// The round stays where it is until `done` is called, once: before this returns, or later, from any thread.
  virtual void append(const sealed_round& round, completion done) = 0;

  /// After `full`: whether appending is worth trying again. `full` again: try later.
  [[nodiscard]] virtual store_status resume() = 0;
};

/// RocksDB's own log: appending and applying are one synced write.
class local_log final : public round_log {
public:
  explicit local_log(partition_store& store) : store_(store) {} ///< outlives this

  void append(const sealed_round& round, completion done) override;
  [[nodiscard]] store_status resume() override;

private:
  partition_store& store_;
};

} // namespace vicket
