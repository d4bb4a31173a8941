#pragma once

#include "storage/partition_store.hpp"
#include "storage/testing/environments.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace vicket::test {

/// A folder of its own below the system's temporary one, removed at the end.
class scratch_folder {
public:
  scratch_folder();
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;
  ~scratch_folder();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
  std::filesystem::path path_;
};

inline constexpr auto partition_folder = "/partition-0";
inline constexpr timestamp_ms noon{1'779'537'600'000};

/// With a key of 32 such characters.
[[nodiscard]] std::shared_ptr<const secret_box> box_of(char fill);

/// Settings small enough that a test of a few hundred events meets flushes and compactions.
[[nodiscard]] store_options small_options(store_environment* environment,
                                          std::filesystem::path folder = partition_folder);

/// Opens, or fails the test with the store's own sentence.
[[nodiscard]] std::unique_ptr<partition_store> open_store(store_options options);
/// Opens and expects a refusal.
[[nodiscard]] store_status open_refused(store_options options);

[[nodiscard]] event_id id_of(std::uint64_t number);

struct event_shape {
  std::string connector = "crm-prod";
  std::string run = "run-42";
  timestamp_ms accepted_at = noon;
  std::size_t envelope_bytes = 100;
};
/// An event whose every field follows from its sequence.
[[nodiscard]] stored_event event_of(log_sequence sequence, const event_shape& shape = {});

/// An attempt that ended with 200, or with 500 and a next time.
[[nodiscard]] stored_attempt attempt_of(log_sequence sequence, log_sequence event, std::uint32_t number,
                                        std::optional<timestamp_ms> next = std::nullopt);

/// Accepts one event in a commit of its own.
log_sequence accept(partition_store& store, bool waits, const event_shape& shape = {});

/// Everything of a connector that waits, page by page.
[[nodiscard]] std::vector<waiting_event> all_waiting(const partition_store& store,
                                                     const std::string& connector);

void require_same(const stored_event& left, const stored_event& right);

/// Lower-case digits, for bytes that a test pins.
[[nodiscard]] std::string hex(std::string_view bytes);

} // namespace vicket::test
