#pragma once

#include "cluster/member_table.hpp"
#include "net/host_lookup.hpp"
#include "net/io_thread.hpp"

#include <memory>
#include <string>

namespace vicket {

/// The table of members in PostgreSQL, over one connection; `cluster/schema.hpp` has its columns.
class postgres_members final : public member_table {
public:
  struct setup {
    const internal::io_thread* io = nullptr; ///< outlives it; `done` is called there
    std::string conninfo;
    std::string schema;                     ///< see `is_schema_name`
    internal::host_lookup* names = nullptr; ///< see `pg_session::setup`
  };

  explicit postgres_members(setup with);
  ~postgres_members() override; ///< tells nobody anything more

  /// On the I/O thread, when the server does not answer reads (`postgres_table::look_after`): what is under way there is
  /// given up, too.
  void leave_server();

  void enter(const member& self, std::function<void(enter_answer)> done) override;
  void beat(const member& self, std::uint64_t incarnation, std::function<void(beat_answer)> done) override;
  void list(std::function<void(list_answer)> done) override;
  void list_copies(std::function<void(copies_answer)> done) override;
  void tell_copies(const std::vector<copy>& copies) override;
  void note_copies(std::uint32_t partition, std::uint64_t epoch,
                   const std::vector<std::string>& nodes) override;

private:
  struct rep;
  std::shared_ptr<rep> rep_;
};

} // namespace vicket
