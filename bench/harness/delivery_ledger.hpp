#pragma once

#include "bench/harness/event_source.hpp"
#include "bench/sink/arrival_log.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace vicket::bench {

/// Who promised what, and what came: judges whether a measurement lost, doubled or wrongly signed anything. Pure.
class delivery_ledger {
public:
  explicit delivery_ledger(const event_source& source) : source_{source} {}

  /// The node answered `accepted`.
  void promised(std::uint32_t index);
  /// A request came to the sink. One that was answered 2xx is a delivery; any other is an attempt that failed.
  void arrived(const arrival& request);

  [[nodiscard]] std::uint64_t promised_count() const { return promised_; }
  [[nodiscard]] std::uint64_t delivered_count() const { return delivered_; } ///< events, each once
  [[nodiscard]] std::uint64_t checked_count() const { return checked_; } ///< requests whose signatures were

  /// Sentences; none: all that was promised was delivered, once, and every signature looked at was right.
  /// `may_double`: a fault was injected (a node was killed), after which an id may come again.
  [[nodiscard]] std::vector<std::string> violations(bool may_double = false) const;

private:
  struct entry {
    bool promised = false;
    std::uint8_t delivered = 0;
  };
  entry& entry_of(std::uint32_t index);

  const event_source& source_;
  std::vector<entry> entries_; ///< by index
  std::uint64_t promised_ = 0;
  std::uint64_t delivered_ = 0;
  std::uint64_t checked_ = 0;
  std::uint64_t forged_ = 0;
  std::uint64_t unknown_ = 0; ///< ids that are nobody's
};

} // namespace vicket::bench
