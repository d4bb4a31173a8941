// What a partition's head does for operators about its connectors, and the supervisors that serve them.

#include "actors/persistence.hpp"

#include "actors/connector_pages.hpp"
#include "actors/pending_counter.hpp"
#include "actors/persistence_answers.hpp"
#include "actors/supervisor.hpp"
#include "policy/assertion.hpp"
#include "policy/connector_config.hpp"
#include "policy/connector_secrets.hpp"
#include "policy/connector_state.hpp"
#include "policy/secret.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace vicket {

namespace {

/// What a get, list or put shows of a connector: never its secrets.
connector_view without_secret(const connector& config) {
  connector_view view{config, false};
  view.value.secret = {};
  for (auto& [name, value] : view.value.secret_headers)
    value = secret_text{std::string{secret_text::hidden}};
  return view;
}

constexpr std::int64_t ms_per_s = 1'000;
constexpr std::string_view given_up_since_deleted =
    "not sent: the connector was deleted with what was pending for it";

/// What is wrong with a connector whatever its node allows.
std::optional<std::string> complaint_anywhere(const connector& config) {
  static const connector_rules everything{
      true, address_guard{{ip_range::parse("0.0.0.0/0").value(), ip_range::parse("::/0").value()}}};
  return connector_complaint(config, everything);
}

caf::error not_found(const connector_id& id) {
  return make_refusal(errc::not_found, "no connector has the id '" + id.value + "'");
}

caf::error closed() {
  return make_refusal(errc::storage_full,
                      "the node's disk is full, and its connectors can't be read or changed until it "
                      "has room: free some space, it goes on by itself");
}

caf::error not_fresh() {
  return make_refusal(errc::unavailable,
                      "this node does not know for certain what the cluster knows at the moment: ask "
                      "again a little later");
}

caf::error stopping() {
  return make_refusal(errc::unavailable, "the node is stopping");
}

} // namespace

// -- at start ---------------------------------------------------------------------------------------------------------

void persistence::load() {
  const auto now = with_.clock->now();
  with_.store->for_each_connector([this](const connector& config) { rounds_.load(config); });
  with_.store->for_each_state([this, now](const connector_id& id, std::string_view state) {
    const auto slot = rounds_.find(id);
    if (!slot || state == encode(connector_state{}))
      return;
    rounds_.at(*slot).remember(state);
    if (const auto known = decode_connector_state(state); known && known->held && known->held->until > now)
      rounds_.show(*slot); // whether it was this endpoint's is looked at then
  });
  begin_to_count();
  with_.store->for_each_waiting([this, now](const waiting_connector& waiting) {
    const auto slot = rounds_.find(waiting.connector);
    if (!slot)
      return;
    auto& owner = rounds_.at(*slot);
    owner.indexed = owner.unjudged = true;
    // What can't be due as late as it says is to be looked at now: a clock that was ahead has stored it.
    const bool cannot_be = waiting.last_due > now + owner.longest_cap_s * ms_per_s ||
                           (waiting.unattempted_due && *waiting.unattempted_due > now);
    const auto at = cannot_be ? std::min(now, waiting.first_due) : waiting.first_due;
    owner.backlog = at <= now;
    if (owner.enabled)
      sleepers_.set(*slot, at);
  });
  wake_those_due();
}

/// Beside everything else: what changes meanwhile is counted as it comes.
void persistence::begin_to_count() {
  being_counted_ = with_.store->scan_due();
  if (!being_counted_ || being_counted_->at_end()) {
    being_counted_ = nullptr;
    return;
  }
  rounds_.await_counts();
  if (with_.own_threads)
    counter_ = self_->spawn<actor_of<pending_counter>, caf::detached>(being_counted_);
  else
    counter_ = self_->spawn<actor_of<pending_counter>>(being_counted_);
  count_next_page();
}

