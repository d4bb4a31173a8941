#include "bench/sink/arrival_log.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace vicket::bench {

namespace {

constexpr std::uint64_t magic_number = 0x76'6b'73'69'6e'6b'30'31; // "vksink01"
constexpr std::size_t head_bytes = 4'096;
constexpr std::uint64_t max_capacity = 1ull << 32; // 128 GiB: whoever wants more mistook the unit

static_assert(sizeof(arrival_log::head) <= head_bytes);
// Two processes share them: a lock inside would be each one's own.
static_assert(std::atomic<std::uint64_t>::is_always_lock_free &&
              std::atomic<std::uint32_t>::is_always_lock_free);

[[noreturn]] void fail(const std::filesystem::path& file, const std::string& what) {
  throw std::runtime_error(file.string() + ": " + what);
}

[[noreturn]] void fail_with_errno(const std::filesystem::path& file, const std::string& what) {
  fail(file, what + ": " + std::generic_category().message(errno));
}

class open_file {
public:
  open_file(const std::filesystem::path& path, int flags)
      : descriptor_{::open(path.c_str(), flags | O_CLOEXEC, 0600)} {
    if (descriptor_ < 0)
      fail_with_errno(path, "can't be opened");
  }
  ~open_file() { ::close(descriptor_); }
  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;

  [[nodiscard]] int descriptor() const { return descriptor_; }

private:
  int descriptor_;
};

std::size_t bytes_for(std::uint64_t capacity) {
  return head_bytes + static_cast<std::size_t>(capacity) * sizeof(arrival);
}

void* map(const std::filesystem::path& path, const open_file& file, std::size_t bytes) {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.descriptor(), 0);
  if (memory == MAP_FAILED)
    fail_with_errno(path, "can't be mapped");
  return memory;
}

arrival* first_arrival(void* memory) {
  return reinterpret_cast<arrival*>(static_cast<std::byte*>(memory) + head_bytes);
}

/// There is one writer: what it reads of its own is no race, and an addition needs no locked instruction.
void raise_by_one(std::atomic<std::uint64_t>& counter) {
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

} // namespace

arrival_log arrival_log::create(const std::filesystem::path& file, std::uint64_t capacity) {
  if (capacity == 0 || capacity > max_capacity)
    fail(file, "a capacity of " + std::to_string(capacity) + " arrivals is not between 1 and " +
                   std::to_string(max_capacity));
  const open_file opened{file, O_RDWR | O_CREAT | O_TRUNC};
  const auto bytes = bytes_for(capacity);
  if (::ftruncate(opened.descriptor(), static_cast<off_t>(bytes)) != 0)
    fail_with_errno(file, "can't be made " + std::to_string(bytes) + " bytes long");
  arrival_log log{map(file, opened, bytes), bytes};
  auto& top = *new (log.memory_) head;
  top.capacity = capacity;
  top.magic = magic_number;
  return log;
}

arrival_log arrival_log::open(const std::filesystem::path& file) {
  const open_file opened{file, O_RDWR};
  struct stat found {};
  if (::fstat(opened.descriptor(), &found) != 0)
    fail_with_errno(file, "can't be examined");
  const auto bytes = static_cast<std::size_t>(found.st_size);
  if (bytes < bytes_for(1))
    fail(file, "is no log of arrivals: it is too short");
  arrival_log log{map(file, opened, bytes), bytes};
  const auto& top = log.top();
  if (top.magic != magic_number || top.capacity > max_capacity || bytes_for(top.capacity) != bytes)
    fail(file, "is no log of arrivals, or one of another version");
  return log;
}

arrival_log::arrival_log(arrival_log&& other) noexcept
    : memory_{std::exchange(other.memory_, nullptr)}, bytes_{std::exchange(other.bytes_, 0)} {}

arrival_log& arrival_log::operator=(arrival_log&& other) noexcept {
  std::swap(memory_, other.memory_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

arrival_log::~arrival_log() {
  if (memory_ != nullptr)
    ::munmap(memory_, bytes_);
}

void arrival_log::add(const arrival& value) {
  auto& here = top();
  const auto index = here.count.load(std::memory_order_relaxed);
  if (index == here.capacity)
    return raise_by_one(here.dropped);
  first_arrival(memory_)[index] = value;
  raise_by_one(here.count);
}

arrival_log::head& arrival_log::top() noexcept {
  return *static_cast<head*>(memory_);
}

const arrival_log::head& arrival_log::top() const noexcept {
  return *static_cast<const head*>(memory_);
}

std::span<const arrival> arrival_log::arrivals() const noexcept {
  return {first_arrival(memory_), static_cast<std::size_t>(top().count.load(std::memory_order_acquire))};
}

} // namespace vicket::bench
