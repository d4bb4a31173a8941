#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace vicket {

/// How many POSTs are under way: of a connector, which counts for its partition as well. Written by whoever delivers,
/// read by the partition's head. Thread safety: any.
class in_flight_count {
public:
  in_flight_count() = default;
  explicit in_flight_count(std::shared_ptr<in_flight_count> part_of) : part_of_{std::move(part_of)} {}

  void begin() noexcept {
    value_.fetch_add(1, std::memory_order_relaxed);
    if (part_of_)
      part_of_->begin();
  }
  void end() noexcept {
    value_.fetch_sub(1, std::memory_order_relaxed);
    if (part_of_)
      part_of_->end();
  }
  [[nodiscard]] std::uint32_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
  std::atomic<std::uint32_t> value_{0};
  std::shared_ptr<in_flight_count> part_of_;
};

} // namespace vicket
