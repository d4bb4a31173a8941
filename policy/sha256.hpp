#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace vicket {

/// SHA-256 (FIPS 180-4). Both throw std::runtime_error where OpenSSL fails, which is when memory ends.

/// 32 bytes.
[[nodiscard]] std::string sha256(std::string_view bytes);

/// The same of what comes in pieces.
class sha256_sum {
public:
  sha256_sum();
  ~sha256_sum();
  sha256_sum(const sha256_sum&) = delete;
  sha256_sum& operator=(const sha256_sum&) = delete;

  void add(std::string_view piece);
  /// Of all pieces; once.
  [[nodiscard]] std::string digest();

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace vicket
