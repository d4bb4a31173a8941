#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

namespace vicket {

/// The free space of a volume, dealt to the partitions of a data folder: what one of them is about to write is not there
/// for the others. Without it, all that a full disk stopped would count the same bytes as soon as there is room for one.
///
/// Thread safety: any thread.
class space_budget {
public:
  /// Given back when it goes. Outlived by its budget.
  class reservation {
  public:
    reservation(space_budget& budget, std::uint64_t bytes) : budget_(&budget), bytes_(bytes) {}
    reservation(reservation&& other) noexcept
        : budget_(std::exchange(other.budget_, nullptr)), bytes_(other.bytes_) {}
    reservation& operator=(reservation&&) = delete;
    ~reservation() {
      if (budget_ != nullptr)
        budget_->give_back(bytes_);
    }

  private:
    space_budget* budget_;
    std::uint64_t bytes_;
  };

  /// Absent: with what is reserved already they don't fit into what `free_bytes` says. While a reservation is being used
  /// up its bytes count twice, so another may have to ask again.
  [[nodiscard]] std::optional<reservation> reserve(std::uint64_t bytes,
                                                   const std::function<std::uint64_t()>& free_bytes) {
    const auto guard = std::lock_guard{mutex_};
    const auto free = free_bytes();
    if (free < reserved_bytes_ || free - reserved_bytes_ < bytes)
      return std::nullopt;
    reserved_bytes_ += bytes;
    return std::optional<reservation>{std::in_place, *this, bytes};
  }

  [[nodiscard]] std::uint64_t reserved_bytes() const {
    const auto guard = std::lock_guard{mutex_};
    return reserved_bytes_;
  }

private:
  void give_back(std::uint64_t bytes) {
    const auto guard = std::lock_guard{mutex_};
    reserved_bytes_ -= bytes;
  }

  mutable std::mutex mutex_;
  std::uint64_t reserved_bytes_ = 0; ///< guarded by mutex_
};

} // namespace vicket
