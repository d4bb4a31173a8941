#pragma once

#include "actors/interfaces.hpp"
#include "storage/store_copy.hpp"

#include <caf/actor_clock.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace vicket {

class partition_store;

/// Takes a checkpoint of a partition from another node and puts it in the place of this node's store, which nothing else reads
/// or writes meanwhile. Then it ends. On a thread of its own: it waits for the disk.
///
/// Reads one piece after the other, and not more than `bytes_per_second` in the mean, so that what both nodes do besides is
/// hardly slower. When it ends before it has all of it, by an exit message too, nothing of that is left, and the store is what it was.
class checkpoint_taker {
public:
  using handle = checkpoint_taker_actor;

  static constexpr auto name = "checkpoint_taker";

  static constexpr std::uint64_t default_bytes_per_second = 64'000'000;
  static constexpr std::size_t most_files = 100'000;

  struct setup {
    std::uint32_t partition = 0;
    std::shared_ptr<partition_store> store;
    peer_actor from;
    std::uint64_t bytes_per_second = default_bytes_per_second;
    /// Up to which record of the log it will have all. On the actor's thread, as is `done`.
    std::function<void(std::uint64_t record)> opened;
    /// Once. Ok: the store is the other one now.
    std::function<void(const store_status&)> done;
  };

  checkpoint_taker(handle::pointer self, setup with);
  ~checkpoint_taker();

  handle::behavior_type make_behavior();

private:
  void take(opened_checkpoint& what);
  void go_on();
  void take(const checkpoint_bytes& piece);
  void finish();
  void fail(store_errc code, const std::string& why);
  void end(const store_status& how);

  handle::pointer self_;
  setup with_;
  opened_checkpoint what_;
  std::unique_ptr<incoming_copy> copy_;
  std::size_t file_ = 0;
  std::uint64_t offset_ = 0; ///< in that file
  std::uint64_t taken_ = 0;  ///< bytes, of all files
  caf::actor_clock::time_point began_at_{};
};

} // namespace vicket
