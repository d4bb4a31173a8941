#include "tests/sim/event_book.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <string_view>

namespace vicket::sim {

namespace {

/// From the answer to its record: `attempt_wait_ms`, and on a disk that was full the next look at it.
constexpr std::int64_t settle_ms = 1'500;

/// What an attempt takes besides its answer, at most.
constexpr std::uint64_t most_record_bytes = 300;

/// With so much for windows nothing of what waits for the disk is dropped.
constexpr std::size_t ample_window_bytes = 64u << 20;

/// The longest time for which an endpoint's `Retry-After` holds its connector.
constexpr std::int64_t longest_hold_ms = 600'000;

bool means_nothing_was_stored(errc code) {
  return code != errc::unavailable;
}

bool is_refused(const event_fact& event) {
  return event.answer == answer_kind::refused || event.answer == answer_kind::duplicate;
}

} // namespace

std::string mark_of(std::uint64_t request) {
  return "#" + std::to_string(request) + " ";
}

bool is_cut_off(const attempt& value) {
  return value.response_body.empty() && (value.response_truncated || value.response_body_bytes > 0);
}

bool is_given_up(const attempt& value) {
  return value.result == outcome::blocked &&
         value.error.find("the connector was deleted") != std::string::npos;
}

std::optional<std::uint64_t> request_of(const attempt& value) {
  if (is_cut_off(value) && value.phases.first_byte_us)
    return static_cast<std::uint64_t>(*value.phases.first_byte_us);
  const std::string_view text = value.response_body.empty() ? value.error : value.response_body;
  std::uint64_t number = 0;
  const auto at = text.find('#');
  if (at == text.npos)
    return std::nullopt;
  const auto [end, error] = std::from_chars(text.data() + at + 1, text.data() + text.size(), number);
  return error == std::errc{} ? std::optional{number} : std::nullopt;
}

std::string event_book::name(const event_fact& event) {
  return "event #" + std::to_string(event.sent.serial) + " of c" + std::to_string(event.sent.connector);
}

event_fact* event_book::find(std::uint64_t serial) {
  const auto found = events_.find(serial);
  return found == events_.end() ? nullptr : &found->second;
}

/// The other sends of the same id to the same connector.
template <class Visitor>
void event_book::for_twins(const event_fact& event, Visitor visit) const {
  if (!event.id)
    return;
  const auto found = by_key_.find({event.sent.connector, *event.id});
  if (found == by_key_.end())
    return;
  for (const auto serial : found->second)
    if (serial != event.sent.serial)
      visit(events_.at(serial));
}

// -- what was sent and answered -----------------------------------------------------------------------------

void event_book::sent(const planned_event& event, std::uint32_t action, const moment& now) {
  auto& fact = events_[event.serial];
  fact.sent = event;
  fact.action = action;
  fact.sent_at = now;
  if (event.id)
    learn_id(fact, *event.id);
}

void event_book::learn_id(event_fact& event, const event_id& id) {
  if (event.id) {
    if (*event.id != id)
      complain("an event keeps its id", name(event) + " has become " + id.to_string());
    return;
  }
  event.id = id;
  by_key_[{event.sent.connector, id}].push_back(event.sent.serial);
}

void event_book::answered(std::uint64_t serial, const send_result& answer, const moment& now) {
  auto& event = events_.at(serial);
  event.answered_at = now;
  if (const auto* no = std::get_if<refusal>(&answer)) {
    event.answer = means_nothing_was_stored(no->code) ? answer_kind::refused : answer_kind::lost;
    if (event.answer == answer_kind::refused)
      check_duplicates_of(event);
    return;
  }
  const auto& yes = std::get<accepted>(answer);
  learn_id(event, yes.id);
  if (!yes.duplicate) {
    event.answer = answer_kind::accepted;
    prove(event, "was accepted");
    return;
  }
  event.answer = answer_kind::duplicate;
  if (!event.sent.id)
    complain("only a known id is a duplicate", name(event) + " came without an id");
  else if (!has_candidate(event) && sent_elsewhere(event))
    complain("the same id for another connector is another event", name(event) + " was answered `duplicate`");
  else if (!has_candidate(event))
    complain("a duplicate is as safe as its first",
             name(event) + " was answered `duplicate`, and no send of its id can have been stored");
}

void event_book::answers_are_lost() {
  unrecorded_.clear(); // whatever is not on disk yet will not come there
  for (auto& [serial, event] : events_)
    if (event.answer == answer_kind::waiting)
      event.answer = answer_kind::lost;
  for (auto& [serial, one] : triggers_)
    if (one.answer == answer_kind::waiting)
      one.answer = answer_kind::lost;
}

// -- triggers -----------------------------------------------------------------------------------------------

void event_book::trigger_sent(const planned_trigger& sent, std::uint32_t action, const moment& now) {
  triggers_[sent.serial] = {action, now, answer_kind::waiting, {}, {}};
}

void event_book::trigger_answered(std::uint64_t serial, const trigger_result& answer, const moment& now) {
  auto& trigger = triggers_.at(serial);
  std::set<std::uint64_t> named;
  for (const auto& one : answer.events) {
    const auto* yes = std::get_if<accepted>(&one.result);
    if (yes == nullptr)
      continue;
    const auto of = serial_of(event_name_of(serial), one.connector, yes->id);
    named.insert(of);
    if (find(of) == nullptr)
      continue;
    if (!yes->duplicate) {
      answered(of, *yes, now);
    } else { // its own first sending, or a trigger with the same id
      events_.at(of).answer = answer_kind::there;
      events_.at(of).answered_at = now;
    }
  }
  trigger.answer = answer_kind::accepted;
  trigger.answered_at = now;
  for (const auto& [of_key, of] : trigger.serials) {
    if (named.contains(of))
      continue;
    auto& event = events_.at(of);
    event.answer = answer_kind::refused;
    event.answered_at = now;
    if (event.proven)
      complain("the answer to a trigger names all that is there", name(event) + " is, and is not named");
  }
}

void event_book::trigger_refused(std::uint64_t serial, bool taken_in_part, const moment& now) {
  auto& trigger = triggers_.at(serial);
  trigger.answer = taken_in_part ? answer_kind::lost : answer_kind::refused;
  trigger.answered_at = now;
  for (const auto& [of_key, of] : trigger.serials) {
    auto& event = events_.at(of);
    event.answer = trigger.answer;
    event.answered_at = now;
    if (event.proven && !taken_in_part)
      complain("what was refused is not kept", name(event) + " is");
  }
}

std::uint64_t event_book::serial_of(const std::string& name, const connector_id& connector,
                                    const event_id& id) {
  const auto serial = serial_of_event_name(name).value_or(never);
  const auto found = triggers_.find(serial);
  if (found == triggers_.end())
    return serial;
  auto& trigger = found->second;
  const auto& all = shape_->connectors;
  const auto place =
      std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.id == connector; });
  const auto which = static_cast<std::uint32_t>(place - all.begin());
  const auto next = serial + trigger.serials.size();
  if (const auto known = trigger.serials.find({which, id}); known != trigger.serials.end())
    return known->second;
  if (place == all.end() || trigger.serials.size() == events_per_trigger) {
    complain("a trigger becomes what the rules of then make of it",
             "trigger #" + std::to_string(serial) + " has become more than they can make");
    return never;
  }
  trigger.serials.emplace(key{which, id}, next);
  auto& event = events_[next];
  event.sent = {next, which, id, 0};
  event.action = trigger.action;
  event.sent_at = trigger.sent_at;
  // What comes to light behind the answer was not named in it.
  event.answer = trigger.answer == answer_kind::accepted ? answer_kind::refused : trigger.answer;
  event.answered_at = trigger.answered_at;
  learn_id(event, id);
  return next;
}

