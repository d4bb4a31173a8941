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

/// What each of some settings may be at this moment, and at any time before. Changes are numbered, one of a setting at a
/// time, later ones with higher numbers; a put puts its number. Times are places in the order of all that happened.
class setting_book {
public:
  static constexpr std::size_t count = 5;

  explicit setting_book(std::vector<complaint>& complaints) : complaints_{&complaints} {}

  /// A change is on its way. False: the one before is.
  [[nodiscard]] bool begin(std::size_t which, std::uint64_t number, bool is_delete, std::uint64_t now);
  /// It is durable, and everywhere.
  void done(std::size_t which, std::uint64_t now);
  /// It was a delete, and nothing was found: so nothing is there now.
  void found_nothing(std::size_t which, std::uint64_t now);
  /// For certain: nothing was changed.
  void refused(std::size_t which);
  /// It may have happened, or not.
  void unknown(std::size_t which) { settings_[which].under_way = false; }
  /// The node died: of all that is under way that is not known.
  void all_are_lost();

  /// Somebody would decide by this: the number of the put that is seen, or that nothing is there.
  void seen(std::size_t which, std::optional<std::uint64_t> number, const std::string& who) const;
  /// The same, and it is durable: later it is that, or what is still under way.
  void shown(std::size_t which, std::optional<std::uint64_t> number, const std::string& who,
             std::uint64_t now);

  /// The numbers of the puts that it may have been at any time from `from` to `to`; absent: nothing.
  [[nodiscard]] std::vector<std::optional<std::uint64_t>> possible(std::size_t which, std::uint64_t from,
                                                                   std::uint64_t to) const;

private:
  struct change {
    std::uint64_t number = 0;
    bool is_delete = true;
    std::uint64_t begun = 0;
    std::uint64_t until = never; ///< then something else was there for certain
  };
  struct fact {
    change certain;            ///< what came before the others
    std::vector<change> maybe; ///< in order
    std::vector<change> past;
    bool under_way = false;
  };

  [[nodiscard]] static bool fits(const change& one, std::optional<std::uint64_t> number) {
    return number ? !one.is_delete && one.number == *number : one.is_delete;
  }
  /// What came before that one of `maybe` is over, and it is certain.
  static void settle(fact& it, std::size_t place, std::uint64_t now);

  std::array<fact, count> settings_;
  std::vector<complaint>* complaints_;
};

} // namespace vicket::sim
