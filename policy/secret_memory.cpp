#include "policy/secret_memory.hpp"

#include <openssl/crypto.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <mutex>
#include <new>

namespace vicket {

namespace {

constexpr std::size_t least_bytes = 32;
constexpr std::size_t chunk_bytes = 64 * 1024;
constexpr std::size_t classes = std::numeric_limits<std::size_t>::digits;

/// Memory by powers of two, out of chunks that are not dumped. What is freed goes to the next of its size.
class secret_pages {
public:
  char* take(std::size_t size) {
    const auto bytes = rounded(size);
    const std::lock_guard guard{mutex_};
    auto& free = free_[index_of(bytes)];
    if (free == nullptr)
      free = bytes < chunk_bytes ? carve(bytes) : linked(map(bytes));
    auto* taken = free;
    free = taken->next;
    taken->next = nullptr;
    in_use_ += bytes;
    return reinterpret_cast<char*>(taken);
  }

  void give_back(char* memory, std::size_t size) noexcept {
    const auto bytes = rounded(size);
    OPENSSL_cleanse(memory, bytes);
    const std::lock_guard guard{mutex_};
    auto& free = free_[index_of(bytes)];
    free = new (memory) place{free};
    in_use_ -= bytes;
  }

  secret_memory_use use() {
    const std::lock_guard guard{mutex_};
    return {mapped_, in_use_};
  }

private:
  struct place {
    place* next;
  };

  static std::size_t rounded(std::size_t size) { return std::bit_ceil(std::max(size, least_bytes)); }
  static std::size_t index_of(std::size_t bytes) { return static_cast<std::size_t>(std::countr_zero(bytes)); }
  static place* linked(char* memory) { return new (memory) place{nullptr}; }

  char* map(std::size_t bytes) {
    auto* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
      throw std::bad_alloc{};
    if (::madvise(memory, bytes, MADV_DONTDUMP) != 0) {
      ::munmap(memory, bytes);
      throw std::bad_alloc{};
    }
    static_cast<void>(::mlock(memory, bytes)); // RLIMIT_MEMLOCK may be small
    mapped_ += bytes;
    return static_cast<char*>(memory);
  }

  place* carve(std::size_t bytes) {
    auto* memory = map(chunk_bytes);
    place* first = nullptr;
    for (auto at = chunk_bytes; at >= bytes; at -= bytes)
      first = new (memory + at - bytes) place{first};
    return first;
  }

  std::mutex mutex_;
  std::array<place*, classes> free_{}; ///< by the power of two; guarded by mutex_, as all below
  std::size_t mapped_ = 0;
  std::size_t in_use_ = 0;
};

/// Never destroyed: secrets in objects of static life may be let go after it.
secret_pages& pages() {
  static auto& one = *new secret_pages;
  return one;
}

} // namespace

secret_bytes::secret_bytes(std::string_view from) : secret_bytes{of_size(from.size())} {
  std::copy(from.begin(), from.end(), bytes_);
}

secret_bytes secret_bytes::of_size(std::size_t size) {
  secret_bytes result;
  if (size > 0)
    result.bytes_ = pages().take(size);
  result.size_ = size;
  return result;
}

secret_bytes::~secret_bytes() {
  if (bytes_ != nullptr)
    pages().give_back(bytes_, size_);
}

bool operator==(const secret_bytes& a, const secret_bytes& b) noexcept {
  return a.size() == b.size() && (a.empty() || CRYPTO_memcmp(a.bytes_, b.bytes_, a.size()) == 0);
}

secret_memory_use secret_memory_in_use() {
  return pages().use();
}

} // namespace vicket
