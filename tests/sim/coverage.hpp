#pragma once

#include "tests/sim/operations.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace vicket::sim {

/// How often each operation met each fault. An operation meets what strikes between its request and the next time
/// that the node is at rest and the disk well: until then it is not over for the node, even where it was answered.
class coverage {
public:
  void began(operation what) {
    ++asked_[index(what)];
    under_way_.push_back(what);
  }
  void struck(fault what) {
    ++strikes_[index(what)];
    for (const auto one : under_way_)
      ++met_[index(one)][index(what)];
  }
  void at_rest() { under_way_.clear(); }
  void shown(loss what) { ++shown_[index(what)]; }

  [[nodiscard]] std::uint64_t met(operation one, fault what) const { return met_[index(one)][index(what)]; }
  [[nodiscard]] std::uint64_t strikes(fault what) const { return strikes_[index(what)]; }
  [[nodiscard]] std::uint64_t asked(operation what) const { return asked_[index(what)]; }

  void add(const coverage& other);
  /// Pairs that met, and losses that were shown, less often than `least`, as sentences.
  [[nodiscard]] std::vector<std::string> missing(std::uint64_t least) const;
  /// A table for people, faults as rows.
  [[nodiscard]] std::string table() const;

  /// As one line of numbers, and back; false: it is none.
  [[nodiscard]] std::string to_line() const;
  [[nodiscard]] bool add_line(const std::string& line);

private:
  template <class Enum>
  static std::size_t index(Enum value) {
    return static_cast<std::size_t>(value);
  }

  std::array<std::array<std::uint64_t, fault_count>, operation_count> met_{};
  std::array<std::uint64_t, fault_count> strikes_{};
  std::array<std::uint64_t, operation_count> asked_{};
  std::array<std::uint64_t, loss_count> shown_{};
  std::vector<operation> under_way_;
};

} // namespace vicket::sim
