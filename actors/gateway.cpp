#include "actors/gateway.hpp"

#include "actors/connector_pages.hpp"
#include "actors/gather.hpp"
#include "policy/envelope.hpp"
#include "policy/partitioning.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace vicket {

namespace {

constexpr std::size_t around_bytes = 256; // what surrounds an event's strings in memory

/// A composed event's weight while it is uncommitted.
std::size_t weight_of(const composed_event& event) {
  return event.envelope.size() + event.workflow.size() + event.run.size() + around_bytes;
}

refusal stopping() {
  return {errc::unavailable, "the node is stopping: send again to its successor"};
}

} // namespace

gateway::gateway(handle::pointer self, setup with)
    : self_{self}, with_{std::move(with)}, started_at_{with_.clock->now()} {}

gateway::handle::behavior_type gateway::make_behavior() {
  return {
      [this](send_to_connector& event) { return send_one(event); },
      [this](send_batch& batch) { return send_many(batch); },
      [this](const put_connector& request) { return put(request); },
      [this](get_connector& request) -> caf::result<connector_view> {
        return self_->delegate(with_.router, std::move(request));
      },
      [this](delete_connector& request) -> caf::result<void> { return change<void>(request); },
      [this](trigger& value) { return change<trigger_result>(value); },
      [this](trigger_batch& batch) { return change<trigger_batch_result>(batch); },
      [this](put_rule& request) { return change<rule>(request); },
      [this](delete_rule& request) { return change<void>(request); },
      [this](get_rule& request) -> caf::result<rule> {
        return self_->delegate(with_.desk, std::move(request));
      },
      [this](list_rules& request) -> caf::result<rule_page> {
        return self_->delegate(with_.desk, std::move(request));
      },
      [this](try_rules& request) -> caf::result<trial_page> {
        return self_->delegate(with_.desk, std::move(request));
      },
      [this](const list_connectors& request) { return list(request); },
      [this](get_event& request) -> caf::result<event_page> {
        return self_->delegate(with_.history, std::move(request));
      },
      [this](get_run& request) -> caf::result<run_page> {
        return self_->delegate(with_.history, std::move(request));
      },
      [this](read_outcomes& request) -> caf::result<outcome_page> {
        return self_->delegate(with_.history, std::move(request));
      },
      [this](const get_status& request) { return status(request); },
      [this](make_backup& request) -> caf::result<backup_made> {
        return self_->delegate(with_.clerk, std::move(request));
      },
      [this](const drain&) { stopping_ = true; },
  };
}

// -- events -----------------------------------------------------------------------------------------------------------

std::optional<refusal> gateway::compose(send_to_connector& event, composed_event& composed) {
  if (stopping_)
    return stopping();
  if (!event.connector.valid())
    return refusal{errc::invalid_event, "connector: must be 1 to 64 characters of A-Z a-z 0-9 . _ -"};
  if (!has_room_for(event))
    return refusal{errc::overloaded,
                   "more than " + std::to_string(with_.max_uncommitted_bytes) +
                       " bytes of events are on their way to the disk: send again a little later"};
  composed.id = event.id ? *event.id : ids_.next(with_.clock->now(), *with_.random);
  composed.id_of_sender = event.id.has_value();
  auto envelope = compose_envelope(event, composed.id, with_.max_envelope_bytes);
  if (auto* complaint = std::get_if<refusal>(&envelope))
    return std::move(*complaint);
  composed.envelope = std::get<std::string>(std::move(envelope));
  composed.connector = std::move(event.connector);
  composed.event = std::move(event.event);
  composed.workflow = std::move(event.workflow);
  composed.run = std::move(event.run);
  uncommitted_bytes_ += weight_of(composed);
  return std::nullopt;
}

bool gateway::has_room_for(const send_to_connector& event) const {
  const auto most = most_envelope_bytes(event, with_.max_envelope_bytes) + event.workflow.size() +
                    event.run.size() + around_bytes;
  return uncommitted_bytes_ == 0 || uncommitted_bytes_ + most <= with_.max_uncommitted_bytes;
}

void gateway::intake_ends(std::int64_t began_us, std::size_t events) const {
  if (with_.intake)
    with_.intake->took(with_.clock->now_us() - began_us, events);
}

caf::result<accepted> gateway::send_one(send_to_connector& event) {
  composed_event composed;
  if (auto no = compose(event, composed))
    return make_refusal(*no);
  const auto weight = weight_of(composed);
  accept_events part;
  part.partition = partition_of(composed.connector, static_cast<std::uint32_t>(with_.partitions.size()));
  part.events.push_back(std::move(composed));
  auto promise = self_->make_response_promise<accepted>();
  const auto began_us = intake_begins();
  self_->request(with_.router, caf::infinite, std::move(part))
      .then(
          [this, promise, weight, began_us](const batch_result& answer) mutable {
            intake_ends(began_us, 1);
            uncommitted_bytes_ -= weight;
            if (const auto* yes = std::get_if<accepted>(&answer.results.at(0)))
              promise.deliver(*yes);
            else
              promise.deliver(make_refusal(std::get<refusal>(answer.results[0])));
          },
          [this, promise, weight](const caf::error& reason) mutable {
            uncommitted_bytes_ -= weight;
            promise.deliver(make_refusal(errc::unavailable, refusal_of(reason).detail));
          });
  return promise;
}