void persistence::count_next_page() {
  self_->request(counter_, caf::infinite, count_more{})
      .then(
          [this](counted_page& page) {
            const checked_after check{rounds_};
            for (auto& [id, times] : page.connectors)
              rounds_.counted(id, std::move(times));
            if (page.more) {
              count_next_page();
              return;
            }
            rounds_.all_counted();
            end_of_counting();
          },
          [this](const caf::error& why) {
            warn("what is pending could not be counted (" + caf::to_string(why) +
                 "): the status shows too little until the next start");
            end_of_counting();
          });
}

void persistence::end_of_counting() {
  being_counted_->close();
  being_counted_ = nullptr;
  self_->send_exit(counter_, caf::exit_reason::user_shutdown);
  counter_ = nullptr;
}

// -- requests ---------------------------------------------------------------------------------------------------------

caf::result<connector_view> persistence::put(const put_connector& request) {
  if (failed_ || draining_)
    return stopping();
  auto config = request.value;
  const auto known = rounds_.find(config.id);
  // The gateway has looked already, with what this node allows besides. What it let through by a defect would be found
  // again by every start.
  if (const auto complaint = complaint_anywhere(config)) {
    warn("put of connector '" + config.id.value + "' is refused, a defect of this node: " + *complaint);
    return make_refusal(errc::invalid_connector, *complaint);
  }
  if (known && is_given_up(*known))
    return make_refusal(errc::connector_busy, "connector '" + config.id.value +
                                                  "' is being deleted with what is pending for it: put it "
                                                  "again when that is done");
  const auto* active = known ? rounds_.activate(*known) : nullptr;
  if (known && active == nullptr)
    return store_is_healthy() ? closed() : stopping();
  // What is in the clear goes no further than this.
  seal_secrets(config, *with_.secrets);
  if (auto complaint = keep_secrets(config, known ? &active->config() : nullptr))
    return make_refusal(errc::invalid_connector, *complaint);
  const bool generated = config.secret.empty();
  secret_text made;
  if (generated) {
    config.secret = made = generate_secret(*with_.random);
    seal_secrets(config, *with_.secrets);
  }
  // Below the reserve a new connector only adds to what is stored; one that is known may be paused or sent elsewhere,
  // which is how an operator gets at what fills the disk.
  if (const auto away = log_is_away(); away && !known)
    return make_refusal(away->code, away->detail);
  if (!known && !room_on_disk())
    return make_refusal(
        errc::storage_full,
        std::string{"the node's disk is full: free some space and put it again"} +
            (disk_full_ ? "" : "; connectors that exist can be put, and deleted, all the same"));
  rounds_.put(config);
  auto view = without_secret(config);
  view.value.secret = made;
  view.secret_generated = generated;
  return answer_with_round<connector_view>([view](auto& promise) { promise.deliver(view); });
}

caf::result<connector_view> persistence::get(const get_connector& request) {
  const auto answer = [this, id = request.id](auto& promise) {
    if (with_.permit && !with_.permit->is_fresh())
      promise.deliver(not_fresh());
    else if (const auto stored = with_.store->read_connector(id))
      promise.deliver(shown(*stored));
    else if (!with_.store->is_open())
      promise.deliver(closed());
    else if (store_is_healthy())
      promise.deliver(not_found(id));
  };
  if (!failed_ && rounds_.has_unfinished_changes()) // what is shown must be durable
    return answer_with_round<connector_view>(answer, true);
  auto promise = self_->make_response_promise<connector_view>();
  answer(promise);
  return promise;
}

caf::result<void> persistence::remove(const delete_connector& request) {
  if (failed_ || draining_)
    return stopping();
  auto promise = self_->make_response_promise<void>();
  deletes_.push_back({request.id, request.force, rounds_.filling_number(), promise});
  schedule_commit();
  return promise;
}

