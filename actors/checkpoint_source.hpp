#pragma once

#include "actors/interfaces.hpp"
#include "storage/store_copy.hpp"

#include <caf/actor_clock.hpp>
#include <caf/typed_response_promise.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace vicket {

class partition_store;

/// Gives other nodes of the cluster checkpoints of this one's stores, in pieces. On a thread of its own: it waits for the disk.
///
/// A checkpoint is a folder of hard links to the store's tables, and copies of its logs; it holds the disk's space for as long as
/// it is open.
class checkpoint_source {
public:
  using handle = checkpoint_source_actor;

  static constexpr auto name = "checkpoint_source";

  /// Open at the same time; one more is refused with `overloaded`.
  static constexpr std::size_t most_open = 2;

  struct setup {
    std::vector<std::shared_ptr<partition_store>> stores; ///< by partition
    std::filesystem::path folder;                         ///< for the checkpoints; what is there is removed
    store_environment* environment = nullptr;             ///< the stores'; outlives it
  };

  checkpoint_source(handle::pointer self, setup with);

  handle::behavior_type make_behavior();

private:
  using time_point = caf::actor_clock::time_point;
  struct open_one {
    std::filesystem::path folder;
    caf::typed_response_promise<opened_checkpoint> promise; ///< until it is there
    std::unique_ptr<outgoing_copy> files;                   ///< null: it is not there yet
    time_point used_at;
  };

  caf::result<opened_checkpoint> open(const open_checkpoint& request);
  void made(checkpoint_made& news);
  caf::result<checkpoint_bytes> read(const read_checkpoint& request);
  void look();
  void schedule_look();
  void close(std::uint64_t id);

  handle::pointer self_;
  setup with_;
  store_status prepared_;
  make_checkpoint make_; ///< empty: none can be made yet
  std::map<std::uint64_t, open_one> open_;
  std::uint64_t last_id_ = 0;
  bool look_under_way_ = false;
};

} // namespace vicket
