// A node's starts and ends, and how it is let run in between.
#include "tests/sim/driver.hpp"

#include <limits>
#include <utility>

namespace vicket::sim {

namespace {

constexpr int max_starts = 8;
/// Of one action: a node that does more is running in circles.
constexpr std::uint64_t max_handlers = 400'000;
constexpr std::int64_t stop_patience_ms = 32'000;

fault fault_of(power_loss loss) {
  switch (loss) {
  case power_loss::dropped:
    return fault::crash_dropped;
  case power_loss::torn:
    return fault::crash_torn;
  default:
    return fault::crash_reordered;
  }
}

power_loss loss_drawn(std::uint64_t draw) {
  static constexpr std::array all = {power_loss::dropped, power_loss::torn, power_loss::reordered};
  return all[draw % all.size()];
}

} // namespace

/// As an operator does: again, when it did not start; but then without what kept it from it.
void driver::start() {
  for (int i = 0; i < max_starts; ++i) {
    if (const auto operations = std::exchange(crash_at_start_, std::nullopt))
      node_.disk.crash_after(*operations);
    if (open_order_)
      order_on_disk(open_order_->what, open_order_->after, open_order_->draw);
    fault_while_starting_ = false;
    starting_ = true;
    const auto why = node_.start();
    starting_ = false;
    reading_.fill(false);
    if (!why) {
      say("the node runs");
      oracle_.life_began(now());
      look_at_rules();
      return;
    }
    say("the node did not start: " + *why);
    oracle_.start_failed(*why, fault_while_starting_);
    if (found_something())
      return;
    calm_disk();
    const auto draw = mixed(plan_.seed, node_.life());
    const auto loss = std::exchange(machine_went_down_, false) ? loss_drawn(draw) : power_loss::none;
    if (loss != power_loss::none)
      struck(fault_of(loss));
    node_.kill(loss, draw);
  }
  oracle_.complain("a node starts on what a crash has left", "it does not, whatever an operator does");
}

void driver::restart(power_loss loss, std::uint64_t draw, const std::function<void()>& while_down) {
  oracle_.life_ended(now());
  if (loss == power_loss::chance)
    loss = loss_drawn(draw);
  if (loss != power_loss::none)
    struck(fault_of(loss));
  machine_went_down_ = false;
  node_.kill(loss, draw);
  say("the node is down");
  if (while_down)
    while_down();
  start();
}

void driver::recover_if_down(std::uint64_t draw) {
  // A start may meet a fault, too; and the fault that ends a node may strike once more.
  for (int i = 0; i < max_starts && down() && !found_something(); ++i) {
    const bool power_is_gone = node_.disk.crashed() || draw % 2 == 0;
    restart(power_is_gone ? power_loss::chance : power_loss::none,
            mixed(draw, static_cast<std::uint64_t>(i)));
    run_to_rest();
  }
}

void driver::stop_and_restart(std::uint64_t draw, const std::function<void()>& while_down) {
  if (down())
    recover_if_down(draw);
  if (found_something())
    return;
  oracle_.stopping();
  std::optional<bool> clean;
  node_.begin_stop([&clean](bool all_recorded) { clean = all_recorded; });
  const auto until = node_.steady_ms() + stop_patience_ms;
  run_to_rest();
  while (!clean && !down() && node_.steady_ms() < until) {
    node_.wait_until(until);
    run_to_rest();
  }
  if (!down() && !clean)
    oracle_.complain("a stop comes to an end", "it did not within 32 s");
  say(clean ? *clean ? "the node has stopped" : "the node has stopped, with deliveries in flight"
            : "the node was ended while it stopped");
  if (clean && *clean && !down())
    oracle_.stopped_cleanly();
  const bool power_is_gone = node_.disk.crashed() || draw % 4 == 0;
  restart(power_is_gone ? power_loss::chance : power_loss::none, draw, while_down);
}

void driver::copy_folder(std::uint64_t draw) {
  stop_and_restart(draw, [this] {
    if (copies_.size() == max_copies)
      copies_.erase(copies_.begin());
    copies_.push_back({node_.copy(), oracle_.take_copy(endpoints_->newest())});
  });
}

void driver::restore_folder(std::uint64_t draw) {
  stop_and_restart(draw, [this, draw] {
    if (copies_.empty())
      return;
    const auto& chosen = copies_[draw / 7 % copies_.size()];
    say("an older copy is put back");
    node_.restore(chosen.files);
    oracle_.restored(chosen.knowledge, now());
  });
  list();
}

void driver::let_run(std::uint32_t handlers) {
  if (handlers == action::to_quiet) {
    run_to_rest();
    return;
  }
  for (; handlers > 0 && !node_.disk.crashed() && node_.running() && node_.run_one(order_of_handlers_, false);
       --handlers)
    ++handlers_;
}

void driver::run_to_rest() {
  strike_at_time();
  std::uint64_t count = 0;
  while (node_.running() && !node_.disk.crashed() && node_.run_one(order_of_handlers_, true)) {
    ++handlers_;
    if (++count > max_handlers) {
      oracle_.complain("a node comes to rest", "it runs in circles");
      return;
    }
  }
  if (!node_.running() || node_.disk.crashed())
    return;
  if (order_of_handlers_.percent(60))
    node_.run_background(jobs_at_rest_);
  look_at_rules();
  oracle_.quiet(now());
  if (disk_is_well() && !squeezed_)
    oracle_.look_at_starts(now());
  else
    oracle_.starts().nobody_has_to_start();
  if (disk_is_well() && !down())
    met_.at_rest();
}

void driver::pass_time(std::int64_t duration_ms) {
  const auto until = node_.steady_ms() + duration_ms;
  while (node_.steady_ms() < until && !down() && !found_something()) {
    node_.wait_until(until);
    run_to_rest();
  }
}

} // namespace vicket::sim