void persistence::decide_deletes() {
  for (auto& each : std::exchange(deletes_, {})) {
    const auto slot = each.force ? rounds_.find(each.id) : std::nullopt;
    const bool decided_now = each.behind < rounds_.filling_number();
    if (!decided_now) {
      deletes_.push_back(std::move(each));
    } else if (!slot || !rounds_.is_busy(*slot)) {
      decide_delete(each.id, each.promise);
    } else if (const auto* active = rounds_.activate(*slot); active == nullptr) {
      each.promise.deliver(store_is_healthy() ? closed() : stopping());
    } else if (active->config().enabled) { // first nothing new may come, on disk as well
      auto disabled = active->config();
      disabled.enabled = false;
      rounds_.put(disabled);
      each.behind = rounds_.filling_number();
      deletes_.push_back(std::move(each));
    } else {
      auto found = std::find_if(given_up_.begin(), given_up_.end(),
                                [&](const given_up_connector& one) { return one.slot == *slot; });
      if (found == given_up_.end()) {
        warn("connector '" + each.id.value + "' is being deleted with what is pending for it");
        found = given_up_.insert(found, {*slot, 0, {}});
      }
      if (found->promises.size() < max_waiting_for_delete)
        found->promises.push_back(each.promise);
      else
        each.promise.deliver(make_refusal(
            errc::connector_busy, "connector '" + each.id.value + "' is being deleted, and " +
                                      std::to_string(max_waiting_for_delete) + " wait for that already"));
    }
  }
  go_on_giving_up();
}

bool persistence::is_given_up(connector_slot slot) const {
  return std::any_of(given_up_.begin(), given_up_.end(),
                     [slot](const given_up_connector& one) { return one.slot == slot; });
}

/// By force, from when it was asked for.
bool persistence::is_being_deleted(connector_slot slot) const {
  return is_given_up(slot) || std::any_of(deletes_.begin(), deletes_.end(), [&](const waiting_delete& one) {
           return one.force && one.id == rounds_.at(slot).id;
         });
}

/// What a get or a list shows of a stored connector.
connector_view persistence::shown(const connector& config) const {
  auto view = without_secret(config);
  if (given_up_.empty() && deletes_.empty())
    return view;
  if (const auto slot = rounds_.find(config.id); slot && is_being_deleted(*slot)) {
    view.being_deleted = true;
    view.pending = rounds_.pending().of(*slot);
  }
  return view;
}

void persistence::go_on_giving_up() {
  if (failed_ || draining_)
    return;
  for (auto each = given_up_.begin(); each != given_up_.end();) {
    if (rounds_.is_busy(each->slot)) {
      have_given_up(each->slot, each->told);
      ++each;
    } else {
      const auto id = rounds_.at(each->slot).id;
      auto promises = std::move(each->promises);
      each = given_up_.erase(each);
      decide_delete(id, promises.front());
      for (auto other = promises.begin() + 1; other != promises.end(); ++other)
        rounds_.reply_with_round(std::make_unique<waiting_answer<void>>(
            *other, [](auto& answer) { answer.deliver(); }, false));
    }
  }
}

/// A supervisor fails what waits; one that dies has a successor, which hears of it as well.
void persistence::have_given_up(connector_slot slot, caf::actor_id& told) {
  const auto to = supervisor_of(slot);
  if (!to || to.id() == told)
    return;
  told = to.id();
  tell(slot, {due_position{}, false});
  ++rounds_.at(slot).active->told;
  self_->send(to, give_up_all{std::string{given_up_since_deleted}});
}

void persistence::decide_delete(const connector_id& id, caf::typed_response_promise<void>& promise) {
  const auto slot = rounds_.find(id);
  if (!slot && rounds_.has_unfinished_changes()) { // it may yet turn out that it was not deleted
    rounds_.reply_with_round(std::make_unique<waiting_answer<void>>(
        promise, [id](auto& answer) { answer.deliver(not_found(id)); }, false));
  } else if (!slot) {
    promise.deliver(not_found(id));
  } else if (rounds_.is_busy(*slot)) {
    promise.deliver(make_refusal(
        errc::connector_busy,
        "events are pending for connector '" + id.value +
            "': wait until they are settled (`vicket status`), or put it with \"enabled\":false to "
            "stop new ones; `vicket connector delete --force` fails them"));
  } else if (rounds_.activate(*slot) == nullptr) {
    promise.deliver(store_is_healthy() ? closed() : stopping());
  } else {
    rounds_.remove(*slot);
    rounds_.reply_with_round(std::make_unique<waiting_answer<void>>(
        promise, [](auto& answer) { answer.deliver(); }, false));
  }
}

