#pragma once

#include <unistd.h>

#include <utility>

namespace vicket::bench {

/// An open file of the system's, closed with its object.
class descriptor {
public:
  descriptor() = default;
  explicit descriptor(int number) noexcept : number_{number} {}
  descriptor(descriptor&& other) noexcept : number_{std::exchange(other.number_, -1)} {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~descriptor() {
    if (number_ >= 0)
      ::close(number_);
  }

  /// -1: none.
  [[nodiscard]] int number() const noexcept { return number_; }

private:
  int number_ = -1;
};

} // namespace vicket::bench
