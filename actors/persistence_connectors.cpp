// What a partition knows of its connectors, and the supervisors that serve them.

#include "actors/persistence.hpp"

#include "policy/secret.hpp"

#include <algorithm>
#include <limits>
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

} // namespace

caf::result<connector_view> persistence::put(const put_connector& request) {
  if (failed_ || draining_)
    return make_refusal(errc::unavailable, "the node is stopping");
  auto config = request.value;
  auto found = connectors_.find(config.id);
  const bool known = found != connectors_.end();
  bool generated = false;
  if (config.secret.value == secret_placeholder && !known)
    return make_refusal(errc::invalid_connector,
                        "secret: \"***\" keeps the secret of an existing connector, and '" + config.id.value +
                            "' does not exist: give one, or none to have one made");
  if (known && (config.secret.value.empty() || config.secret.value == secret_placeholder)) {
    config.secret = found->second->config.secret;
  } else if (config.secret.value.empty()) {
    config.secret = generate_secret(*with_.random);
    generated = true;
  }
  commit(); // what came before it is on disk before it
  if (disk_full_ || failed_ || !room_on_disk())
    return make_refusal(errc::storage_full, "the node's disk is full: free some space and put it again");
  room_on_disk_ = false; // seen for this commit only
  write_batch alone;
  alone.put_connector(config);
  const auto status = with_.store->commit(alone, unindexed_.lowest().value_or(with_.store->next_sequence()));
  if (status.code == store_errc::full)
    return make_refusal(errc::storage_full, status.detail);
  if (!status.ok()) {
    fail(status);
    return make_refusal(errc::unavailable, "the node is stopping: its store failed");
  }
  auto& slot = known ? found->second : connectors_[config.id];
  if (!slot)
    slot = std::make_unique<entry>();
  slot->config = config;
  if (slot->supervisor)
    self_->send(slot->supervisor, reconfigure{make_delivery_profile(config, with_.version)});
  auto view = without_secret(config);
  if (generated)
    view.value.secret = config.secret;
  view.secret_generated = generated;
  return view;
}

caf::result<connector_view> persistence::get(const get_connector& request) const {
  auto found = connectors_.find(request.id);
  if (found == connectors_.end())
    return make_refusal(errc::not_found, "no connector has the id '" + request.id.value + "'");
  return without_secret(found->second->config);
}

caf::result<void> persistence::remove(const delete_connector& request) {
  auto found = connectors_.find(request.id);
  if (found == connectors_.end())
    return make_refusal(errc::not_found, "no connector has the id '" + request.id.value + "'");
  if (failed_ || draining_)
    return make_refusal(errc::unavailable, "the node is stopping");
  commit();
  auto& owner = *found->second;
  const auto page = with_.store->read_due(request.id, {}, {std::numeric_limits<std::int64_t>::max()}, 1, 1,
                                          [](log_sequence) { return false; });
  if (owner.held_events > 0 || !page.events.empty())
    return make_refusal(
        errc::connector_busy,
        "events are pending for connector '" + request.id.value +
            "': wait until they are settled (`vicket status`), or put it with \"enabled\":false to "
            "stop new ones");
  write_batch alone;
  alone.delete_connector(request.id);
  const auto status = with_.store->commit(alone, unindexed_.lowest().value_or(with_.store->next_sequence()));
  if (status.code == store_errc::full)
    return make_refusal(errc::storage_full, status.detail);
  if (!status.ok()) {
    fail(status);
    return make_refusal(errc::unavailable, "the node is stopping: its store failed");
  }
  if (owner.supervisor) {
    self_->demonitor(owner.supervisor);
    self_->send_exit(owner.supervisor, caf::exit_reason::user_shutdown);
  }
  connectors_.erase(found);
  return caf::unit;
}

connector_page persistence::list(const list_connectors& request) const {
  std::vector<const connector*> chosen;
  for (const auto& [id, owner] : connectors_)
    if (request.after.value.empty() || id > request.after)
      chosen.push_back(&owner->config);
  const auto limit =
      std::min<std::size_t>(std::clamp(request.limit, 1u, list_connectors::max_limit), chosen.size());
  std::partial_sort(chosen.begin(), chosen.begin() + static_cast<std::ptrdiff_t>(limit), chosen.end(),
                    [](const connector* a, const connector* b) { return a->id < b->id; });
  connector_page page;
  page.more = chosen.size() > limit;
  chosen.resize(limit);
  for (const auto* config : chosen)
    page.connectors.push_back(without_secret(*config));
  return page;
}

// -- supervisors ------------------------------------------------------------------------------------------------------

supervisor_actor& persistence::supervisor_of(entry& owner) {
  if (!owner.supervisor) {
    supervisor::setup needs;
    needs.profile = make_delivery_profile(owner.config, with_.version);
    needs.shaper_state = owner.shaper_state;
    needs.persistence = handle{self_};
    needs.records = records_;
    needs.delivery = with_.delivery;
    needs.alarm = with_.alarm;
    needs.clock = with_.clock;
    needs.random = with_.random;
    needs.window = with_.window;
    owner.supervisor = self_->spawn<actor_of<supervisor>>(std::move(needs));
    self_->monitor(owner.supervisor);
  }
  return owner.supervisor;
}

bool persistence::let_retire(const retire& request) {
  auto found = connectors_.find(request.connector);
  if (found == connectors_.end())
    return true;
  auto& owner = *found->second;
  if (owner.held_events > 0 || owner.backlog || draining_)
    return false;
  owner.shaper_state = request.shaper_state;
  if (owner.supervisor)
    self_->demonitor(owner.supervisor);
  owner.supervisor = nullptr;
  return true;
}

/// A supervisor died of a defect: its successor starts over from the store. What was in flight may be sent twice.
void persistence::replace_supervisor(const caf::down_msg& down) {
  for (auto& [id, owner] : connectors_) {
    if (!owner->supervisor || owner->supervisor.address() != down.source)
      continue;
    if (with_.log_warning)
      with_.log_warning("the supervisor of connector '" + id.value + "' died (" +
                        caf::to_string(down.reason) + "): a new one starts over from the store");
    owner->supervisor = nullptr;
    std::erase_if(refills_waiting_, [&](const auto& asked) { return asked.connector == id; });
    commit();
    for (const auto& orphan : unindexed_.spill_connector(id)) {
      batch_.index_waiting(id, {orphan.due, orphan.sequence}, 0);
      staged_spills_.push_back(orphan);
    }
    owner->held_events = 0;
    owner->held_bytes = 0;
    owner->backlog = true;
    commit();
    if (!draining_)
      self_->send(supervisor_of(*owner), backlog_grew{});
    return;
  }
}

} // namespace vicket
