#pragma once

#include "messages/connector.hpp"
#include "policy/secret_box.hpp"
#include "policy/secret_memory.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicket {

// A connector's secret and the values of its secret headers are sealed (`secret_box`) from where it is put until its
// requests are made: in the store, in messages between actors, in memory. Each is bound to its place, the connector's id
// and what it is of it, so that none can be moved to another.

/// Nothing of it is in the clear: each is sealed, or there is none.
[[nodiscard]] bool secrets_are_sealed(const connector& settings) noexcept;

/// Seals what is there in the clear, whatever it looks like; `***` and what is empty stay.
void seal_secrets(connector& settings, const secret_box& box);

/// Puts what is known, sealed, in the place of each `***`; an empty secret is one, too. `known`: the connector of the same
/// id that there is; null: none. A sentence: there is nothing to keep.
[[nodiscard]] std::optional<std::string> keep_secrets(connector& settings, const connector* known);

/// What requests are made with.
struct opened_secrets {
  secret_bytes secret;
  std::vector<std::pair<std::string, secret_bytes>> headers;
};
/// Absent: something of it was sealed with another key, or is damaged.
[[nodiscard]] std::optional<opened_secrets> open_secrets(const connector& settings, const secret_box& box);

/// Seals with another key. False: as `open_secrets`; `settings` are worth nothing then.
[[nodiscard]] bool reseal_secrets(connector& settings, const secret_box& from, const secret_box& to);

/// Credentials that an older version had taken in `headers` go to `secret_headers`, in the clear.
void move_credentials(connector& settings);
/// What an older version had: secrets in the clear, secret headers among the others. False: as `open_secrets`.
[[nodiscard]] bool unseal_secrets(connector& settings, const secret_box& box);

} // namespace vicket
