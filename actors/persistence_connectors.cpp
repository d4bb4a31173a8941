// What a partition's head does for operators about its connectors, and the supervisors that serve them.

#include "actors/persistence.hpp"

#include "actors/pending_counter.hpp"
#include "actors/persistence_answers.hpp"
#include "actors/supervisor.hpp"
#include "policy/assertion.hpp"
#include "policy/secret.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace vicket {

namespace {

/// What a get, list or put shows of a connector: never its secret.
connector_view without_secret(const connector& config) {
  connector_view view{config, false};
  view.value.secret.value.clear();
  return view;
}

constexpr std::string_view secret_placeholder = "***";

caf::error not_found(const connector_id& id) {
  return make_refusal(errc::not_found, "no connector has the id '" + id.value + "'");
}

caf::error stopping() {
  return make_refusal(errc::unavailable, "the node is stopping");
}

} // namespace

// -- at start ---------------------------------------------------------------------------------------------------------

void persistence::load() {
  const auto now = with_.clock->now();
  std::unordered_map<connector_id, std::string> states;
  for (auto& [id, state] : with_.store->connector_states())
    states.emplace(std::move(id), std::move(state));
  for (auto& config : with_.store->connectors()) {
    const auto state = states.find(config.id);
    const bool known = state != states.end();
    const auto slot = rounds_.load(std::move(config), known ? std::move(state->second) : std::string{});
    if (known && held_until(rounds_.at(slot), now))
      rounds_.show(slot);
  }
  begin_to_count();
  for (const auto& [id, first_due] : with_.store->waiting_connectors()) {
    const auto slot = rounds_.find(id);
    if (!slot)
      continue;
    rounds_.at(*slot).backlog = true;
    if (const auto to = supervisor_of(*slot))
      self_->send(to, backlog_grew{{first_due, 0}, true});
  }
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
  bool generated = false;
  if (config.secret.value == secret_placeholder && !known)
    return make_refusal(errc::invalid_connector,
                        "secret: \"***\" keeps the secret of an existing connector, and '" + config.id.value +
                            "' does not exist: give one, or none to have one made");
  if (known && (config.secret.value.empty() || config.secret.value == secret_placeholder)) {
    config.secret = rounds_.at(*known).config.secret;
  } else if (config.secret.value.empty()) {
    config.secret = generate_secret(*with_.random);
    generated = true;
  }
  // Below the reserve a new connector only adds to what is stored; one that is known may be paused or sent elsewhere,
  // which is how an operator gets at what fills the disk.
  if (!known && !room_on_disk())
    return make_refusal(
        errc::storage_full,
        std::string{"the node's disk is full: free some space and put it again"} +
            (disk_full_ ? "" : "; connectors that exist can be put, and deleted, all the same"));
  const auto slot = rounds_.put(config);
  rounds_.at(slot).complaint.clear();
  auto view = without_secret(config);
  if (generated)
    view.value.secret = config.secret;
  view.secret_generated = generated;
  return answer_with_round<connector_view>([view](auto& promise) { promise.deliver(view); });
}

caf::result<connector_view> persistence::get(const get_connector& request) {
  const auto answer = [this, id = request.id](auto& promise) {
    if (const auto slot = rounds_.find(id))
      promise.deliver(without_secret(rounds_.at(*slot).config));
    else
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
  deletes_.push_back({request.id, rounds_.filling_number(), promise});
  schedule_commit();
  return promise;
}

void persistence::decide_deletes() {
  for (auto& each : std::exchange(deletes_, {}))
    if (each.behind < rounds_.filling_number())
      decide_delete(each.id, each.promise);
    else
      deletes_.push_back(std::move(each));
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
            "stop new ones"));
  } else {
    rounds_.remove(*slot);
    rounds_.reply_with_round(std::make_unique<waiting_answer<void>>(
        promise, [](auto& answer) { answer.deliver(); }, false));
  }
}

