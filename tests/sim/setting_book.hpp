#pragma once

#include "tests/sim/facts.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vicket::sim {

/// What each of some settings may be at this moment. Changes are numbered, one of a setting at a time; a put puts its number.
class setting_book {
public:
  static constexpr std::size_t count = 5;

  explicit setting_book(std::vector<complaint>& complaints) : complaints_{&complaints} {}

  [[nodiscard]] static std::string name_of(std::size_t which) { return "rule-" + std::to_string(which); }

  /// A change is on its way: its number. Absent: the one before is.
  [[nodiscard]] std::optional<std::uint64_t> begin(std::size_t which, bool is_delete);
  /// It is durable, and everywhere.
  void done(std::size_t which);
  /// It was a delete, and nothing was found: so nothing is there now.
  void found_nothing(std::size_t which);
  /// For certain: nothing was changed.
  void refused(std::size_t which);
  /// It may have happened, or not.
  void unknown(std::size_t which) { settings_[which].under_way = false; }
  /// The node died: of all that is under way that is not known.
  void all_are_lost();

  /// Somebody would decide by this: the number of the put that is seen, or that nothing is there.
  void seen(std::size_t which, std::optional<std::uint64_t> number, const std::string& who) const;
  /// The same, and it is durable: later it is that, or what is still under way.
  void shown(std::size_t which, std::optional<std::uint64_t> number, const std::string& who);

  /// An older copy of it all: numbers go on.
  void restored(const setting_book& older);

private:
  struct change {
    std::uint64_t number = 0;
    bool is_delete = true;
  };
  struct fact {
    change certain;            ///< what came before the others
    std::vector<change> maybe; ///< in order
    bool under_way = false;
    std::uint64_t last = 0;
  };

  [[nodiscard]] static bool fits(const change& one, std::optional<std::uint64_t> number) {
    return number ? !one.is_delete && one.number == *number : one.is_delete;
  }

  std::array<fact, count> settings_;
  std::vector<complaint>* complaints_;
};

} // namespace vicket::sim
