#include "tests/sim/driver.hpp"

#include <algorithm>
#include <utility>

namespace vicket::sim {

namespace {

/// Longer than any wait between two attempts, and than what waits for a rate.
constexpr std::int64_t drain_ms = 150'000;
constexpr std::int64_t drain_step_ms = 2'000;
/// From the last answer to its record, and from the end of a full disk to the next look at it.
constexpr std::int64_t settle_ms = 2'200;
/// Twice the time between two looks at the retention, and a little.
constexpr std::int64_t two_looks_ms = 1'202'000;
/// Of the connectors one in so many does not exist at first.
constexpr std::uint32_t missing_connectors = 4;

endpoints::observer observe(oracle& judge, std::function<moment()> now, std::function<std::uint32_t()> life,
                            const tracer& trace, std::function<void()> was_short) {
  endpoints::observer told;
  told.was_short = std::move(was_short);
  told.requested = [&judge, now, life, &trace](std::uint64_t number, std::uint64_t serial,
                                               std::uint32_t connector, const std::string& host,
                                               const std::string& id, const std::string& body) {
    if (trace.on())
      trace.line("    request " + std::to_string(number) + ": event #" + std::to_string(serial) + " to " +
                 host + " at " + std::to_string(now().wall_ms));
    judge.arrived(number, serial, connector, id, body, life(), now(), host);
    judge.connectors().check_request(connector, host);
    judge.requested(connector, now());
  };
  told.responded = [&judge, now, &trace](std::uint64_t number, std::uint32_t connector, bool ok,
                                         std::int64_t retry_after_ms, std::size_t answer_bytes,
                                         const std::string& what) {
    if (trace.on())
      trace.line("    answer to request " + std::to_string(number) + ": " + what);
    const auto when = now();
    judge.events().responded(number, ok, retry_after_ms, answer_bytes, when);
    judge.starts().responded(connector, retry_after_ms > 0, when);
    // While a change is under way nobody knows whether it was this endpoint that was held.
    if ((what == "429" || what == "503") && retry_after_ms > 0 &&
        !judge.connectors().change_under_way(connector))
      judge.events().peace_was_asked(number, retry_after_ms, when);
  };
  return told;
}

} // namespace

driver::driver(const plan& made, settings with, const tracer& trace)
    : plan_{made}, with_{std::move(with)}, trace_{trace}, oracle_{made.shape},
      endpoints_{std::make_shared<endpoints>(made.seed, made.shape.connectors.size(),
                                             observe(
                                                 oracle_, [this] { return now(); },
                                                 [this] { return node_.life(); }, trace,
                                                 [this] {
                                                   struck(fault::shortage);
                                                   oracle_.node_was_short(now());
                                                 }))},
      node_{made,
            with_.folder,
            endpoints_,
            trace,
            {[this](const std::string& why) {
               say("the node's store failed: " + why);
               oracle_.node_failed(why, now());
             },
             [this](std::string_view line) { after_disk_line(line); },
             [this] { oracle_.events().time_is(now()); }, [this](disk_user user) { before_job(user); }}},
      wanted_{made.shape.connectors} {}

std::optional<complaint> driver::run(const std::vector<std::uint32_t>& kept) {
  set_up();
  for (const auto place : kept) {
    if (found_something())
      break;
    const auto& one = plan_.actions[place];
    if (trace_.on())
      trace_.line(describe(one, plan_.shape));
    node_.chance.start_over(mixed(one.draw, 1));
    order_of_handlers_ = dice{mixed(one.draw, 2)};
    carry_out(one);
    let_run(one.handlers);
    recover_if_down(mixed(one.draw, 3));
  }
  if (!found_something())
    drain();
  for (const auto& one : oracle_.complaints())
    if (std::none_of(with_.ignored.begin(), with_.ignored.end(),
                     [&](const std::string& text) { return one.rule.find(text) != one.rule.npos; }))
      return one;
  return std::nullopt;
}

bool driver::found_something() {
  const auto& all = oracle_.complaints();
  for (; judged_ < all.size(); ++judged_) {
    const auto& one = all[judged_];
    if (std::none_of(with_.ignored.begin(), with_.ignored.end(),
                     [&](const std::string& text) { return one.rule.find(text) != one.rule.npos; }))
      return true;
  }
  return false;
}

void driver::set_up() {
  node_.chance.start_over(mixed(plan_.seed, 11));
  order_of_handlers_ = dice{mixed(plan_.seed, 12)};
  start();
  for (std::uint32_t i = 0; i < plan_.shape.connectors.size(); ++i)
    if (i % missing_connectors != missing_connectors - 1)
      change(operation::put_new_connector, i, wanted_[i]);
  run_to_rest();
  copy_folder(mixed(plan_.seed, 13));
}

void driver::carry_out(const action& one) {
  switch (one.kind) {
  case action_kind::ask:
    return ask(one);
  case action_kind::order_fault:
    return order(one);
  case action_kind::pass_time:
    return pass_time(one.amount);
  case action_kind::let_lapse:
    if (node_.running())
      node_.wait_until(node_.steady_ms() + one.amount);
    return;
  case action_kind::set_mood:
    return endpoints_->set_mood(one.connector, static_cast<mood>(one.amount));
  case action_kind::answer_hanging:
    return endpoints_->answer_silent(static_cast<std::size_t>(one.amount), one.draw);
  case action_kind::run_background:
    return node_.run_background(static_cast<std::size_t>(one.amount));
  case action_kind::fill_disk:
    return fill_disk(static_cast<std::uint64_t>(one.amount));
  case action_kind::spare_disk:
    if (full_)
      fill_disk(static_cast<std::uint64_t>(one.amount));
    return;
  case action_kind::squeeze_disk:
    return squeeze_disk();
  case action_kind::kill: {
    dice chance{one.draw};
    return restart(chance.percent(40) ? power_loss::none : static_cast<power_loss>(chance.below(4)),
                   one.draw);
  }
  case action_kind::copy_folder:
    return copy_folder(one.draw);
  case action_kind::calm:
    return calm_disk();
  case action_kind::hold_back:
    return node_.hold_back(static_cast<std::uint64_t>(one.amount));
  case action_kind::audit:
    if (disk_is_well() && !squeezed_)
      audit(false);
    return;
  }
}

void driver::pass_retention() {
  endpoints_->all_are_well();
  endpoints_->answer_silent(std::numeric_limits<std::size_t>::max(), 0);
  run_to_rest();
  pass_time(settle_ms);
  const auto settled_before = node_.clock.wall_now().value;
  const auto life = node_.life();
  const bool well = disk_is_well() && !squeezed_;
  node_.set_wall_forward_ms(2 * plan_.shape.retention_ms + 60'000);
  // On a full disk persistence looks for room each second, and compactions are refused at once, as often as they are let: hours of
  // that would take minutes.
  const auto jobs = std::exchange(jobs_at_rest_, 2);
  pass_time(two_looks_ms);
  jobs_at_rest_ = jobs;
  if (well && disk_is_well() && !down() && node_.life() == life)
    oracle_.events().retention_has_passed_for(settled_before);
}

/// Everything that the node tells, compared with all that is known; nothing moves meanwhile.
void driver::audit(bool everything_has_drained) {
  pass_time(settle_ms);
  read_feeds_to_the_end();
  for (const auto number : sending_actions_)
    look_up_run(number, true);
  list();
  run_to_rest();
  if (down() || found_something())
    return;
  oracle_.events().check_ids();
  if (everything_has_drained) {
    oracle_.events().check_drained();
    oracle_.check_triggers(); // an event that waits may not have shown its id yet
  }
  look_up_status(true);
  run_to_rest();
  if (!down())
    oracle_.feed().check_complete(oracle_.events());
}

void driver::drain() {
  say("everything is well from now on");
  order_of_handlers_ = dice{mixed(plan_.seed, 14)};
  node_.chance.start_over(mixed(plan_.seed, 15));
  calm_disk();
  if (oracle_.something_serious_has_failed()) // else it would end for that now and then
    restart(power_loss::none, mixed(plan_.seed, 18));
  recover_if_down(mixed(plan_.seed, 16));
  endpoints_->all_are_well();
  node_.set_wall_forward_ms(
      std::max<std::int64_t>(0, oracle_.events().latest_ms() - node_.clock.wall_now().value));
  endpoints_->answer_silent(std::numeric_limits<std::size_t>::max(), 0);
  run_to_rest();
  pass_time(settle_ms);
  recover_if_down(mixed(plan_.seed, 17));
  list();
  run_to_rest();
  for (std::uint32_t i = 0; i < plan_.shape.connectors.size(); ++i)
    if (oracle_.connectors().may_exist(i) && !oracle_.connectors().change_under_way(i)) {
      wanted_[i].enabled = true;
      wanted_[i].events = {"e.*"};
      wanted_[i].filter_json.clear();
      change(operation::put_connector, i, wanted_[i]);
    }
  run_to_rest();
  send_what_was_not_answered();
  for (std::int64_t waited = 0; waited < drain_ms && !down() && !found_something(); waited += drain_step_ms) {
    pass_time(drain_step_ms);
    if (!oracle_.events().anything_pending())
      break;
  }
  if (down())
    oracle_.complain("a node that is well stays so", "it ended while everything was well");
  if (found_something())
    return;
  audit(true);
}

} // namespace vicket::sim
