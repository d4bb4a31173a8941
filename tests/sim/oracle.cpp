#include "tests/sim/oracle.hpp"

#include "policy/partitioning.hpp"

#include <algorithm>
#include <utility>

namespace vicket::sim {

namespace {

/// A node looks at a full disk every half second.
constexpr std::int64_t recovery_ms = 1'200;
/// And hears only then that there is room when a round has come back, for which the simulation lets time pass.
constexpr std::int64_t late_recovery_ms = 60'000;
/// The longest hold: one that was stored before the clock was set back is cut to it, by the clock of then.
constexpr std::int64_t longest_hold_ms = 600'000;
/// Beyond the last shortage: what the node waits until it tries again.
constexpr std::int64_t longest_pause_ms = 5'000;
/// Of a trigger: ten seconds, of which the last try may have had the end before it.
constexpr std::int64_t least_patience_ms = 9'700;

} // namespace

oracle::oracle(const world_shape& shape)
    : shape_{shape}, events_{shape, complaints_}, connectors_{shape.connectors.size(), complaints_},
      rules_{complaints_}, triggers_{[this](std::uint64_t number) { return form_of(number); },
                                     [this](const connector_id& id) { return number_of(id); }, complaints_},
      feed_{readers, complaints_}, starts_{shape, complaints_} {}

bool oracle::shortly_after(const moment& then, const moment& now) const {
  return now.steady_ms - then.steady_ms <= (shape_.late_rounds ? late_recovery_ms : recovery_ms);
}

// -- events and connectors ----------------------------------------------------------------------------------

void oracle::answered(std::uint64_t serial, const send_result& answer, const moment& now) {
  const auto& event = events_.events().at(serial);
  const auto sent = event.sent_at;
  if (failed_ && sent.order > failed_at_ && std::holds_alternative<accepted>(answer))
    complain("a store that failed acknowledges nothing",
             "event #" + std::to_string(serial) + " was accepted");
  if (const auto* no = std::get_if<refusal>(&answer)) {
    connectors_.check_refusal(event.sent.connector, no->code, sent, serial);
    check_transient(no->code, "event #" + std::to_string(serial), sent, now, true);
    check_known_id(event, no->code);
  } else if (!std::get<accepted>(answer).duplicate &&
             !connectors_.may_accept(event.sent.connector, look_of(serial), sent.order, now.order))
    complain("what a filter refuses is never accepted",
             "event #" + std::to_string(serial) + " of c" + std::to_string(event.sent.connector) + " was");
  events_.answered(serial, answer, now);
}

void oracle::arrived(std::uint64_t number, std::uint64_t named, std::uint32_t connector,
                     const std::string& id, const std::string& body, std::uint32_t life, const moment& now,
                     const std::string& host) {
  auto serial = named;
  const auto parsed = event_id::parse(id);
  if (parsed && triggers_.knows(named)) {
    serial = events_.serial_of(event_name_of(named), shape_.connectors[connector].id, *parsed);
    triggers_.arrived(named, connector, *parsed, body, rules_, &connectors_);
  } else if (const auto found = events_.events().find(named); found != events_.events().end()) {
    const auto& event = found->second;
    const auto until = event.answer == answer_kind::waiting ? now.order : event.answered_at.order;
    if (kind_in(body) != look_of(named).kind ||
        !connectors_.may_accept(connector, look_of(named), event.sent_at.order,
                                event.answer == answer_kind::lost ? now.order : until))
      complain("what a filter refuses is never sent",
               "event #" + std::to_string(named) + " came to c" + std::to_string(connector));
  }
  events_.requested(number, serial, id, body, life, now, host);
}

// -- rules and triggers ---------------------------------------------------------------------------------------

rule_form oracle::form_of(std::uint64_t number) const {
  return draw_rule(shape_.rule_seed, number, shape_.rule_targets);
}

std::optional<std::uint32_t> oracle::number_of(const connector_id& id) const {
  for (std::uint32_t which = 0; which < shape_.connectors.size(); ++which)
    if (shape_.connectors[which].id == id)
      return which;
  return std::nullopt;
}

void oracle::trigger_sent(const planned_trigger& value, std::uint32_t action, const moment& now) {
  events_.trigger_sent(value, action, now);
  triggers_.sent(value, now);
}

void oracle::trigger_answered(std::uint64_t serial, const trigger_answer& answer, const moment& now) {
  const auto sent = triggers_.sent_at(serial);
  const auto who = "trigger #" + std::to_string(serial);
  if (const auto* done = std::get_if<trigger_result>(&answer)) {
    if (failed_ && sent.order > failed_at_ &&
        std::any_of(done->events.begin(), done->events.end(), [](const triggered_event& one) {
          const auto* yes = std::get_if<accepted>(&one.result);
          return yes != nullptr && !yes->duplicate;
        }))
      complain("a store that failed acknowledges nothing", who + " was accepted");
    triggers_.answered(serial, *done, rules_, &connectors_, now);
    events_.trigger_answered(serial, *done, now);
    return;
  }
  const auto& why = std::get<refusal>(answer);
  const bool squeezed =
      disk_squeezed_ || last_squeezed_.order >= sent.order || shortly_after(last_squeezed_, now);
  // It says `unavailable` where a partition was full all the time.
  if (why.code != errc::unavailable || (!may_be_full(sent, now) && !squeezed))
    check_transient(why.code, who, sent, now, true);
  else if (!failed_ && !serious_ && !stopping_ && now.steady_ms - sent.steady_ms < least_patience_ms)
    complain("a trigger waits 10 s for room",
             who + " was given up after " + std::to_string(now.steady_ms - sent.steady_ms) + " ms");
  if (why.code == errc::storage_full)
    complain("a trigger waits for room", who + " was refused with storage_full");
  if (why.code == errc::invalid_event || why.code == errc::too_large)
    complain("a trigger that is well-formed is taken", who + ": " + why.detail);
  triggers_.ended(serial, now);
  if (why.code == errc::unavailable)
    triggers_.not_taken(serial, why.detail);
  events_.trigger_refused(serial, why.code == errc::unavailable, now);
}

void oracle::check_triggers() const {
  triggers_.check_whole(
      connectors_,
      [&](std::uint32_t which) { return partition_of(shape_.connectors[which].id, shape_.partitions); },
      [&](std::uint32_t which, const event_id& id) { return events_.is_there(which, id); });
}

void oracle::rule_done(std::size_t which, std::uint64_t number, bool is_delete, const moment& sent,
                       const moment& now) {
  rules_.done(which, now.order);
  if (is_delete)
    return;
  for (const auto& one : form_of(number).actions)
    if (!connectors_.may_have_existed(one.connector, sent.order))
      complain("a rule names connectors that exist",
               rule_name(which) + " was put, and there is no c" + std::to_string(one.connector));
}

void oracle::rule_refused(std::size_t which, std::uint64_t number, bool is_delete, const refusal& why,
                          const moment& sent, const moment& now) {
  if (is_delete && why.code == errc::not_found)
    return rules_.found_nothing(which, now.order);
  const auto who = std::string{is_delete ? "delete" : "put"} + " of " + rule_name(which);
  check_transient(why.code, who, sent, now, !is_delete);
  if (why.code == errc::unavailable)
    return rules_.unknown(which);
  rules_.refused(which);
  if (why.code == errc::too_large || why.code == errc::invalid_rule)
    complain("a put that is well-formed is taken", who + ": " + why.detail);
  if (why.code != errc::unknown_connector || is_delete)
    return;
  const auto actions = form_of(number).actions;
  if (std::none_of(actions.begin(), actions.end(), [&](const auto& one) {
        return connectors_.may_have_been_absent(one.connector, sent.order);
      }))
    complain("a rule is refused for a reason", who + ": " + why.detail);
}

/// One of the rules may have named it at some time since `sent`.
bool oracle::may_be_named(std::uint32_t which, const moment& sent, const moment& now) const {
  for (std::size_t rule = 0; rule < setting_book::count; ++rule)
    for (const auto& number : rules_.possible(rule, sent.order, now.order))
      if (number && form_of(*number).names_connector(which))
        return true;
  return false;
}

/// One of the rules named it all the time since `sent`.
bool oracle::is_named(std::uint32_t which, const moment& sent, const moment& now) const {
  for (std::size_t rule = 0; rule < setting_book::count; ++rule) {
    const auto possible = rules_.possible(rule, sent.order, now.order);
    if (std::all_of(possible.begin(), possible.end(),
                    [&](const auto& number) { return number && form_of(*number).names_connector(which); }))
      return true;
  }
  return false;
}

/// A known id is a duplicate, also where the event would be refused by now.
void oracle::check_known_id(const event_fact& event, errc code) {
  if (!event.sent.id || (code != errc::connector_disabled && code != errc::filtered))
    return;
  for (const auto& [serial, twin] : events_.events())
    if (serial != event.sent.serial && twin.sent.connector == event.sent.connector &&
        twin.sent.id == event.sent.id && twin.answer == answer_kind::accepted &&
        twin.answered_at.order < event.sent_at.order && !events_.may_be_forgotten(twin))
      complain("a known id is a duplicate, also where it would be refused by now",
               "event #" + std::to_string(event.sent.serial) + " was refused with " + to_string(code) +
                   ", and event #" + std::to_string(serial) + " with its id was accepted before");
}

/// Refusals that pass have a reason that passes.
void oracle::check_transient(errc code, const std::string& who, const moment& sent, const moment& now,
                             bool may_squeeze) {
  const bool squeezed =
      disk_squeezed_ || last_squeezed_.order >= sent.order || shortly_after(last_squeezed_, now);
  // Of several partitions one may fail and another be full; and what was refused before that may be heard after.
  const bool could_be_full = shape_.partitions > 1 || squeezed || may_be_full(sent, now);
  if (code == errc::storage_full && failed_ && !could_be_full) {
    complain("a store that failed is not called full", who + " was refused with storage_full");
  } else if (code == errc::storage_full) {
    if (!may_be_full(sent, now) && squeezed && !may_squeeze)
      complain("below the reserve, known connectors are still put and deleted", who + " was refused");
    if (!may_be_full(sent, now) && !squeezed)
      complain("the disk has room again, and the node takes events again without a restart",
               who + " was refused with storage_full");
  }
  if (code == errc::overloaded)
    complain("little is not too much", who + " was refused with overloaded");
  if (code == errc::unavailable && !failed_ && !serious_ && !stopping_)
    complain("a node that runs is there", who + " was refused with unavailable");
}

bool oracle::may_be_full(const moment& sent, const moment& now) const {
  return disk_full_ || last_full_.order >= sent.order || shortly_after(last_full_, now);
}

void oracle::change_refused(std::uint32_t which, operation what, const refusal& why, const moment& sent,
                            const moment& now) {
  const auto who = std::string{to_string(what)} + " of c" + std::to_string(which);
  const bool known = what == operation::delete_connector || connectors_.exists(which);
  check_transient(why.code, who, sent, now, !known);
  if (why.code == errc::invalid_connector)
    complain("a put that is well-formed is taken", who + ": " + why.detail);
  if (why.code == errc::not_found && connectors_.existed_before_change(which))
    complain("a connector that was put is there", who + " found nothing");
  if (why.code == errc::connector_busy && why.detail.starts_with("rules name") &&
      !may_be_named(which, sent, now))
    complain("a delete is refused for a reason", who + ": " + why.detail);
  if (why.code == errc::unavailable)
    return; // it may have happened
  connectors_.change_refused(which, now);
}

void oracle::deleted(std::uint32_t which, bool by_force, const moment& sent, const moment& now) {
  if (by_force)
    events_.forced_delete_answered(which, true, now);
  else if (events_.certainly_pending(which, sent.order))
    complain("a connector is not deleted while events wait for it", "c" + std::to_string(which) + " was");
  if (is_named(which, sent, now))
    complain("a connector that rules name is not deleted", "c" + std::to_string(which) + " was");
  connectors_.change_done(which, now);
}

void oracle::told(const node_status& status, const std::map<std::uint32_t, std::uint64_t>& open_requests) {
  auto pending = events_.pending();
  auto open = open_requests;
  std::uint64_t in_partitions = 0;
  std::uint64_t in_all = 0;
  for (const auto& one : status.connectors) {
    std::uint32_t which = 0;
    while (which < connectors_.count() && shape_.connectors[which].id != one.id)
      ++which;
    if (std::exchange(pending[which], 0) != one.pending)
      complain("the status agrees with a count", one.id.value + " is said to have " +
                                                     std::to_string(one.pending) + " pending, and has " +
                                                     std::to_string(events_.pending()[which]));
    if (std::exchange(open[which], 0) != one.in_flight)
      complain("the status agrees with a count",
               one.id.value + " is said to have " + std::to_string(one.in_flight) + " in flight");
    in_all += one.pending;
  }
  for (const auto& [which, count] : pending)
    if (count != 0)
      complain("the status agrees with a count", "c" + std::to_string(which) + " has " +
                                                     std::to_string(count) +
                                                     " pending, and is not mentioned");
  std::uint64_t in_flight = 0;
  for (const auto& one : status.partitions) {
    in_partitions += one.pending;
    in_flight += one.in_flight;
    if (one.counting)
      complain("what a start finds is counted", "partition " + std::to_string(one.number) + " still counts");
  }
  for (std::size_t i = 1; i < status.connectors.size(); ++i)
    if (!(status.connectors[i - 1].id < status.connectors[i].id))
      complain("the status is in the order of ids", status.connectors[i].id.value + " comes too late");
  for (const auto& one : status.connectors)
    if (one.oldest_pending_at.has_value() != (one.pending > 0))
      complain("the status agrees with a count", one.id.value + " has an oldest event, or has none");
  std::uint64_t open_in_all = 0;
  for (const auto& [which, count] : open_requests)
    open_in_all += count;
  if (in_flight != open_in_all)
    complain("the status agrees with a count", "the partitions are said to have " +
                                                   std::to_string(in_flight) + " in flight, and it is " +
                                                   std::to_string(open_in_all));
  if (in_partitions != in_all)
    complain("the status agrees with a count", "the partitions' sum is not the connectors'");
  if (!connectors_.all_are_certain())
    return;
  std::uint64_t configured = 0;
  for (std::uint32_t i = 0; i < connectors_.count(); ++i)
    configured += connectors_.exists(i) ? 1 : 0;
  if (configured != status.connectors_configured)
    complain("the status agrees with a count", std::to_string(status.connectors_configured) +
                                                   " connectors are said to be configured, and it is " +
                                                   std::to_string(configured));
}

// -- the disk -------------------------------------------------------------------------------------------------

void oracle::disk_is(bool full, bool squeezed, const moment& now) {
  if (disk_full_ || full)
    last_full_ = now;
  if (disk_squeezed_ || squeezed)
    last_squeezed_ = now;
  // What was full to the last byte has not room enough for its logs to be opened again, only because it is squeezed anew.
  disk_full_ = full || (disk_full_ && squeezed);
  disk_squeezed_ = squeezed;
}

/// On a disk that is squeezed there may be no more until somebody makes room.
void oracle::room_was_missing(const moment& now) {
  last_full_ = now;
  disk_full_ = disk_full_ || disk_squeezed_;
}

// -- requests ---------------------------------------------------------------------------------------------------

void oracle::requested(std::uint32_t connector, const moment& now) {
  starts_.requested(connector, connectors_.most_in_flight(connector, starts_.none_since(connector)), now);
}

void oracle::supervisor_died() {
  events_.supervisor_died();
  starts_.supervisor_died();
}

/// Who has something to start that nothing stands in the way of.
void oracle::look_at_starts(const moment& now) {
  const auto settled_ms = starts_.settle_ms();
  if (failed_ || disk_full_ || disk_squeezed_ || serious_ || stopping_ || !events_.clock_is_straight() ||
      now.steady_ms - last_full_.steady_ms < settled_ms ||
      now.steady_ms - last_short_.steady_ms < settled_ms + longest_pause_ms ||
      now.steady_ms - events_.clock_went_back_ms() < settled_ms + longest_hold_ms ||
      now.steady_ms - life_began_.steady_ms < settled_ms) {
    starts_.nobody_has_to_start();
    return;
  }
  auto all = events_.with_events_never_sent(now.steady_ms - settled_ms, now.wall_ms - settled_ms);
  std::erase_if(all, [&](std::uint32_t which) { return !connectors_.certainly_delivers(which); });
  starts_.at_rest(all, now);
}

// -- the node's lives -----------------------------------------------------------------------------------------

void oracle::life_began(const moment& now) {
  life_began_ = now;
  serious_ = commit_sync_failed_ = failed_ = stopping_ = false;
  events_.life_began(now);
  starts_.life_began();
}

void oracle::life_ended(const moment& now) {
  events_.answers_are_lost();
  connectors_.changes_are_lost();
  rules_.all_are_lost();
  triggers_.all_are_lost(now);
}

void oracle::node_failed(const std::string& why, const moment& now) {
  if (failed_)
    return;
  if (!serious_)
    complain("a node ends only for what it can't live with", why);
  failed_ = true;
  failed_at_ = now.order;
}

void oracle::start_failed(const std::string& why, bool fault_struck) {
  if (!fault_struck)
    complain("a node starts on what a crash has left", why);
}

void oracle::quiet(const moment& now) {
  if (commit_sync_failed_ && !failed_) // it has had every message
    complain("a failed sync ends the node", "it goes on");
  if (failed_)
    return;
  connectors_.quiet(now);
  triggers_.quiet(now);
  if (!disk_full_ && !disk_squeezed_ && !shortly_after(last_full_, now))
    events_.quiet(now);
}

// -- copies of the folder ---------------------------------------------------------------------------------------

void oracle::restored(const copy& older, const moment& now) {
  const auto latest = events_.latest_ms();
  auto put_back = older.events;
  put_back.put_back_after(events_);
  events_ = std::move(put_back);
  events_.time_is({std::max(latest, now.wall_ms), now.steady_ms, now.order});
  connectors_ = older.connectors;
  rules_ = older.rules;
  triggers_ = older.triggers;
  feed_.restored(older.cursors, older.newest_request);
}

} // namespace vicket::sim