bool event_book::sent_elsewhere(const event_fact& event) const {
  return std::any_of(events_.begin(), events_.end(), [&](const auto& one) {
    return one.second.id == event.id && one.second.sent.connector != event.sent.connector;
  });
}

bool event_book::has_candidate(const event_fact& duplicate) const {
  bool found = false;
  for_twins(duplicate, [&](const event_fact& twin) {
    found = found || (!is_refused(twin) && !twin.absent) || twin.proven;
  });
  return found;
}

/// Somebody may have been told that it is a duplicate of this one.
void event_book::check_duplicates_of(const event_fact& refused) const {
  for_twins(refused, [&](const event_fact& twin) {
    if (twin.answer == answer_kind::duplicate && !has_candidate(twin))
      complain("a duplicate is as safe as its first",
               name(twin) + " was answered `duplicate`, and its first, " + name(refused) + ", was refused");
  });
}

/// It was stored. Then no other send of its id was.
void event_book::prove(event_fact& event, const char* how) {
  if (event.proven)
    return;
  event.proven = true;
  if (event.absent)
    complain("what is not there does not come back", name(event) + " " + how + " after an audit missed it");
  for_twins(event, [&](const event_fact& twin) {
    if (twin.proven && !may_be_forgotten(twin))
      complain("a known id is a duplicate",
               name(event) + " " + how + ", and so was " + name(twin) + " with the same id");
  });
}