caf::result<connector_page> persistence::list(const list_connectors& request) {
  const auto answer = [this, request](auto& promise) {
    if (with_.permit && !with_.permit->is_fresh()) {
      promise.deliver(not_fresh());
      return;
    }
    const auto limit = std::clamp(request.limit, 1u, list_connectors::max_limit);
    connector_page_filler filler{limit};
    with_.store->visit_connectors_after(request.after, [&](const connector& config) {
      return filler.add(shown(config)); // what is in memory is asked for, not the store
    });
    if (!with_.store->is_open()) {
      promise.deliver(closed());
      return;
    }
    if (!store_is_healthy())
      return;
    promise.deliver(filler.take());
  };
  if (!failed_ && rounds_.has_unfinished_changes())
    return answer_with_round<connector_page>(answer, true);
  auto promise = self_->make_response_promise<connector_page>();
  answer(promise);
  return promise;
}

// -- supervisors ------------------------------------------------------------------------------------------------------

std::shared_ptr<in_flight_count> persistence::in_flight_of(connector_slot slot) {
  auto& in_flight = in_flight_[slot];
  if (!in_flight)
    in_flight = std::make_shared<in_flight_count>(all_in_flight_);
  return in_flight;
}

/// Null: the connector can't be used, which it says of itself from then on.
/// As it is on disk: what was put since may be refused yet.
std::shared_ptr<const delivery_profile> persistence::profile_of(connector_slot slot) {
  auto& active = *rounds_.at(slot).active;
  const auto config = rounds_.durable_config(slot);
  if (is_given_up(slot))
    return make_silent_profile(*config, in_flight_of(slot));
  try {
    auto profile =
        make_delivery_profile(*config, *with_.secrets, with_.version, in_flight_of(slot), with_.permit);
    if (active.shared == config)
      active.shared = config_of(profile); // the same, once in memory
    return profile;
  } catch (const std::exception& why) {
    active.complaint = why.what();
    rounds_.show(slot);
    warn("connector '" + config->id.value + "' is set aside: " + active.complaint +
         "; its events wait until it is put again");
    return nullptr;
  }
}

/// Null: the connector can't be used.
supervisor_actor persistence::supervisor_of(connector_slot slot, bool woken) {
  if (slot >= supervisors_.size())
    supervisors_.resize(slot + 1);
  auto& mine = supervisors_[slot];
  if (mine || rounds_.activate(slot) == nullptr)
    return mine;
  auto& owner = rounds_.at(slot);
  if (!owner.complaint().empty() && !is_given_up(slot))
    return mine;
  supervisor::setup needs;
  needs.profile = profile_of(slot);
  if (!needs.profile)
    return mine;
  needs.state = owner.remembered();
  needs.seat = rounds_.seat_supervisor(slot);
  needs.persistence = handle{self_};
  needs.records = records_;
  needs.orders = orders_;
  needs.alarm = with_.alarm;
  needs.clock = with_.clock;
  needs.random = with_.random;
  needs.window = with_.window;
  needs.idle_ms = with_.idle_ms > 0 ? with_.idle_ms : supervisor::default_idle_ms;
  if (goes_soon(woken))
    needs.idle_ms = std::min(needs.idle_ms, crowd_idle_ms);
  needs.longest_cap_ms = owner.longest_cap_s * ms_per_s;
  mine = self_->spawn<actor_of<supervisor>>(std::move(needs));
  self_->monitor(mine);
  slots_.emplace(mine.id(), slot);
  if (owner.indexed) {
    // Of one that was closed, or disabled, it is not known what is first.
    const auto first = owner.closed ? std::nullopt : sleepers_.at(slot);
    tell(slot, {{first.value_or(timestamp_ms{}), 0}, owner.unjudged});
  }
  owner.indexed = owner.closed = owner.unjudged = false;
  sleepers_.erase(slot);
  return mine;
}

