// A store that gets another content: that of another node's, or none.

#include "policy/assertion.hpp"
#include "storage/partition_store_rep.hpp"
#include "storage/replacement.hpp"
#include "storage/store_copy.hpp"

namespace vicket {

std::variant<std::unique_ptr<incoming_copy>, store_status> partition_store::begin_replacement() const {
  return incoming_copy::begin(rep_->options);
}

store_status partition_store::replace() {
  return rep_->replace();
}

store_status partition_store::clear() {
  auto& own = *rep_;
  auto status = remove_folder(*own.env, replacement_of(own.folder));
  if (status.ok())
    status = mark_complete(*own.env, own.folder);
  if (!status.ok())
    return {status.IsNoSpace() ? store_errc::full : store_errc::failed,
            "partition " + own.folder + " can't be emptied: " + status.ToString()};
  return own.replace();
}

store_status partition_store::rep::settle() {
  const auto status = settle_replacement(*env, folder);
  if (status.ok())
    return {};
  return {status.IsNoSpace() ? store_errc::full : store_errc::failed,
          "partition " + folder + " can't be replaced by the copy in " + replacement_of(folder) + ": " +
              status.ToString()};
}

store_status partition_store::rep::replace() {
  VICKET_ASSERT(options.follows && open_scans == 0);
  if (!failure.ok())
    return failure;
  const auto guard = std::unique_lock{database_mutex};
  close_database();
  forget_content();
  using step = store_status (rep::*)();
  auto status = settle();
  if (status.ok())
    status = check_folder();
  for (const auto next : {step{&rep::open_database}, step{&rep::check_format}, step{&rep::load_state},
                          step{&rep::check_follower}})
    if (status.ok())
      status = (this->*next)();
  closed = false;
  if (status.ok())
    return {};
  close_database();
  closed = true;
  if (status.code != store_errc::full)
    return failure = {store_errc::failed, status.detail};
  return {store_errc::full, "no space left for " + folder + ": " + status.detail};
}

/// As it was before it was opened. First of all: the filters of the next database look here.
void partition_store::rep::forget_content() {
  oldest_kept = 1;
  next_sequence = 1;
  settled_below = 1;
  committed_end = 0;
  marks.clear();
  {
    const auto guard = std::lock_guard{drops_mutex};
    drops = {};
  }
  {
    const auto guard = std::lock_guard{settings_mutex};
    all_settings = settings_snapshot::none();
  }
  {
    const auto guard = std::lock_guard{problem_mutex};
    problem = {};
  }
  stored_format = 0;
  last = {};
  lineage = {};
  lineage_stored = true;
  refused_full = false;
  needs_room = false;
}

} // namespace vicket