caf::result<connector_page> persistence::list(const list_connectors& request) {
  const auto answer = [this, request](auto& promise) {
    std::vector<const connector*> chosen;
    rounds_.for_each([&](connector_slot, const partition_rounds::place& owner) {
      if (request.after.value.empty() || owner.config.id > request.after)
        chosen.push_back(&owner.config);
    });
    const auto limit =
        std::min<std::size_t>(std::clamp(request.limit, 1u, list_connectors::max_limit), chosen.size());
    std::partial_sort(chosen.begin(), chosen.begin() + static_cast<std::ptrdiff_t>(limit), chosen.end(),
                      [](const connector* a, const connector* b) { return a->id < b->id; });
    connector_page page;
    page.more = chosen.size() > limit;
    chosen.resize(limit);
    for (const auto* config : chosen)
      page.connectors.push_back(without_secret(*config));
    promise.deliver(std::move(page));
  };
  if (!failed_ && rounds_.has_unfinished_changes())
    return answer_with_round<connector_page>(answer, true);
  auto promise = self_->make_response_promise<connector_page>();
  answer(promise);
  return promise;
}

// -- supervisors ------------------------------------------------------------------------------------------------------

/// Null: the connector can't be used, which it says of itself from then on.
std::shared_ptr<const delivery_profile> persistence::profile_of(connector_slot slot) {
  auto& owner = rounds_.at(slot);
  try {
    auto& in_flight = in_flight_[slot];
    if (!in_flight)
      in_flight = std::make_shared<in_flight_count>(all_in_flight_);
    return make_delivery_profile(owner.config, with_.version, in_flight);
  } catch (const std::exception& why) {
    owner.complaint = why.what();
    rounds_.show(slot);
    warn("connector '" + owner.config.id.value + "' is set aside: " + owner.complaint +
         "; its events wait until it is put again");
    return nullptr;
  }
}

/// Null: the connector can't be used.
supervisor_actor persistence::supervisor_of(connector_slot slot) {
  if (slot >= supervisors_.size())
    supervisors_.resize(slot + 1);
  auto& mine = supervisors_[slot];
  const auto& owner = rounds_.at(slot);
  if (mine || !owner.complaint.empty())
    return mine;
  supervisor::setup needs;
  needs.profile = profile_of(slot);
  if (!needs.profile)
    return mine;
  needs.state = owner.state;
  needs.seat = rounds_.seat_supervisor(slot);
  needs.persistence = handle{self_};
  needs.records = records_;
  needs.delivery = with_.delivery;
  needs.alarm = with_.alarm;
  needs.clock = with_.clock;
  needs.random = with_.random;
  needs.window = with_.window;
  mine = self_->spawn<actor_of<supervisor>>(std::move(needs));
  self_->monitor(mine);
  slots_.emplace(mine.id(), slot);
  return mine;
}

bool persistence::let_retire(const retire& request) {
  auto* owner = rounds_.seat(request.seat);
  if (owner == nullptr)
    return true;
  if (owner->held_events > 0 || owner->backlog || owner->waiting_in_rounds > 0 || draining_)
    return false;
  owner->state = request.state;
  auto& mine = supervisors_[request.seat.slot];
  self_->demonitor(mine);
  slots_.erase(mine.id());
  mine = nullptr;
  in_flight_.erase(request.seat.slot);
  rounds_.vacate(request.seat.slot);
  return true;
}

/// Its connector was deleted.
void persistence::dismiss(connector_slot slot) {
  auto& mine = supervisors_[slot];
  self_->demonitor(mine);
  self_->send_exit(mine, caf::exit_reason::user_shutdown);
  slots_.erase(mine.id());
  mine = nullptr;
  in_flight_.erase(slot);
}

/// A supervisor died of a defect: its successor starts over from the store. What was in flight may be sent twice.
void persistence::replace_supervisor(const caf::down_msg& down) {
  const auto found = slots_.find(down.source.id());
  if (found == slots_.end())
    return;
  const auto slot = found->second;
  collect_records(); // what it has left for us still counts
  warn("the supervisor of connector '" + rounds_.at(slot).config.id.value + "' died (" +
       caf::to_string(down.reason) + "): a new one starts over from the store");
  slots_.erase(found);
  supervisors_[slot] = nullptr;
  std::erase_if(refills_waiting_, [slot](const auto& asked) { return asked.seat.slot == slot; });
  rounds_.vacate(slot);
  rounds_.give_up_held(slot);
  schedule_commit();
}

} // namespace vicket
