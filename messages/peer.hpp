#pragma once

#include "messages/partition.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// What a node of a cluster asks of another (role `peer` on the actor port). Not for engines.

namespace vicket {

/// A request for one of the other node's partitions. Answered as the request itself, or refused with `not_owner`.
template <class Request>
struct of_partition {
  std::uint32_t partition = 0;
  Request body;

  template <class Inspector>
  friend bool inspect(Inspector& f, of_partition& x) {
    return f.object(x).fields(f.field("partition", x.partition), f.field("body", x.body));
  }
};

/// A long poll: answered when the partition's feed has more than it had at `after`, or after `wait_ms`.
struct await_feed {
  static constexpr std::uint32_t max_wait_ms = 20'000;

  std::uint32_t partition = 0;
  log_sequence after = 0;
  std::uint32_t wait_ms = max_wait_ms;

  template <class Inspector>
  friend bool inspect(Inspector& f, await_feed& x) {
    return f.object(x).fields(f.field("partition", x.partition), f.field("after", x.after),
                              f.field("wait_ms", x.wait_ms));
  }
};

struct feed_awaited {
  bool grew = false; ///< false: the time is over

  template <class Inspector>
  friend bool inspect(Inspector& f, feed_awaited& x) {
    return f.object(x).fields(f.field("grew", x.grew));
  }
};

/// Makes a copy of the node's store of the partition as it is now, to be read by `read_checkpoint` until it is closed, or was not
/// read for `idle_ms`.
struct open_checkpoint {
  static constexpr std::int64_t idle_ms = 60'000;

  std::uint32_t partition = 0;

  template <class Inspector>
  friend bool inspect(Inspector& f, open_checkpoint& x) {
    return f.object(x).fields(f.field("partition", x.partition));
  }
};

struct checkpoint_file {
  std::string name;
  std::uint64_t bytes = 0;

  template <class Inspector>
  friend bool inspect(Inspector& f, checkpoint_file& x) {
    return f.object(x).fields(f.field("name", x.name), f.field("bytes", x.bytes));
  }
};

struct opened_checkpoint {
  std::uint64_t id = 0;
  std::uint64_t record = 0; ///< of the partition's log: up to here it has all
  std::vector<checkpoint_file> files;

  template <class Inspector>
  friend bool inspect(Inspector& f, opened_checkpoint& x) {
    return f.object(x).fields(f.field("id", x.id), f.field("record", x.record), f.field("files", x.files));
  }
};

/// From that byte of a file on, `most_bytes` or up to its end.
struct read_checkpoint {
  static constexpr std::size_t most_bytes = 1u << 20;

  std::uint64_t id = 0;
  std::uint32_t file = 0; ///< its place in the list
  std::uint64_t offset = 0;

  template <class Inspector>
  friend bool inspect(Inspector& f, read_checkpoint& x) {
    return f.object(x).fields(f.field("id", x.id), f.field("file", x.file), f.field("offset", x.offset));
  }
};

struct checkpoint_bytes {
  std::string bytes;
  std::string sha256; ///< of these, 32 bytes, made where they were read

  template <class Inspector>
  friend bool inspect(Inspector& f, checkpoint_bytes& x) {
    return f.object(x).fields(f.field("bytes", x.bytes), f.field("sha256", x.sha256));
  }
};

struct close_checkpoint {
  std::uint64_t id = 0;

  template <class Inspector>
  friend bool inspect(Inspector& f, close_checkpoint& x) {
    return f.object(x).fields(f.field("id", x.id));
  }
};

} // namespace vicket
