#pragma once

#include "policy/log_history.hpp"
#include "policy/secret_box.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace vicket {

/// A record's body as it lies in the table: compressed (zstd), then AES-256-GCM: 12 bytes nonce, ciphertext, 16 bytes tag. Key
/// and tag belong to the record's place: the cluster's uuid, partition, number, epoch, kind and the digest of the record
/// before. So nobody who can write to the table can put a body that was sealed for one place into another; and since each place
/// has a key of its own, derived from the cluster's, random nonces are good for any number of records. (Under one key they are
/// for 2^32: 24 partitions with 125 rounds a second would use that up in 17 days.)
class record_codec {
public:
  static constexpr int zstd_level = 1;
  /// Of a body that is opened; a round is never as large.
  static constexpr std::size_t max_body_bytes = 64u << 20;

  record_codec(std::shared_ptr<const secret_box> key, std::string cluster_uuid)
      : key_{std::move(key)}, uuid_{std::move(cluster_uuid)} {}

  [[nodiscard]] std::string seal(const record_head& head, const record_digest& before,
                                 std::string_view body) const;
  /// Absent: it was sealed with another key or for another place, is damaged, or too large.
  [[nodiscard]] std::optional<std::string> open(const record_head& head, const record_digest& before,
                                                std::string_view sealed) const;

private:
  [[nodiscard]] std::string place_of(const record_head& head, const record_digest& before) const;

  std::shared_ptr<const secret_box> key_;
  std::string uuid_;
};

} // namespace vicket
