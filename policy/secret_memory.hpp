#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>
#include <utility>

namespace vicket {

/// Bytes of a secret, in pages of their own that no core dump has (madvise(2), MADV_DONTDUMP) and that the system does not
/// swap as long as its limit of locked memory allows (mlock(2)); zero when they are let go. Never printed, compared in
/// constant time.
///
/// Each takes the next power of two of its size, 32 bytes at least; pages that were needed once are kept for others.
/// Throws std::bad_alloc when there are none. Any thread, as other values are.
class secret_bytes {
public:
  secret_bytes() noexcept = default;
  explicit secret_bytes(std::string_view from);
  secret_bytes(const secret_bytes& from) : secret_bytes{from.view()} {}
  secret_bytes(secret_bytes&& from) noexcept
      : bytes_{std::exchange(from.bytes_, nullptr)}, size_{std::exchange(from.size_, 0)} {}
  secret_bytes& operator=(secret_bytes from) noexcept {
    std::swap(bytes_, from.bytes_);
    std::swap(size_, from.size_);
    return *this;
  }
  ~secret_bytes();

  /// So many zeros, to be written to by who makes it.
  [[nodiscard]] static secret_bytes of_size(std::size_t size);

  [[nodiscard]] std::string_view view() const noexcept { return {bytes_, size_}; }
  [[nodiscard]] char* data() noexcept { return bytes_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

  friend bool operator==(const secret_bytes& a, const secret_bytes& b) noexcept;

private:
  char* bytes_ = nullptr;
  std::size_t size_ = 0;
};

/// What all of them take, for tests and for the status.
struct secret_memory_use {
  std::size_t page_bytes = 0;   ///< of pages
  std::size_t in_use_bytes = 0; ///< given out of them
};
[[nodiscard]] secret_memory_use secret_memory_in_use();

} // namespace vicket