// -- what the endpoints saw ---------------------------------------------------------------------------------

void event_book::requested(std::uint64_t number, std::uint64_t serial, const std::string& id,
                           const std::string& body, std::uint32_t life, const moment& now,
                           const std::string& host) {
  auto* event = find(serial);
  if (event == nullptr)
    return complain("only what was sent is delivered",
                    "event #" + std::to_string(serial) + " is unknown, or of a future that was taken back");
  if (is_refused(*event))
    complain(event->answer == answer_kind::duplicate ? "a duplicate delivers nothing new"
                                                     : "what was refused is not delivered",
             name(*event) + " came as request " + std::to_string(number));
  if (const auto parsed = event_id::parse(id))
    learn_id(*event, *parsed);
  if (event->settled)
    complain("nothing comes after the end",
             name(*event) + " is settled, and came as request " + std::to_string(number));
  prove(*event, "was delivered");
  const auto digest = std::hash<std::string>{}(body);
  if (event->body_digest && *event->body_digest != digest)
    complain("every attempt has the same body",
             name(*event) + ": that of request " + std::to_string(number) + " is another");
  event->body_digest = digest;
  check_repetition(*event, life, now);
  check_holds(*event, life, now, host);
  request_places_[number] = {serial, event->requests.size()};
  auto& made = event->requests.emplace_back();
  made.number = number;
  made.life = life;
  made.host = host;
  made.at = now;
  made.excused = supervisor_is_dying_;
  made.by_bent_clock = !clock_is_straight_;
  made.life_began_ms = life_began_ms_;
}

/// What the request before this one allows.
void event_book::check_repetition(const event_fact& event, std::uint32_t life, const moment& now) const {
  if (event.requests.empty())
    return;
  const auto& before = event.requests.back();
  const bool known_to_node =
      before.life == life ? !before.excused : before.must_be_recorded || before.recorded_as;
  if (!known_to_node)
    return;
  if (!before.answered)
    return complain("an event has one request in flight at a time", name(event) + " has a second");
  if (before.ok)
    return complain("nothing comes after the end",
                    name(event) + " came again after the 2xx of request " + std::to_string(before.number));
  if (!clock_is_straight_ || before.by_bent_clock)
    return;
  // Of an answer that came before the clock was set back nobody knows at which time the node saw it.
  auto earliest = before.answered_at.order > went_back_at_
                      ? before.answered_at.wall_ms + least_wait_ms(event, event.requests.size() - 1)
                      : std::int64_t{0};
  if (before.recorded_as)
    if (const auto known = event.attempts.find(*before.recorded_as); known != event.attempts.end())
      earliest = std::max(earliest, known->second.next_at.value_or(0));
  // Further ahead than any backoff: stored by a clock that was ahead, and taken as due at the next start.
  const bool was_possible = is_possible(event, earliest, life_began_ms_);
  if (now.wall_ms < earliest && (was_possible || before.life == life))
    complain("no retry comes early",
             name(event) + " came " + std::to_string(earliest - now.wall_ms) + " ms before its time");
}

