#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace vicket {

/// Why a request was refused. The names are what `vicket send` prints as `"error"` and are part of the contract;
/// the numbers are the wire, append only.
enum class errc : std::uint8_t {
  unknown_connector = 1, ///< no connector has this id
  connector_disabled,    ///< the connector's `enabled` is false
  filtered,              ///< none of the connector's `events` patterns matches, or its filter does not
  invalid_event,         ///< malformed; the detail says what and where
  too_large,             ///< the envelope would exceed the node's `--max-envelope`
  overloaded,            ///< too many uncommitted bytes on this node; send again later
  storage_full,          ///< no room to store it; pending events go on, send again later
  unavailable,           ///< the node is stopping, or its partition is not there
  invalid_connector,     ///< malformed or unsafe; the detail says what and where
  not_found,             ///< no such connector, event or run
  connector_busy, ///< the connector can't be deleted while events wait for it, or changed while it is being deleted
  forbidden,    ///< not for who has this certificate
  not_owner,    ///< between nodes of a cluster: the partition is not this node's. Engines never see it
  invalid_rule, ///< malformed, or more than is taken; the detail says what and where
};

[[nodiscard]] std::string to_string(errc code);
[[nodiscard]] bool from_string(std::string_view text, errc& code);
[[nodiscard]] bool from_integer(std::underlying_type_t<errc> number, errc& code);

template <class Inspector>
bool inspect(Inspector& f, errc& x) {
  if constexpr (Inspector::is_loading) {
    auto number = std::underlying_type_t<errc>{};
    return f.apply(number) && from_integer(number, x);
  } else {
    return f.apply(static_cast<std::underlying_type_t<errc>>(x));
  }
}

/// A refusal as a value: which of the documented codes, and a sentence that says what to do about it.
struct refusal {
  errc code{};
  std::string detail;

  friend bool operator==(const refusal&, const refusal&) = default;

  template <class Inspector>
  friend bool inspect(Inspector& f, refusal& x) {
    return f.object(x).fields(f.field("code", x.code), f.field("detail", x.detail));
  }
};

} // namespace vicket
