#pragma once

#include "net/connection_caps.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace vicket {

/// The files that this process may have open at once, after that limit has been raised to what the system allows it.
/// Unlimited: the largest number there is.
[[nodiscard]] std::size_t raise_file_limit();

/// How many partitions the node will have: those of the data folder, if it exists, else as many as were asked for, or (0)
/// as a node makes by itself.
[[nodiscard]] std::uint32_t partitions_to_be(const std::filesystem::path& data_dir, std::uint32_t asked_for);

/// What a node's files are for. Pure.
class file_needs {
public:
  /// Connections of engines and of the command line, one each: as many as the port lets in.
  static constexpr std::size_t actor_port = internal::connection_limits{}.descriptors();
  /// Standard streams, the folder's lock, epoll sets, sockets of name servers, files that are read now and then.
  static constexpr std::size_t program = 64;

  /// Of a node of a cluster besides: its port for the others, and its connections to them and to the database.
  static constexpr std::size_t cluster = actor_port + 64;

  file_needs(std::size_t max_in_flight, std::uint32_t partitions, bool clustered = false)
      : max_in_flight_{max_in_flight}, partitions_{partitions}, clustered_{clustered} {}

  /// What deliveries must leave to others.
  [[nodiscard]] std::size_t beside_deliveries() const { return store() + ports() + program; }
  /// A delivery takes one; one in eight may dial another address of a name at the same time. Idle connections are given up
  /// when there is need.
  [[nodiscard]] std::size_t in_all() const { return max_in_flight_ + spare_dials() + beside_deliveries(); }
  /// Why a node may not start with that limit, in one line that says what to do; absent: it may.
  [[nodiscard]] std::optional<std::string> complaint(std::size_t limit) const;
  /// How many deliveries in flight that limit allows; 0: not even one.
  [[nodiscard]] std::size_t most_in_flight(std::size_t limit) const;

private:
  [[nodiscard]] std::size_t store() const;
  [[nodiscard]] std::size_t ports() const { return actor_port + (clustered_ ? cluster : 0); }
  [[nodiscard]] std::size_t spare_dials() const { return max_in_flight_ / 8; }

  std::size_t max_in_flight_;
  std::uint32_t partitions_;
  bool clustered_;
};

/// From now on there are no core dumps of this process, whatever the limits say, and nobody but root can read its memory or
/// attach to it (prctl(2), PR_SET_DUMPABLE). Its files in /proc belong to root then.
void keep_out_of_dumps() noexcept;

} // namespace vicket