void event_book::check_holds(const event_fact& event, std::uint32_t life, const moment& now,
                             const std::string& host) const {
  for (const auto& hold : holds_) {
    const auto& asked = events_.at(hold.serial).requests[hold.request];
    const bool known_to_node = asked.life == life ? hold.at_rest && !asked.excused
                                                  : asked.must_be_recorded || asked.recorded_as.has_value();
    // One that was stored by a clock that was ahead ends after the longest hold there is.
    const bool was_possible = asked.life == life || hold.until_ms <= life_began_ms_ + longest_hold_ms;
    if (hold.connector == event.sent.connector && asked.host == host && known_to_node && was_possible &&
        clock_is_straight_ && !asked.by_bent_clock && now.wall_ms < hold.until_ms)
      complain("an endpoint that asks to be left alone is left alone",
               name(event) + " came " + std::to_string(hold.until_ms - now.wall_ms) +
                   " ms before the time that request " + std::to_string(asked.number) + " was told");
  }
}

void event_book::peace_was_asked(std::uint64_t number, std::int64_t for_ms, const moment& now) {
  std::erase_if(holds_, [&](const hold_fact& one) { return one.until_ms <= now.wall_ms; });
  const auto place = request_places_.find(number);
  if (place == request_places_.end())
    return;
  const auto& event = events_.at(place->second.first);
  if (for_ms > connector_of(event).retry.max_age_ms)
    return;
  holds_.push_back({event.sent.connector, place->second.first, place->second.second,
                    now.wall_ms + std::min(for_ms, longest_hold_ms), false});
}

void event_book::connector_changes(std::uint32_t connector, const std::string& host) {
  std::erase_if(holds_, [&](const hold_fact& one) {
    return one.connector == connector && events_.at(one.serial).requests[one.request].host != host;
  });
}

void event_book::forced_delete_sent(std::uint32_t connector, const moment& now) {
  forced_[connector].push_back({now, never});
}

void event_book::forced_delete_answered(std::uint32_t connector, bool gone, const moment& now) {
  auto& last = forced_[connector].back();
  last.until = now.order;
  if (!gone)
    return;
  for (auto& [serial, event] : events_)
    if (event.sent.connector == connector && event.answer == answer_kind::accepted &&
        event.answered_at.order < last.sent.order)
      event.settled_by = std::min(event.settled_by, now.order);
}

/// A delete by force was under way at some time since it was sent.
bool event_book::may_be_given_up(const event_fact& event) const {
  const auto found = forced_.find(event.sent.connector);
  return found != forced_.end() &&
         std::any_of(found->second.begin(), found->second.end(),
                     [&](const forced_delete& one) { return one.until > event.sent_at.order; });
}

/// Half of the backoff, which is not jittered, or what the endpoint asked for.
std::int64_t event_book::least_wait_ms(const event_fact& event, std::size_t request) const {
  const auto& policy = connector_of(event).retry;
  const auto& asked = event.requests[request];
  int before = 0; // attempts that count for certain
  for (std::size_t i = 0; i < request; ++i) {
    const auto& one = event.requests[i];
    if (one.recorded_as || one.must_be_recorded || (one.life == asked.life && !one.excused))
      ++before;
  }
  const auto unbounded = static_cast<double>(policy.base_ms) * std::pow(policy.factor, before);
  const auto backoff = static_cast<std::int64_t>(std::min(unbounded, static_cast<double>(policy.cap_ms)));
  return std::max(backoff / 2, std::min(asked.retry_after_ms, policy.cap_ms));
}

void event_book::responded(std::uint64_t number, bool ok, std::int64_t retry_after_ms,
                           std::size_t answer_bytes, const moment& now) {
  const auto place = request_places_.find(number);
  if (place == request_places_.end())
    return;
  auto& event = events_.at(place->second.first);
  auto& request = event.requests[place->second.second];
  history_bytes_[event.sent.connector] += answer_bytes + most_record_bytes;
  request.answered = true;
  request.ok = ok;
  request.answered_at = now;
  request.by_bent_clock = request.by_bent_clock || !clock_is_straight_;
  request.retry_after_ms = retry_after_ms;
  if (!request.excused)
    unrecorded_.push_back({number, std::nullopt});
}

void event_book::supervisor_died() {
  for (auto& [serial, event] : events_)
    for (auto& request : event.requests)
      if (!request.must_be_recorded && !request.recorded_as)
        request.excused = true;
  supervisor_is_dying_ = true;
}

