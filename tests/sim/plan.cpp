#include "tests/sim/plan.hpp"

#include "tests/sim/dice.hpp"
#include "tests/sim/rule_form.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>

namespace vicket::sim {

namespace {

constexpr std::string_view event_prefix = "e.";
constexpr unsigned storm_percent = 5; ///< of actions that begin one; it is ten times as long
constexpr std::uint32_t small_bytes = 20;
constexpr std::uint32_t large_bytes = 24'000; ///< a few of them fill a memtable

event_id id_of(std::uint64_t seed, std::uint64_t serial) {
  event_id id;
  for (std::size_t i = 0; i < 16; ++i)
    id.bytes[i] = static_cast<std::uint8_t>(mixed(mixed(seed, 0x1d), serial * 2 + i / 8) >> (i % 8 * 8));
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0f) | 0x40);
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3f) | 0x80);
  return id;
}

connector make_connector(std::uint32_t number, dice& chance) {
  connector made;
  made.id = {"c" + std::to_string(number)};
  made.url = "https://c" + std::to_string(number) + ".example.com/hook";
  made.secret.value = "a-secret-of-24-characters";
  made.events = {"e.*"};
  made.max_in_flight = static_cast<std::uint32_t>(chance.pick(std::vector<int>{1, 2, 4, 16}));
  if (chance.percent(15))
    made.filter_json = text_of(chance.percent(50) ? filter_form::by_kind : filter_form::by_name);
  if (chance.percent(20))
    made.rate = rate_limit{20, 1'000, 5};
  made.retry.base_ms = chance.between(200, 2'000);
  made.retry.cap_ms = chance.between(4'000, 16'000);
  made.retry.max_attempts = chance.percent(25) ? 3 : 0;
  made.retry.max_age_ms = chance.percent(25) ? 60'000 : 24LL * 3600 * 1000;
  return made;
}

world_shape make_shape(std::uint64_t seed) {
  dice chance{mixed(seed, 1)};
  world_shape shape;
  shape.partitions = static_cast<std::uint32_t>(chance.pick(std::vector<int>{1, 1, 2, 3}));
  const auto connectors = chance.pick(std::vector<int>{1, 3, 3, 6, 24});
  for (int i = 0; i < connectors; ++i)
    shape.connectors.push_back(make_connector(static_cast<std::uint32_t>(i), chance));
  for (int i = 0; i < connectors; ++i) // few: what rules name can't be deleted
    if (chance.percent(30) || (i == connectors - 1 && shape.rule_targets.empty()))
      shape.rule_targets.push_back(static_cast<std::uint32_t>(i));
  shape.rule_seed = seed;
  shape.retention_ms = 30 * 60'000;
  shape.attempt_wait_ms = chance.percent(50) ? 5 : 0;
  shape.late_rounds = chance.percent(33);
  shape.window_events = static_cast<std::size_t>(chance.pick(std::vector<int>{2, 8, 256}));
  shape.max_unindexed = static_cast<std::size_t>(chance.pick(std::vector<int>{8, 64, 65'536}));
  shape.max_in_flight = static_cast<std::size_t>(chance.percent(50) ? 10'000 : chance.between(1, 16));
  shape.history_bytes = static_cast<std::size_t>(chance.pick(std::vector<int>{1'500, 8'000, 4 << 20}));
  shape.kept_history_bytes =
      static_cast<std::uint64_t>(chance.pick(std::vector<int>{2'000, 20'000, 1 << 30}));
  // Of the least not even one large event fits, and of the next a few.
  shape.window_memory_bytes =
      static_cast<std::size_t>(chance.pick(std::vector<int>{10'000, 80'000, 64 << 20}));
  shape.supervisor_idle_ms = chance.pick(std::vector<std::int64_t>{200, 3'000, 30'000});
  return shape;
}

/// Decides on one action after the other; knows what was sent before, to send it again.
class planner {
public:
  planner(plan& made, std::uint32_t actions) : made_{made}, wanted_{actions} {}

  void run() {
    while (made_.actions.size() < wanted_) {
      dice chance{mixed(mixed(made_.seed, 2), made_.actions.size())};
      if (chance.percent(storm_percent))
        storm(chance);
      else
        quiet_action(chance);
    }
    made_.actions.resize(wanted_);
  }

private:
  struct sent {
    std::uint32_t connector;
    event_id id;
  };

  action& add(action_kind kind, dice& chance) {
    auto& made = made_.actions.emplace_back();
    made.number = static_cast<std::uint32_t>(made_.actions.size() - 1);
    made.kind = kind;
    made.draw = mixed(mixed(made_.seed, 3), made.number);
    made.connector = any_connector(chance);
    return made;
  }

  std::uint32_t any_connector(dice& chance) const {
    return static_cast<std::uint32_t>(chance.below(made_.shape.connectors.size()));
  }

  std::uint32_t some_handlers(dice& chance) const {
    return chance.percent(50) ? action::to_quiet : static_cast<std::uint32_t>(chance.below(16));
  }

  planned_event new_event(const action& of, std::uint64_t place, bool with_id, bool large, dice& chance) {
    planned_event made;
    made.serial = of.number * events_per_action + place;
    made.connector = any_connector(chance);
    made.data_bytes = large ? large_bytes : small_bytes;
    if (with_id) {
      made.id = id_of(made_.seed, made.serial);
      sent_.push_back({made.connector, *made.id});
    }
    return made;
  }

  /// Mostly of the last ones, which may still be under way.
  sent earlier(dice& chance) const {
    const auto span = chance.percent(70) ? std::min<std::size_t>(sent_.size(), 12) : sent_.size();
    return sent_[sent_.size() - 1 - static_cast<std::size_t>(chance.below(span))];
  }

  void add_trigger(action& to, const std::optional<event_id>& id, std::uint32_t kind, bool large) {
    planned_trigger made;
    made.serial = to.number * events_per_action + to.triggers.size() * events_per_trigger;
    made.id = id;
    made.kind = kind;
    made.data_bytes = large ? large_bytes : small_bytes;
    if (id)
      triggered_.push_back({*id, kind});
    to.triggers.push_back(made);
  }

  void add_triggers(action& to, bool large, dice& chance) {
    const auto again = to.asked == operation::repeat_trigger && !triggered_.empty();
    auto left = to.asked == operation::send_trigger_batch ? chance.between(2, 5) : std::int64_t{1};
    for (; left > 0; --left) {
      const auto serial = to.number * events_per_action + to.triggers.size() * events_per_trigger;
      if (again || (to.asked == operation::send_trigger_batch && !triggered_.empty() && chance.percent(10))) {
        const auto span =
            chance.percent(70) ? std::min<std::size_t>(triggered_.size(), 6) : triggered_.size();
        const auto first = triggered_[triggered_.size() - 1 - static_cast<std::size_t>(chance.below(span))];
        add_trigger(to, first.id, first.kind, large);
      } else if (chance.percent(70)) {
        add_trigger(to, id_of(made_.seed, serial), look_of(serial).kind, large);
      } else {
        add_trigger(to, std::nullopt, look_of(serial).kind, large);
      }
    }
  }

  void add_events(action& to, bool large, dice& chance) {
    switch (to.asked) {
    case operation::send_trigger:
    case operation::send_trigger_batch:
    case operation::repeat_trigger:
      return add_triggers(to, large, chance);
    case operation::send:
    case operation::send_with_id:
      to.events.push_back(new_event(to, 0, to.asked == operation::send_with_id, large, chance));
      break;
    case operation::send_batch:
    case operation::repeat_in_batch: {
      const auto count = static_cast<std::uint64_t>(chance.between(2, 12));
      for (std::uint64_t i = 0; i < count; ++i)
        to.events.push_back(new_event(to, i, chance.percent(70), large, chance));
      if (to.asked == operation::repeat_in_batch)
        repeat_within(to, count, chance);
      break;
    }
    case operation::repeat:
    case operation::repeat_elsewhere: {
      auto event = new_event(to, 0, false, large, chance);
      const auto first =
          sent_.empty() ? sent{event.connector, id_of(made_.seed, event.serial)} : earlier(chance);
      event.id = first.id;
      if (to.asked == operation::repeat)
        event.connector = first.connector;
      sent_.push_back({event.connector, first.id});
      to.events.push_back(event);
      break;
    }
    default:
      break;
    }
  }

  void repeat_within(action& to, std::uint64_t count, dice& chance) {
    auto again = to.events[static_cast<std::size_t>(chance.below(count))];
    if (!again.id) {
      again.id = id_of(made_.seed, again.serial);
      to.events[static_cast<std::size_t>(again.serial % events_per_action)].id = again.id;
    }
    again.serial = to.number * events_per_action + count;
    to.events.push_back(again);
  }

  void ask(operation what, std::uint32_t handlers, bool large, dice& chance) {
    auto& made = add(action_kind::ask, chance);
    made.asked = what;
    made.handlers = handlers;
    add_events(made, large, chance);
  }

  void quiet_action(dice& chance) {
    struct weighted {
      action_kind kind;
      operation asked;
      unsigned weight; ///< of about 1,000
    };
    using op = operation;
    constexpr auto user = action_kind::ask;
    constexpr auto no_op = operation::send;
    static constexpr auto table = std::to_array<weighted>({
        {user, op::send, 140},
        {user, op::send_with_id, 140},
        {user, op::send_batch, 90},
        {user, op::repeat_in_batch, 25},
        {user, op::repeat, 80},
        {user, op::repeat_elsewhere, 30},
        {user, op::put_connector, 20},
        {user, op::put_new_connector, 15},
        {user, op::put_other_url, 12},
        {user, op::disable_connector, 15},
        {user, op::enable_connector, 25},
        {user, op::delete_connector, 12},
        {user, op::read_feed, 80},
        {user, op::look_up_run, 25},
        {user, op::look_up_event, 25},
        {user, op::look_up_status, 15},
        {user, op::list_connectors, 10},
        {user, op::pass_retention, 3},
        {user, op::stop, 4},
        {user, op::restore, 5},
        {user, op::put_rule, 30},
        {user, op::delete_rule, 15},
        {user, op::send_trigger, 50},
        {user, op::send_trigger_batch, 25},
        {user, op::repeat_trigger, 40},
        {action_kind::pass_time, no_op, 100},
        {action_kind::set_mood, no_op, 40},
        {action_kind::answer_hanging, no_op, 40},
        {action_kind::run_background, no_op, 30},
        {action_kind::fill_disk, no_op, 5},
        {action_kind::squeeze_disk, no_op, 4},
        {action_kind::kill, no_op, 5},
        {action_kind::copy_folder, no_op, 4},
        {action_kind::calm, no_op, 5},
        {action_kind::hold_back, no_op, 12},
        {action_kind::audit, no_op, 4},
    });
    unsigned total = 0;
    for (const auto& one : table)
      total += one.weight;
    auto drawn = chance.below(total);
    const auto* chosen = table.data();
    while (drawn >= chosen->weight)
      drawn -= (chosen++)->weight;
    if (chosen->kind == action_kind::ask) {
      ask(chosen->asked, some_handlers(chance), chance.percent(4), chance);
      return;
    }
    auto& made = add(chosen->kind, chance);
    made.handlers = some_handlers(chance);
    made.amount = amount_of(chosen->kind, chance);
    if (chosen->kind == action_kind::fill_disk) // and sooner or later there is room again
      storm_after_full(chance);
  }

  static std::int64_t amount_of(action_kind kind, dice& chance) {
    switch (kind) {
    case action_kind::pass_time:
      return chance.pick(std::vector<std::int64_t>{1, 10, 100, 1'000, 1'000, 5'000, 20'000});
    case action_kind::set_mood:
      return static_cast<std::int64_t>(chance.below(mood_count));
    case action_kind::answer_hanging:
      return chance.between(1, 20);
    case action_kind::run_background:
      return chance.between(1, 4);
    case action_kind::fill_disk:
      return chance.pick(std::vector<std::int64_t>{0, 100, 2'000, 100'000});
    case action_kind::hold_back:
      return chance.percent(50) ? 0 : chance.between(1, 1'000'000);
    default:
      return 0;
    }
  }

  /// Some operations, and time, while the disk is full; then there is room.
  void storm_after_full(dice& chance) {
    some_operations(chance, 6, false);
    if (chance.percent(25))
      order(fault::supervisor_death, 0, chance);
    wait(chance, 1'000);
    if (chance.percent(30)) { // first so little that only one partition gets on
      simple(action_kind::spare_disk, chance.between(1'050'000, 2'500'000), 0, chance);
      wait(chance, 1'000);
      some_operations(chance, 3, false);
    }
    order(fault::room_again, 0, chance);
    some_operations(chance, 3, false);
    if (chance.percent(60))
      ask(chance.pick(std::vector{operation::stop, operation::restore, operation::pass_retention}),
          action::to_quiet, false, chance);
    wait(chance, 1'500);
    simple(action_kind::calm, 0, 0, chance);
    wait(chance, 1'500);
  }

  void wait(dice& chance, std::int64_t duration_ms) {
    auto& made = add(action_kind::pass_time, chance);
    made.amount = duration_ms;
  }

  void order(fault what, std::uint32_t after, dice& chance) {
    auto& made = add(action_kind::order_fault, chance);
    made.ordered = what;
    made.after = after;
    made.handlers = 0;
  }

  void simple(action_kind kind, std::int64_t amount, std::uint32_t handlers, dice& chance) {
    auto& made = add(kind, chance);
    made.amount = amount;
    made.handlers = handlers;
  }

  static bool ends_the_node(operation what) {
    return what == operation::stop || what == operation::restore || what == operation::pass_retention;
  }

  /// Different ones, all started before the first is answered.
  void some_operations(dice& chance, std::size_t count, bool large, std::uint32_t max_handlers = 3) {
    std::vector<operation> all;
    for (std::size_t i = 0; i < operation_count; ++i)
      if (!ends_the_node(static_cast<operation>(i)))
        all.push_back(static_cast<operation>(i));
    chance.shuffle(all);
    all.resize(count);
    for (const auto what : all)
      ask(what, static_cast<std::uint32_t>(chance.below(max_handlers + 1)), large, chance);
  }

  void ask_of(std::uint32_t which, operation what, std::uint32_t handlers, dice& chance) {
    ask(what, handlers, false, chance);
    made_.actions.back().connector = which;
    for (auto& event : made_.actions.back().events)
      event.connector = which;
  }

  /// A connector goes when its supervisor is about to retire, and others come: what the supervisor still says may
  /// come when another one has its place.
  void change_hands(dice& chance) {
    const auto leaving = any_connector(chance);
    simple(action_kind::calm, 0, 0, chance);
    simple(action_kind::set_mood, static_cast<std::int64_t>(mood::well), 0, chance);
    made_.actions.back().connector = leaving;
    simple(action_kind::answer_hanging, 100, action::to_quiet, chance);
    wait(chance, 20'000);
    ask_of(leaving, operation::send, action::to_quiet, chance);
    wait(chance, std::max<std::int64_t>(1, made_.shape.supervisor_idle_ms - 30));
    simple(action_kind::hold_back, chance.between(1, 1'000'000), 0, chance);
    for (int i = 0; i < 2; ++i)
      simple(action_kind::let_lapse, 40, static_cast<std::uint32_t>(chance.below(4)), chance);
    ask_of(leaving, operation::delete_connector, static_cast<std::uint32_t>(chance.below(12)), chance);
    for (int i = 0; i < 3; ++i) {
      const auto coming = any_connector(chance);
      ask_of(coming, operation::put_new_connector, static_cast<std::uint32_t>(chance.below(12)), chance);
      ask_of(coming, operation::send, static_cast<std::uint32_t>(chance.below(12)), chance);
    }
    wait(chance, 50);
    simple(action_kind::hold_back, 0, 0, chance);
  }

  /// The endpoints hang, and more is sent to two connectors than there are places for, and a little to others; then answers
  /// come one by one, and each place goes to somebody.
  void crowd(dice& chance) {
    const auto count = static_cast<std::uint32_t>(made_.shape.connectors.size());
    const auto first = any_connector(chance);
    simple(action_kind::calm, 0, 0, chance);
    for (std::uint32_t i = 0; i < std::min(count, 6u); ++i) {
      simple(action_kind::set_mood, static_cast<std::int64_t>(mood::silent), 0, chance);
      made_.actions.back().connector = (first + i) % count;
    }
    for (int i = 0; i < 3; ++i)
      for (std::uint32_t crowded = 0; crowded < 2; ++crowded)
        ask_of((first + crowded) % count, operation::send_batch, some_handlers(chance), chance);
    for (std::uint32_t i = 2; i < std::min(count, 6u); ++i)
      ask_of((first + i) % count, operation::send, some_handlers(chance), chance);
    wait(chance, 4'000);
    for (int i = 0; i < 24; ++i)
      simple(action_kind::answer_hanging, chance.between(1, 2), action::to_quiet, chance);
  }

  /// One fault, and what is asked of the node while it strikes.
  void storm(dice& chance) {
    if (made_.shape.max_in_flight <= 16 && chance.percent(20))
      return crowd(chance);
    if (chance.percent(5))
      return change_hands(chance);
    const auto what = some_fault(chance);
    if (chance.percent(30))
      simple(action_kind::set_mood, static_cast<std::int64_t>(chance.below(mood_count)), 0, chance);
    if (what == fault::room_again) {
      simple(action_kind::fill_disk, chance.between(0, 400), 0, chance);
      storm_after_full(chance);
      return;
    }
    if (is_in_compaction(what)) // tables to compact: each start makes some
      for (int i = 0; i < 4; ++i) {
        ask(operation::send_batch, 30, false, chance);
        simple(action_kind::kill, 0, 0, chance);
      }
    const auto after = static_cast<std::uint32_t>(chance.below(chance.percent(60) ? 2 : 10));
    const bool large = is_in_background(what);
    if (is_at_open(what) && !is_crash(what) && chance.percent(60)) // a full disk is left by opening again
      order(fault::no_space_append, 0, chance);
    order(what, after, chance);
    if (chance.percent(90)) { // mostly before anything else has run, so that the fault strikes in it
      some_operations(chance, 10, large, chance.percent(70) ? 0 : 3);
      static const std::vector ends = {operation::stop, operation::restore, operation::pass_retention};
      ask(chance.pick(ends), action::to_quiet, false, chance);
    } else {
      some_operations(chance, 10, large);
    }
    strike(what, chance);
    wait(chance, chance.percent(50) ? 20 : 1'000);
    some_operations(chance, 3, large);
    simple(action_kind::calm, 0, 0, chance);
    wait(chance, 1'500);
  }

  /// What strikes seldom although it was ordered comes oftener than what strikes often although it was not.
  static fault some_fault(dice& chance) {
    const auto drawn = static_cast<fault>(chance.below(fault_count));
    if (drawn == fault::no_space_append || drawn == fault::short_write || drawn == fault::crash_append ||
        (drawn >= fault::crash_dropped && drawn <= fault::crash_reordered) || chance.percent(20)) {
      static const std::vector seldom = {
          fault::no_space_sync,      fault::no_space_flush,    fault::no_space_open,
          fault::no_space_rename,    fault::no_space_manifest, fault::no_space_compaction,
          fault::io_error_sync,      fault::io_error_flush,    fault::io_error_open,
          fault::io_error_rename,    fault::io_error_manifest, fault::io_error_compaction,
          fault::crash_compaction,   fault::crash_compaction,  fault::io_error_compaction,
          fault::clock_back,         fault::clock_forward,     fault::io_error_append,
          fault::crash_sync,         fault::crash_compaction,  fault::shortage,
          fault::crash_flush,        fault::crash_flush,       fault::crash_flush,
          fault::no_space_compaction};
      if (chance.percent(15))
        return drawn;
      return chance.pick(seldom);
    }
    return drawn;
  }

  /// What gives the fault that was ordered its chance.
  void strike(fault what, dice& chance) {
    if (is_in_background(what))
      simple(action_kind::run_background, 100, static_cast<std::uint32_t>(chance.below(30)), chance);
    if (is_at_open(what) && (chance.percent(40) || is_crash(what)))
      simple(action_kind::kill, 0, action::to_quiet, chance);
  }

  static bool is_crash(fault what) { return what >= fault::crash_append && what <= fault::crash_reordered; }
  static bool is_in_compaction(fault what) {
    return what == fault::no_space_compaction || what == fault::io_error_compaction ||
           what == fault::crash_compaction;
  }
  static bool is_in_background(fault what) {
    return is_in_compaction(what) || what == fault::no_space_flush || what == fault::io_error_flush ||
           what == fault::crash_flush;
  }
  static bool is_at_open(fault what) {
    return what == fault::no_space_open || what == fault::io_error_open || what == fault::crash_open ||
           what == fault::no_space_rename || what == fault::io_error_rename || what == fault::crash_rename ||
           what == fault::no_space_manifest || what == fault::io_error_manifest ||
           what == fault::crash_manifest;
  }
  plan& made_;
  const std::uint32_t wanted_;
  std::vector<sent> sent_;
  struct triggered {
    event_id id;
    std::uint32_t kind;
  };
  std::vector<triggered> triggered_;
};

std::string describe_events(const std::vector<planned_event>& events) {
  std::string text;
  for (const auto& one : events) {
    text += " #" + std::to_string(one.serial) + ">c" + std::to_string(one.connector);
    if (one.id)
      text += "(" + one.id->to_string().substr(0, 8) + ")";
    if (one.data_bytes > small_bytes)
      text += "+" + std::to_string(one.data_bytes);
  }
  return text;
}

std::string describe_triggers(const std::vector<planned_trigger>& triggers) {
  std::string text;
  for (const auto& one : triggers)
    text += " #" + std::to_string(one.serial) + " of kind " + std::to_string(one.kind) +
            (one.id ? "(" + one.id->to_string().substr(0, 8) + ")" : "");
  return text;
}

} // namespace

const char* to_string(mood value) {
  static constexpr std::array names = {"well", "failing", "busy", "broken", "silent", "mixed"};
  return names[static_cast<std::size_t>(value)];
}

plan make_plan(std::uint64_t seed, std::uint32_t actions) {
  plan made;
  made.seed = seed;
  made.shape = make_shape(seed);
  planner{made, actions}.run();
  return made;
}

std::string run_of(std::uint32_t action_number) {
  return "run-" + std::to_string(action_number);
}

std::string event_name_of(std::uint64_t serial) {
  return std::string{event_prefix} + std::to_string(serial);
}

std::optional<std::uint64_t> serial_of_event_name(const std::string& name) {
  std::uint64_t serial = 0;
  if (!name.starts_with(event_prefix))
    return std::nullopt;
  const auto* from = name.data() + event_prefix.size();
  const auto* to = name.data() + name.size();
  const auto [end, error] = std::from_chars(from, to, serial);
  return error == std::errc{} && end == to ? std::optional{serial} : std::nullopt;
}

std::string_view name_of(const action& one) {
  static constexpr std::array names = {"ask",        "order_fault",    "pass_time",      "let_lapse",
                                       "set_mood",   "answer_hanging", "run_background", "fill_disk",
                                       "spare_disk", "squeeze_disk",   "kill",           "copy_folder",
                                       "calm",       "hold_back",      "audit"};
  if (one.kind == action_kind::ask)
    return to_string(one.asked);
  return one.kind == action_kind::order_fault ? to_string(one.ordered)
                                              : names[static_cast<std::size_t>(one.kind)];
}

std::string describe(const action& one, const world_shape& shape) {
  auto text = std::to_string(one.number) + ": ";
  const auto& target = shape.connectors[one.connector].id.value;
  switch (one.kind) {
  case action_kind::ask:
    text += to_string(one.asked);
    if (!one.triggers.empty())
      text += describe_triggers(one.triggers);
    else
      text += one.events.empty() ? " " + target : describe_events(one.events);
    break;
  case action_kind::order_fault:
    text += "fault ";
    text += to_string(one.ordered);
    text += " after " + std::to_string(one.after);
    break;
  case action_kind::pass_time:
    text += "pass " + std::to_string(one.amount) + " ms";
    break;
  case action_kind::let_lapse:
    text += "at most " + std::to_string(one.amount) + " ms lapse";
    break;
  case action_kind::set_mood:
    text += "endpoint of " + target + " is " + to_string(static_cast<mood>(one.amount));
    break;
  case action_kind::answer_hanging:
    text += "answer " + std::to_string(one.amount) + " silent requests";
    break;
  case action_kind::run_background:
    text += "run " + std::to_string(one.amount) + " background jobs";
    break;
  case action_kind::fill_disk:
    text += "disk full after " + std::to_string(one.amount) + " bytes";
    break;
  case action_kind::spare_disk:
    text += "disk full after " + std::to_string(one.amount) + " bytes more";
    break;
  case action_kind::squeeze_disk:
    text += "disk below its reserve";
    break;
  case action_kind::kill:
    text += "kill";
    break;
  case action_kind::copy_folder:
    text += "copy the folder";
    break;
  case action_kind::calm:
    text += "the disk is well again";
    break;
  case action_kind::hold_back:
    text +=
        one.amount == 0 ? "nobody is held back" : "some are held back, drawn " + std::to_string(one.amount);
    break;
  case action_kind::audit:
    text += "audit";
    break;
  }
  if (one.handlers != action::to_quiet)
    text += "; then " + std::to_string(one.handlers) + " handlers";
  return text;
}

std::string describe(const world_shape& shape) {
  return std::to_string(shape.partitions) + " partitions, " + std::to_string(shape.connectors.size()) +
         " connectors, window " + std::to_string(shape.window_events) + ", windows " +
         std::to_string(shape.window_memory_bytes) + " bytes, supervisors stay " +
         std::to_string(shape.supervisor_idle_ms) + " ms, unindexed at most " +
         std::to_string(shape.max_unindexed) + ", attempts wait " + std::to_string(shape.attempt_wait_ms) +
         " ms, places " + std::to_string(shape.max_in_flight) + ", pages of history " +
         std::to_string(shape.history_bytes) + " bytes, history at most " +
         std::to_string(shape.kept_history_bytes) + " bytes" +
         (shape.late_rounds ? ", rounds come back late" : "");
}

} // namespace vicket::sim
