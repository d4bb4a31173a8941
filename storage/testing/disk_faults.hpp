#pragma once

#include "storage/testing/sim_disk.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace vicket::internal {

/// The orders that a disk was given, and how often each operation met one.
class disk_faults {
public:
  void add(const disk_fault& order) { orders_.push_back(order); }
  void clear() { orders_.clear(); }

  /// Counts the operation, and says how it fails.
  [[nodiscard]] std::optional<disk_error> met(disk_operation operation, file_kind kind, disk_user user) {
    ++asked_[index(operation)];
    auto result = std::optional<disk_error>{};
    for (auto& order : orders_) {
      const auto fits = order.operation == operation && order.kind.value_or(kind) == kind &&
                        order.user.value_or(user) == user && order.count > 0;
      if (!fits)
        continue;
      if (order.after > 0) {
        --order.after;
      } else if (!result) {
        result = order.error;
        if (order.count != disk_fault::always)
          --order.count;
      }
    }
    if (result)
      count(operation, *result);
    return result;
  }

  void count(disk_operation operation, disk_error error) { ++failed_[index(operation)][index(error)]; }

  [[nodiscard]] std::uint64_t asked(disk_operation operation) const { return asked_[index(operation)]; }
  [[nodiscard]] std::uint64_t failed(disk_operation operation, disk_error error) const {
    return failed_[index(operation)][index(error)];
  }

private:
  template <class Enum>
  static std::size_t index(Enum value) {
    return static_cast<std::size_t>(value);
  }

  static constexpr auto operations = static_cast<std::size_t>(disk_operation::read) + 1;
  static constexpr auto errors = static_cast<std::size_t>(disk_error::io) + 1;

  std::vector<disk_fault> orders_;
  std::array<std::uint64_t, operations> asked_{};
  std::array<std::array<std::uint64_t, errors>, operations> failed_{};
};

} // namespace vicket::internal