void event_book::quiet(const moment& now) {
  supervisor_is_dying_ = false;
  for (auto& one : holds_)
    one.at_rest = true;
  std::erase_if(unrecorded_, [&](unrecorded& one) {
    const auto place = request_places_.find(one.request);
    if (place == request_places_.end())
      return true;
    auto& request = events_.at(place->second.first).requests[place->second.second];
    if (request.excused)
      return true;
    if (!one.at_rest_ms)
      one.at_rest_ms = now.steady_ms;
    if (now.steady_ms - *one.at_rest_ms < settle_ms)
      return false;
    request.must_be_recorded = true;
    return true;
  });
}

void event_book::everything_is_recorded() {
  for (auto& one : unrecorded_)
    one.at_rest_ms = 0;
  quiet({0, settle_ms, 0});
}

// -- what the node tells ------------------------------------------------------------------------------------

void event_book::told(const event_history& history, const moment& asked, const moment& now) {
  const auto& summary = history.summary;
  auto* event = find(serial_of(summary));
  if (event == nullptr)
    return complain("only what was sent is kept", "the history has " + summary.event);
  if (is_refused(*event))
    complain("what was refused is not kept", name(*event) + " has a history");
  if (summary.connector != connector_of(*event).id || summary.run != run_of(event->action))
    complain("a history is that of its event", name(*event) + " is told with another connector or run");
  learn_id(*event, summary.id);
  prove(*event, "is in the history");
  if (history.attempts_dropped > 0)
    return told_dropped(*event, history, asked);
  for (std::size_t i = 0; i < history.attempts.size(); ++i) {
    if (history.attempts[i].number != i + 1)
      complain("attempts are numbered from 1 on", name(*event) + ": attempt " + std::to_string(i + 1) +
                                                      " is " + std::to_string(history.attempts[i].number));
    check_attempt(*event, history.attempts[i].number, history.attempts[i], now);
  }
  for (const auto& [number, known] : event->attempts)
    if (number > history.attempts.size() && known.told_at.order < asked.order)
      complain("a history loses nothing",
               name(*event) + " had attempt " + std::to_string(number) + ", and has not");
  check_order_of_attempts(*event);
  for (const auto& request : event->requests)
    if (request.must_be_recorded && !request.recorded_as)
      complain("an attempt is recorded", name(*event) + ": request " + std::to_string(request.number) +
                                             " was answered, and is in no attempt");
  auto expected = event_state::pending;
  if (!history.attempts.empty() && history.attempts.back().result == outcome::delivered)
    expected = event_state::delivered;
  else if (!history.attempts.empty() && !history.attempts.back().next_attempt_at)
    expected = event_state::failed;
  if (summary.state != expected)
    complain("the state is that of the last attempt",
             name(*event) + " is told as " + std::string{to_string(summary.state)});
  if (expected == event_state::pending && asked.order > event->settled_by)
    complain("a delete by force leaves nothing pending", name(*event) + " is");
  settle(*event, expected);
  if (expected != event_state::pending && !history.attempts.empty() &&
      event->attempts.rbegin()->second.ended_at < forgotten_before_ms_)
    complain("what is settled is forgotten after the retention",
             name(*event) + " was settled " +
                 std::to_string((now.wall_ms - event->attempts.rbegin()->second.ended_at) / 60'000) +
                 " minutes ago, and is still told");
}

/// An event of which no attempts are kept any more.
void event_book::told_dropped(event_fact& event, const event_history& history, const moment& asked) {
  if (!may_be_dropped(event))
    complain("attempts are dropped only beyond their bound", name(event) + " has lost its own");
  if (!history.attempts.empty())
    complain("attempts are dropped together", name(event) + " has some");
  if (history.summary.state == event_state::pending)
    complain("what is pending keeps its attempts", name(event) + " has lost them");
  for (const auto& [number, known] : event.attempts)
    if (number > history.attempts_dropped && known.told_at.order < asked.order)
      complain("a history loses nothing", name(event) + " had attempt " + std::to_string(number) + ", and " +
                                              std::to_string(history.attempts_dropped) +
                                              " are said to be dropped");
  std::uint32_t recorded = 0;
  for (const auto& request : event.requests)
    recorded += request.must_be_recorded ? 1 : 0;
  if (recorded > history.attempts_dropped)
    complain("an attempt is recorded", name(event) + ": " + std::to_string(recorded) +
                                           " requests were answered, and it had " +
                                           std::to_string(history.attempts_dropped) + " attempts");
  settle(event, history.summary.state);
}

bool event_book::may_be_dropped(const event_fact& event) const {
  const auto found = history_bytes_.find(event.sent.connector);
  auto most = found == history_bytes_.end() ? 0 : found->second;
  if (forced_.contains(event.sent.connector)) // an attempt more for each
    for (const auto& [serial, one] : events_)
      most += one.sent.connector == event.sent.connector ? most_record_bytes : 0;
  return most > shape_->kept_history_bytes;
}

void event_book::told(const outcome_entry& entry, const moment& now) {
  const auto& summary = entry.summary;
  auto* event = find(serial_of(summary));
  if (event == nullptr)
    return complain("only what was sent is in the feed", "the feed has " + summary.event);
  if (is_refused(*event))
    complain("what was refused is not in the feed", name(*event) + " is");
  learn_id(*event, summary.id);
  prove(*event, "is in the feed");
  check_attempt(*event, entry.value.number, entry.value, now);
  auto expected = event_state::pending;
  if (entry.value.result == outcome::delivered)
    expected = event_state::delivered;
  else if (!entry.value.next_attempt_at)
    expected = event_state::failed;
  if (summary.state != expected)
    complain("the state is that of the last attempt",
             name(*event) + " is in the feed as " + std::string{to_string(summary.state)});
  settle(*event, expected);
}

void event_book::settle(event_fact& event, event_state state) {
  if (state == event_state::pending)
    return;
  if (event.settled && *event.settled != state)
    complain("what is settled stays so", name(event) + " was " + std::string{to_string(*event.settled)} +
                                             " and is " + std::string{to_string(state)});
  event.settled = state;
}

/// An attempt that was told, against the request that it speaks of and against how it was told before.
void event_book::check_attempt(event_fact& event, std::uint32_t number, const attempt& value,
                               const moment& now) {
  check_dropped(event, value);
  attempt_fact told;
  told.told_at = now;
  told.request = request_of(value).value_or(0);
  told.result = value.result;
  told.started_at = value.started_at.value;
  told.ended_at = value.started_at.value + value.duration_us / 1'000;
  if (value.next_attempt_at)
    told.next_at = value.next_attempt_at->value;
  const auto [known, is_new] = event.attempts.try_emplace(number, told);
  if (!is_new) {
    if (known->second.request != told.request || known->second.result != told.result ||
        known->second.next_at != told.next_at || known->second.started_at != told.started_at)
      complain("no number is used twice",
               name(event) + ": attempt " + std::to_string(number) + " is told differently than before");
    return;
  }
  if (is_given_up(value)) {
    if (!may_be_given_up(event))
      complain("only a delete by force gives up what could be sent", name(event) + " was given up");
    if (value.next_attempt_at)
      complain("what is given up is not tried again", name(event) + " is said to be");
    return;
  }
  const auto which = std::find_if(event.requests.begin(), event.requests.end(),
                                  [&](const request_fact& one) { return one.number == told.request; });
  if (which == event.requests.end() || !which->answered)
    return complain("an attempt was seen by its endpoint",
                    name(event) + ": attempt " + std::to_string(number) + " speaks of no request of it");
  if (which->recorded_as)
    complain("a request is one attempt", name(event) + ": request " + std::to_string(which->number) +
                                             " is attempt " + std::to_string(*which->recorded_as) + " and " +
                                             std::to_string(number));
  which->recorded_as = number;
  if (which->ok != (value.result == outcome::delivered))
    complain("an attempt tells what its endpoint answered",
             name(event) + ": attempt " + std::to_string(number) + " tells otherwise");
  if (value.result != outcome::delivered && !value.next_attempt_at)
    check_giving_up(event, value, number);
}

void event_book::check_dropped(const event_fact& event, const attempt& value) const {
  if (!is_cut_off(value))
    return;
  if (!value.response_truncated)
    complain("an answer that is dropped is said to be cut", name(event));
  // While the disk is full, answers are dropped for the memory that records take which wait for it.
  if (!may_be_dropped(event) && shape_->window_memory_bytes >= ample_window_bytes)
    complain("answers are dropped only beyond their bound", name(event) + " has lost one");
}

void event_book::check_giving_up(const event_fact& event, const attempt& value, std::uint32_t number) const {
  const auto& policy = connector_of(event).retry;
  if ((policy.max_attempts != 0 && number >= policy.max_attempts) || may_be_given_up(event))
    return;
  // Whatever the wait is, it is at most the cap.
  const auto latest_next =
      std::max(latest_ms_, value.started_at.value + value.duration_us / 1'000) + policy.cap_ms;
  if (latest_next > event.sent_at.wall_ms + policy.max_age_ms)
    return;
  complain("an event is given up for its age or its attempts only",
           name(event) + " failed with attempt " + std::to_string(number) + " at " +
               std::to_string(value.started_at.value - event.sent_at.wall_ms) + " ms");
}

/// No due time can be further ahead of a start than the connector's longest backoff.
bool event_book::is_possible(const event_fact& event, std::int64_t due_ms, std::int64_t life_began_ms) const {
  return due_ms <= life_began_ms + connector_of(event).retry.cap_ms;
}

/// The time for this attempt was stored by a clock that was set back since, so that it came early by the new one.
bool event_book::was_judged_anew(const event_fact& event, const attempt_fact& before,
                                 const attempt_fact& after) const {
  for (const auto& one : event.requests)
    if ((one.number == before.request && one.by_bent_clock) ||
        (one.number == after.request && !is_possible(event, *before.next_at, one.life_began_ms)))
      return true;
  return false;
}

void event_book::check_order_of_attempts(const event_fact& event) const {
  const attempt_fact* before = nullptr;
  for (const auto& [number, one] : event.attempts) {
    const bool was_sent = one.request != 0;
    if (before != nullptr && was_sent && before->request >= one.request)
      complain("attempts follow each other", name(event) + ": attempt " + std::to_string(number) +
                                                 " speaks of an earlier request than the one before");
    if (before != nullptr && was_sent && before->next_at && one.started_at < *before->next_at &&
        !was_judged_anew(event, *before, one))
      complain("no retry comes early", name(event) + ": attempt " + std::to_string(number) + " began " +
                                           std::to_string(*before->next_at - one.started_at) +
                                           " ms before its time");
    if (before != nullptr && !before->next_at)
      complain("nothing comes after the end", name(event) + " has attempt " + std::to_string(number));
    before = &one;
  }
}

void event_book::not_found(std::uint64_t serial, const moment&) {
  auto* event = find(serial);
  if (event == nullptr)
    return;
  if (may_be_forgotten(*event)) {
    event->gone = true;
    return;
  }
  if (event->proven)
    complain("what was accepted is kept", name(*event) + " is not there any more");
  event->absent = true;
}

bool event_book::is_there(std::uint32_t connector, const event_id& id) const {
  const auto found = by_key_.find({connector, id});
  return forced_.contains(connector) ||
         (found != by_key_.end() && std::any_of(found->second.begin(), found->second.end(),
                                                [&](auto serial) { return events_.at(serial).proven; }));
}

std::vector<std::uint64_t> event_book::of_action(std::uint32_t action) const {
  std::vector<std::uint64_t> all;
  const auto end = events_.lower_bound((std::uint64_t{action} + 1) * events_per_action);
  for (auto at = events_.lower_bound(action * events_per_action); at != end; ++at)
    all.push_back(at->first);
  return all;
}

// -- judgements ---------------------------------------------------------------------------------------------

bool event_book::may_be_forgotten(const event_fact& event) const {
  const auto& policy = connector_of(event).retry;
  if (const auto found = forced_.find(event.sent.connector); found != forced_.end())
    for (const auto& one : found->second)
      if (one.until > event.sent_at.order && latest_ms_ >= one.sent.wall_ms + shape_->retention_ms)
        return true;
  return std::any_of(event.requests.begin(), event.requests.end(), [&](const request_fact& one) {
    const bool could_settle = one.ok || policy.max_attempts != 0 ||
                              latest_ms_ + policy.cap_ms > event.sent_at.wall_ms + policy.max_age_ms;
    return one.answered && could_settle && latest_ms_ >= one.answered_at.wall_ms + shape_->retention_ms;
  });
}

bool event_book::what_was_given_up_may_be_gone() const {
  constexpr std::uint64_t ample_history_bytes = 1u << 20; // all that a delete gives up fits into it
  for (const auto& [connector, deletes] : forced_) {
    if (shape_->kept_history_bytes < ample_history_bytes)
      return true;
    for (const auto& one : deletes)
      if (latest_ms_ >= one.sent.wall_ms + shape_->retention_ms)
        return true;
  }
  return false;
}

void event_book::check_ids() {
  for (const auto& [serial, event] : events_) {
    if (event.answer != answer_kind::duplicate && event.answer != answer_kind::there)
      continue;
    bool forgettable = may_be_forgotten(event);
    for_twins(event, [&](const event_fact& twin) { forgettable = forgettable || may_be_forgotten(twin); });
    if (event.answer == answer_kind::there) {
      if (!forgettable && !event.proven && !event.gone && !has_candidate(event))
        complain("a trigger that was answered is everywhere",
                 name(event) + " was answered `duplicate`, and nothing with its id is there");
      continue;
    }
    if (!forgettable && !has_candidate(event) && !sent_elsewhere(event))
      complain("a duplicate is as safe as its first",
               name(event) + " was answered `duplicate`, and nothing with its id is there");
  }
}

void event_book::check_drained() {
  for (const auto& [serial, event] : events_)
    if (event.proven && !event.settled && !event.gone)
      complain("everything drains when the endpoints are well",
               name(event) + " is still pending; " + std::to_string(event.requests.size()) + " requests, " +
                   std::to_string(event.attempts.size()) + " attempts");
}

std::map<std::uint32_t, std::uint64_t> event_book::pending() const {
  std::map<std::uint32_t, std::uint64_t> counts;
  for (const auto& [serial, event] : events_)
    if (event.proven && !event.settled && !event.gone)
      ++counts[event.sent.connector];
  return counts;
}

bool event_book::anything_pending() const {
  return std::any_of(events_.begin(), events_.end(), [](const auto& one) {
    const auto& event = one.second;
    return event.proven && !event.settled && !event.gone &&
           (event.requests.empty() || !event.requests.back().answered || !event.requests.back().ok);
  });
}

bool event_book::certainly_pending(std::uint32_t connector, std::uint64_t order) const {
  return std::any_of(events_.begin(), events_.end(), [&](const auto& one) {
    const auto& event = one.second;
    const auto& policy = connector_of(event).retry;
    const bool can_fail =
        policy.max_attempts != 0 || latest_ms_ + policy.cap_ms > event.sent_at.wall_ms + policy.max_age_ms;
    return event.sent.connector == connector && event.answer == answer_kind::accepted &&
           event.answered_at.order < order && !event.settled && !may_be_given_up(event) &&
           std::none_of(event.requests.begin(), event.requests.end(),
                        [&](const request_fact& r) { return r.answered && (r.ok || can_fail); });
  });
}

std::string event_book::story(std::uint64_t serial) const {
  const auto found = events_.find(serial);
  if (found == events_.end())
    return {};
  static constexpr const char* answers[] = {"no answer yet", "accepted", "duplicate",
                                            "refused",       "lost",     "there"};
  const auto& event = found->second;
  auto text = name(event) + ", sent by action " + std::to_string(event.action) + ": " +
              answers[static_cast<std::size_t>(event.answer)];
  for (const auto& one : event.requests) {
    text += "; request " + std::to_string(one.number) + " in life " + std::to_string(one.life);
    text += !one.answered ? " (open)" : one.ok ? " (2xx)" : " (failed)";
    if (one.recorded_as)
      text += " = attempt " + std::to_string(*one.recorded_as);
    if (one.excused)
      text += " excused";
  }
  if (event.settled)
    text += "; " + std::string{to_string(*event.settled)};
  return text;
}

std::set<std::uint32_t> event_book::with_events_never_sent(std::int64_t steady_ms,
                                                           std::int64_t wall_ms) const {
  std::set<std::uint32_t> found;
  for (const auto& [serial, event] : events_)
    if (event.answer == answer_kind::accepted && event.requests.empty() && !event.settled && !event.gone &&
        event.attempts.empty() && event.answered_at.steady_ms < steady_ms &&
        event.answered_at.wall_ms < wall_ms && !may_be_given_up(event))
      found.insert(event.sent.connector);
  return found;
}

} // namespace vicket::sim
