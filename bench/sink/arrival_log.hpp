#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

namespace vicket::bench {

/// One request as the sink saw it. 32 bytes.
struct arrival {
  enum check : std::uint8_t { not_checked = 0, genuine = 1, forged = 2 };

  std::array<std::uint8_t, 16> id{}; ///< of `webhook-id`, a UUID; zeros when it is none
  std::uint64_t arrived_ns = 0;      ///< CLOCK_MONOTONIC when the last byte of the request was read
  std::uint32_t connector = 0;       ///< the number in its path
  std::uint16_t status = 0;          ///< what is answered to it; 0: nothing, it hangs
  std::uint8_t signature = not_checked;
  std::uint8_t reserved = 0;
};
static_assert(sizeof(arrival) == 32);

/// The sink's findings, in a file that both processes map: what the sink writes the harness sees at once, without
/// asking, so that looking costs the measured processes nothing. One writer; any number of readers.
///
/// Bounded by its capacity: what comes after it is counted in `dropped`, which fails a run.
class arrival_log {
public:
  /// What stands before the arrivals: a page.
  struct head {
    std::uint64_t magic = 0;
    std::uint64_t capacity = 0;
    std::atomic<std::uint64_t> count{0}; ///< arrivals that are complete: written before it is raised
    std::atomic<std::uint64_t> dropped{0};
    std::atomic<std::uint64_t> open_connections{0};
    std::atomic<std::uint64_t> hanging{0}; ///< requests that are read and will never be answered
    /// Written by the harness: paths below /gate answer 200, not 503.
    std::atomic<std::uint32_t> gate_open{0};
  };

  /// Made by the harness: a sparse file. Throws std::runtime_error when it can't.
  static arrival_log create(const std::filesystem::path& file, std::uint64_t capacity);
  /// Opened by the sink. Throws std::runtime_error when it is none.
  static arrival_log open(const std::filesystem::path& file);

  arrival_log(arrival_log&&) noexcept;
  arrival_log& operator=(arrival_log&&) noexcept;
  ~arrival_log();

  /// By the writer.
  void add(const arrival& value);

  [[nodiscard]] head& top() noexcept;
  [[nodiscard]] const head& top() const noexcept;
  /// Those that are complete; they do not change any more.
  [[nodiscard]] std::span<const arrival> arrivals() const noexcept;

private:
  arrival_log(void* memory, std::size_t bytes) : memory_{memory}, bytes_{bytes} {}

  void* memory_ = nullptr;
  std::size_t bytes_ = 0;
};

} // namespace vicket::bench
