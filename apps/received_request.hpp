#pragma once

#include "messages/ids.hpp"
#include "policy/signer.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace vicket {

/// What a receiver finds out about a request before it believes a word of it.
struct received_request {
  enum class check { valid, invalid, missing };

  std::string path;
  std::string body;
  check signature = check::missing;         ///< X-Vicket-Signature, its time included
  check standard_webhooks = check::missing; ///< missing is fine: a connector may switch it off
  std::string id;                           ///< of the envelope; empty when the body is no envelope
  std::string event;

  [[nodiscard]] bool genuine() const {
    return signature == check::valid && standard_webhooks != check::invalid;
  }
};

/// A header's value by its name; empty: not there.
using header_lookup = std::function<std::string(const char*)>;

[[nodiscard]] received_request examine_request(const signing_key& key, std::string path, std::string body,
                                               const header_lookup& header, timestamp_ms now);

[[nodiscard]] std::string_view to_string(received_request::check value);

} // namespace vicket
