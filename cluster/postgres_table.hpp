#pragma once

#include "cluster/log_table.hpp"
#include "net/host_lookup.hpp"
#include "net/io_thread.hpp"

#include <cstddef>
#include <memory>
#include <string>

namespace vicket {

/// The table of rounds in PostgreSQL; `cluster/schema.hpp` has its columns.
///
/// Each partition appends over one of `append_sessions` connections; reads have one of their own, looks and trims another. One that
/// ended is made again by the next call (see `pg_line`).
class postgres_table final : public log_table {
public:
  static constexpr std::size_t max_append_sessions = 16;
  /// Rows that one statement deletes.
  static constexpr std::int64_t trim_rows = 1'000;

  struct setup {
    const internal::io_thread* io = nullptr; ///< outlives it; `done` is called there
    std::string conninfo;
    std::string schema; ///< see `is_schema_name`
    std::size_t append_sessions = max_append_sessions;
    internal::host_lookup* names = nullptr; ///< see `pg_session::setup`
  };

  explicit postgres_table(setup with);
  ~postgres_table() override; ///< tells nobody anything more

  /// On the I/O thread, now and then: a server that does not answer reads is given up, and what was to be appended there is
  /// sent again elsewhere; true where that is so. What is written may wait for a standby for as long as it takes: were it sent again and again, all
  /// connections would be taken by waiting ones.
  [[nodiscard]] bool look_after();

  void append(const log_row& row, const record_digest& before, bool afresh,
              std::function<void(append_answer)> done) override;
  void look(std::uint32_t partition, std::uint64_t number, std::function<void(look_answer)> done) override;
  void read(std::uint32_t partition, std::uint64_t from, std::size_t max_bytes,
            std::function<void(read_answer)> done) override;
  void glance(std::uint32_t partition, std::uint64_t known, std::function<void(glance_answer)> done) override;
  void halt(std::uint32_t partition, const std::string& why, std::function<void(bool)> done) override;
  void note_owner(std::uint32_t partition, const std::string& node, std::uint64_t epoch,
                  std::function<void(bool)> done) override;
  void trim(std::uint32_t partition, std::uint64_t epoch, std::uint64_t below,
            std::function<void(bool)> done) override;

private:
  struct rep;
  std::shared_ptr<rep> rep_;
};

} // namespace vicket