caf::result<batch_result> gateway::send_many(send_batch& batch) {
  if (batch.items.size() > send_batch::max_items)
    return make_refusal(errc::invalid_event,
                        "a batch holds at most " + std::to_string(send_batch::max_items) +
                            " events, this one has " + std::to_string(batch.items.size()));
  struct part {
    std::vector<composed_event> events;
    std::vector<std::size_t> places;
  };
  const auto partitions = static_cast<std::uint32_t>(with_.partitions.size());
  std::vector<part> parts(partitions);
  auto open = std::make_shared<open_batch>();
  open->value.results.resize(batch.items.size());
  for (std::size_t i = 0; i < batch.items.size(); ++i) {
    composed_event composed;
    if (auto no = compose(batch.items[i], composed)) {
      open->value.results[i] = *std::move(no);
      continue;
    }
    auto& target = parts[partition_of(composed.connector, partitions)];
    target.events.push_back(std::move(composed));
    target.places.push_back(i);
  }
  open->parts_missing = static_cast<std::size_t>(
      std::count_if(parts.begin(), parts.end(), [](const part& p) { return !p.events.empty(); }));
  if (open->parts_missing == 0)
    return std::move(open->value);
  open->promise = self_->make_response_promise<batch_result>();
  auto promise = open->promise;
  for (std::uint32_t i = 0; i < partitions; ++i)
    if (!parts[i].events.empty())
      send_part(open, i, std::move(parts[i].events), std::move(parts[i].places));
  return promise;
}

void gateway::send_part(const std::shared_ptr<open_batch>& batch, std::uint32_t partition,
                        std::vector<composed_event> events, std::vector<std::size_t> places) {
  std::size_t weight = 0;
  for (const auto& event : events)
    weight += weight_of(event);
  auto one_less = [this, batch, weight] {
    uncommitted_bytes_ -= weight;
    if (--batch->parts_missing == 0)
      batch->promise.deliver(std::move(batch->value));
  };
  const auto began_us = intake_begins();
  self_->request(with_.router, caf::infinite, accept_events{partition, std::move(events)})
      .then(
          [this, batch, places, one_less, began_us](batch_result& answer) {
            intake_ends(began_us, places.size());
            for (std::size_t i = 0; i < places.size(); ++i)
              batch->value.results[places[i]] = std::move(answer.results.at(i));
            one_less();
          },
          [batch, places, one_less](const caf::error& reason) {
            for (const auto place : places)
              batch->value.results[place] = refusal{errc::unavailable, refusal_of(reason).detail};
            one_less();
          });
}

/// What the desk of the rules does, as long as the node takes anything.
template <class Answer, class Request>
caf::result<Answer> gateway::change(Request& request) {
  if (stopping_)
    return make_refusal(stopping());
  return self_->delegate(with_.desk, std::move(request));
}

// -- connectors -------------------------------------------------------------------------------------------------------

caf::result<connector_view> gateway::put(const put_connector& request) {
  if (stopping_)
    return make_refusal(stopping());
  if (auto complaint = connector_complaint(request.value, with_.rules))
    return make_refusal(errc::invalid_connector, *complaint);
  return self_->delegate(with_.router, request);
}

caf::result<connector_page> gateway::list(const list_connectors& request) {
  auto promise = self_->make_response_promise<connector_page>();
  const auto limit = std::clamp(request.limit, 1u, list_connectors::max_limit);
  gather<connector_page>(
      self_, with_.partitions, [&](std::size_t) { return request; },
      [promise, limit](std::vector<connector_page> parts, caf::error why) mutable {
        if (why) {
          promise.deliver(std::move(why));
          return;
        }
        promise.deliver(merge_pages(std::move(parts), limit));
      });
  return promise;
}

// -- status -----------------------------------------------------------------------------------------------------------

caf::result<node_status> gateway::status(const get_status& request) {
  auto promise = self_->make_response_promise<node_status>();
  const auto limit = std::clamp(request.limit, 1u, get_status::max_limit);
  auto asked = with_.partitions;
  asked.push_back(with_.settings);
  gather<partition_overview>(
      self_, asked,
      [&](std::size_t) {
        return get_partition_overview{request.after, limit};
      },
      [this, promise, limit](std::vector<partition_overview> parts, caf::error why) mutable {
        if (why) {
          promise.deliver(std::move(why));
          return;
        }
        node_status status;
        status.version = with_.version;
        status.started_at = started_at_;
        status.now = with_.clock->now();
        auto& settings = parts.back();
        status.settings = {std::move(settings.partition), settings.settings, settings.settings_bytes};
        parts.pop_back();
        for (auto& part : parts) {
          status.connectors_configured += part.connectors_configured;
          status.partitions.push_back(std::move(part.partition));
          status.more = status.more || part.more;
          std::move(part.connectors.begin(), part.connectors.end(), std::back_inserter(status.connectors));
        }
        std::sort(status.connectors.begin(), status.connectors.end(),
                  [](const connector_status& a, const connector_status& b) { return a.id < b.id; });
        if (status.connectors.size() > limit) {
          status.connectors.resize(limit);
          status.more = true;
        }
        promise.deliver(std::move(status));
      });
  return promise;
}

} // namespace vicket
