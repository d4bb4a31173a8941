#pragma once

#include "cluster/record_appender.hpp"
#include "cluster/record_codec.hpp"
#include "policy/log_history.hpp"
#include "storage/round_log.hpp"

#include <cstdint>
#include <functional>
#include <memory>

namespace vicket {

/// A log without what a node needs of it besides (claims, followers, leases; see cluster/cluster_part.hpp), to measure it alone: the
/// rounds of a partition that this node owns, as records of the log in the table: sealed, appended, and applied to the
/// store, unsynced, once they are durable there. By the partition's writer; what is applied is, and `done` is called, on the
/// table's thread.
class cluster_log final : public round_log {
public:
  struct setup {
    partition_store* store = nullptr; ///< outlives it
    std::shared_ptr<const record_codec> codec;
    record_appender::setup appender;
    log_history history; ///< up to this node's claim
    /// Runs it on the table's thread.
    std::function<void(std::function<void()>)> post;
  };

  explicit cluster_log(setup with);
  ~cluster_log() override;

  void append(const sealed_round& round, completion done) override;
  [[nodiscard]] store_status resume() override { return {}; }

private:
  struct rep;
  std::shared_ptr<rep> rep_;
};

} // namespace vicket