void persistence::tell(connector_slot slot, const backlog_grew& more) {
  ++rounds_.at(slot).active->told;
  self_->send(supervisors_[slot], more);
}

/// Events of it went into the index.
void persistence::tell_of_backlog(connector_slot slot, due_position first) {
  auto& owner = rounds_.at(slot);
  if (!owner.supervised && (!owner.enabled || owner.closed)) { // nobody could do anything with it
    owner.indexed = owner.backlog = true;
    rounds_.rest_if_idle(slot);
  } else if (supervisor_of(slot)) {
    tell(slot, {first, first == due_position{}});
  } else {
    owner.indexed = owner.backlog = true;
  }
}

bool persistence::let_retire(const retire& request) {
  auto* owner = rounds_.seat(request.seat);
  if (owner == nullptr)
    return true;
  const auto& active = *owner->active;
  if (draining_ || failed_ || active.window.events() > 0 || active.waiting_in_rounds > 0 ||
      active.changes_in_rounds > 0 || active.told != request.heard)
    return false;
  const auto now = with_.clock->now();
  const bool closed = request.closed_until && request.next_due && *request.next_due < *request.closed_until;
  if (active.spills_in_rounds > 0 && owner->enabled && !closed)
    return false; // it will hear of them
  owner->closed = closed;
  owner->indexed = request.next_due.has_value();
  owner->unjudged = owner->indexed && request.unjudged;
  owner->backlog = request.next_due && *request.next_due <= now;
  const auto nothing = encode(connector_state{});
  if (request.state != (owner->state ? *owner->state : nothing))
    rounds_.remember(request.seat, request.state, now);
  if (owner->enabled && owner->indexed)
    sleepers_.set(request.seat.slot, closed ? *request.closed_until : *request.next_due);
  auto& mine = supervisors_[request.seat.slot];
  self_->demonitor(mine);
  slots_.erase(mine.id());
  mine = nullptr;
  if (const auto found = in_flight_.find(request.seat.slot);
      found != in_flight_.end() && found->second->value() == 0) // else a predecessor that died left some
    in_flight_.erase(found);
  rounds_.vacate(request.seat.slot);
  rounds_.rest_if_idle(request.seat.slot);
  set_alarm();
  deal_room();
  if (rounds_.has_work())
    schedule_commit();
  return true;
}

/// Its connector was deleted.
void persistence::dismiss(connector_slot slot) {
  auto& mine = supervisors_[slot];
  self_->demonitor(mine);
  self_->send_exit(mine, caf::exit_reason::user_shutdown);
  slots_.erase(mine.id());
  mine = nullptr;
}

/// A supervisor died of a defect: its successor starts over from the store. What was in flight may be sent twice.
void persistence::replace_supervisor(const caf::down_msg& down) {
  const auto found = slots_.find(down.source.id());
  if (found == slots_.end())
    return;
  const auto slot = found->second;
  collect_records(); // what it has left for us still counts
  warn("the supervisor of connector '" + rounds_.at(slot).id.value + "' died (" +
       caf::to_string(down.reason) + "): a new one starts over from the store");
  slots_.erase(found);
  supervisors_[slot] = nullptr;
  for (auto* waiting : {&refills_waiting_, &given_up_without_room_})
    std::erase_if(*waiting, [slot](const auto& asked) { return asked.seat.slot == slot; });
  rounds_.vacate(slot);
  rounds_.give_up_held(slot);
  deal_room();
  schedule_commit(); // what is being given up goes on when that is done
}

} // namespace vicket
