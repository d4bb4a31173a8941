// What the disk does on order, and what is made of what it says.
#include "tests/sim/driver.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <string_view>

namespace vicket::sim {

namespace {

/// Of a small disk the node keeps a quarter as its reserve; with so much of what is used still free, there is less.
constexpr std::uint64_t squeezed_free_percent = 30;
/// A start changes the disk about so often.
constexpr std::uint32_t changes_of_a_start = 60;
constexpr std::uint32_t appends_to_a_table = 3;
constexpr std::int64_t ms_per_after = 150; ///< of what is ordered for a time

/// The words of `USER OPERATION PATH DETAIL… failed: …`.
struct disk_line {
  std::string_view user;
  std::string_view operation;
  std::string_view path;
  std::uint64_t bytes = 0;
};

disk_line parse(std::string_view line) {
  const auto word = [&line] {
    const auto end = std::min(line.find(' '), line.size());
    const auto result = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    return result;
  };
  disk_line parsed;
  parsed.user = word();
  parsed.operation = word();
  parsed.path = word();
  const auto detail = word();
  std::from_chars(detail.data(), detail.data() + detail.size(), parsed.bytes);
  return parsed;
}

/// The columns of one kind of fault are in the same order for each kind.
enum class place : std::uint8_t { append, sync, flush, compaction, open, manifest, rename };

bool ends_with_a_log(const disk_line& line) {
  return line.path.ends_with(".log");
}

place place_of(const disk_line& line) {
  if (line.operation == "rename")
    return place::rename;
  if (line.operation == "create" || line.operation == "open")
    return place::open;
  if (line.path.find("MANIFEST-") != line.path.npos)
    return place::manifest;
  if (line.user == "compaction")
    return place::compaction;
  if (line.user == "flush" || line.path.ends_with(".sst")) // a start flushes what the logs hold
    return place::flush;
  if (ends_with_a_log(line))
    return line.operation == "sync" ? place::sync : place::append;
  return place::open; // what else there is belongs to opening
}

fault fault_at(fault first, place where) {
  return static_cast<fault>(static_cast<std::uint8_t>(first) + static_cast<std::uint8_t>(where));
}

disk_fault order_for(place where, disk_error error, std::uint32_t after, bool other) {
  disk_fault made;
  made.error = error;
  made.after = after;
  switch (where) {
  case place::append:
    made.kind = file_kind::log;
    break;
  case place::sync:
    made.operation = disk_operation::sync;
    made.kind = file_kind::log;
    made.user = disk_user::foreground;
    break;
  case place::flush:
    made.user = disk_user::flush;
    made.kind = file_kind::table;
    made.after = after % appends_to_a_table;
    break;
  case place::compaction:
    made.user = disk_user::compaction;
    made.kind = file_kind::table;
    made.after = after % appends_to_a_table;
    break;
  case place::open:
    made.operation = other && error == disk_error::io ? disk_operation::open : disk_operation::create;
    made.user = disk_user::foreground;
    break;
  case place::manifest:
    made.kind = file_kind::manifest;
    break;
  case place::rename:
    made.operation = disk_operation::rename;
    break;
  }
  return made;
}

} // namespace

void driver::order(const action& one) {
  switch (one.ordered) {
  case fault::room_again:
  case fault::clock_forward:
  case fault::clock_back:
    on_order_ = true;
    timed_orders_.push_back({one.ordered, node_.steady_ms() + one.after * ms_per_after, one.draw});
    return;
  case fault::shortage:
    return endpoints_->be_short(one.after, one.draw);
  case fault::supervisor_death: {
    on_order_ = true;
    auto happened = [this] {
      struck(fault::supervisor_death);
      oracle_.supervisor_died();
    };
    if (one.draw % 2 == 0)
      node_.chance.fail_in_supervisor(std::move(happened));
    else
      node_.supervisor_dies(std::move(happened));
    return;
  }
  default:
    on_order_ = true;
    open_order_ = {one.ordered, one.after, one.draw};
    return order_on_disk(one.ordered, one.after, one.draw);
  }
}

/// What was ordered for a time is struck between two messages, while whatever is under way is.
void driver::strike_at_time() {
  for (std::size_t i = 0; i < timed_orders_.size();) {
    if (timed_orders_[i].at_ms > node_.steady_ms()) {
      ++i;
      continue;
    }
    const auto due = timed_orders_[i];
    timed_orders_.erase(timed_orders_.begin() + static_cast<std::ptrdiff_t>(i));
    if (due.what != fault::room_again)
      move_clock(due.what, due.draw);
    else
      free_disk();
  }
}

void driver::order_on_disk(fault what, std::uint32_t after, std::uint64_t draw) {
  const auto number = static_cast<std::uint8_t>(what);
  const auto in_group = [&](fault first) {
    return static_cast<place>(number - static_cast<std::uint8_t>(first));
  };
  if (what == fault::short_write) {
    node_.disk.fail(
        order_for(place::append, draw % 2 == 0 ? disk_error::no_space : disk_error::io, after, false));
  } else if (what <= fault::io_error_rename) {
    const bool no_space = what <= fault::no_space_rename;
    const auto where = in_group(no_space ? fault::no_space_append : fault::io_error_append);
    auto made = order_for(where, no_space ? disk_error::no_space : disk_error::io, after, draw % 2 == 0);
    node_.disk.fail(made);
    if (where == place::flush) {
      made.user = disk_user::foreground;
      node_.disk.fail(made);
    }
  } else if (what == fault::crash_flush || what == fault::crash_compaction) {
    crash_in_job_ = {what, after};
  } else if (what == fault::crash_rename) {
    crash_at_rename_ = true;
  } else if (what == fault::crash_open || what == fault::crash_manifest) {
    crash_at_start_ = static_cast<std::uint32_t>(draw % changes_of_a_start);
  } else {
    node_.disk.crash_after(after);
  }
}

void driver::before_job(disk_user user) {
  if (!crash_in_job_)
    return;
  if (crash_in_job_->first == (user == disk_user::flush ? fault::crash_flush : fault::crash_compaction)) {
    node_.disk.crash_after(crash_in_job_->second);
    crash_in_job_.reset();
  }
}

void driver::after_disk_line(std::string_view line) {
  // The last thing before a rename is that its file is synced.
  if (crash_at_rename_ && line.find(" sync ") != line.npos && line.find(".dbtmp") != line.npos) {
    crash_at_rename_ = false;
    node_.disk.crash_after(0);
  }
  if (line.find(" failed: ") != line.npos)
    disk_said(std::string{line});
}

void driver::move_clock(fault what, std::uint64_t draw) {
  static constexpr std::array<std::int64_t, 6> jumps = {500, 5'000, 5'000, 60'000, 60'000, 600'000};
  const auto jump_ms = jumps[draw % jumps.size()];
  if (what == fault::clock_back)
    oracle_.events().clock_went_back(now());
  struck(what);
  node_.set_wall_forward_ms(what == fault::clock_back ? -jump_ms : jump_ms);
}

void driver::fill_disk(std::uint64_t bytes) {
  node_.disk.set_capacity_bytes(node_.disk.used_bytes() + bytes);
  full_ = true;
  oracle_.disk_is(true, true, now());
}

void driver::squeeze_disk() {
  if (full_)
    return;
  const auto used = node_.disk.used_bytes();
  node_.disk.set_capacity_bytes(used + used * squeezed_free_percent / 100);
  squeezed_ = true;
  oracle_.disk_is(false, true, now());
}

void driver::free_disk() {
  if (full_)
    struck(fault::room_again);
  node_.disk.set_capacity_bytes(std::numeric_limits<std::uint64_t>::max());
  full_ = squeezed_ = false;
  oracle_.disk_is(false, false, now());
}

void driver::calm_disk() {
  endpoints_->be_short_no_more();
  node_.disk.clear_faults();
  node_.disk.crash_after(std::numeric_limits<std::uint64_t>::max());
  free_disk();
  timed_orders_.clear();
  node_.hold_back(0);
  crash_at_rename_ = false;
  crash_in_job_.reset();
  crash_at_start_.reset();
  open_order_.reset();
  on_order_ = false;
}

void driver::struck(fault what) {
  say("strikes: " + std::string{to_string(what)});
  met_.struck(what);
  if (open_order_ && open_order_->what == what)
    open_order_.reset();
}

void driver::disk_said(const std::string& text) {
  const auto line = parse(text);
  const auto where = place_of(line);
  if (text.find("the machine is down") != text.npos) {
    if (!node_.running() && !starting_)
      return; // the last words of a node that is being ended
    oracle_.something_serious_failed();
    fault_while_starting_ = true;
    if (!std::exchange(machine_went_down_, true))
      struck(fault_at(fault::crash_append, where));
    return;
  }
  fault_while_starting_ = true;
  const bool no_space = text.find("No space left") != text.npos;
  const bool of_a_commit = line.operation == "sync" && ends_with_a_log(line) && !starting_;
  struck(fault_at(no_space ? fault::no_space_append : fault::io_error_append, where));
  if (line.operation == "append" && line.bytes > 0)
    struck(fault::short_write);
  if (no_space)
    oracle_.room_was_missing(now());
  if (!no_space || of_a_commit)
    oracle_.something_serious_failed();
  if (of_a_commit)
    oracle_.commit_sync_failed();
}

} // namespace vicket::sim
