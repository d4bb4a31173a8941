#include "tests/sim/connector_book.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>

namespace vicket::sim {

std::string host_of(const connector& value) {
  constexpr std::string_view scheme = "https://";
  const auto end = value.url.find('/', scheme.size());
  return value.url.substr(scheme.size(), end - scheme.size());
}

bool takes(const connector& value, const event_look& event) {
  return (value.events.empty() || value.events.front() == "e.*") &&
         passes(filter_form_of(value.filter_json), event);
}

template <class Predicate>
bool connector_book::any_since(std::uint32_t which, std::uint64_t since, Predicate holds) const {
  const auto& versions = connectors_[which].versions;
  return std::any_of(versions.begin(), versions.end(),
                     [&](const version& one) { return one.until >= since && holds(one); });
}

void connector_book::change_sent(std::uint32_t which, const connector& wanted, bool exists,
                                 const moment& now) {
  auto& fact = connectors_[which];
  fact.changing = true;
  fact.changed = now.order;
  fact.versions.push_back({exists, wanted, now.order, never});
}

void connector_book::may_become_disabled(std::uint32_t which, const moment& now) {
  auto& versions = connectors_[which].versions;
  const auto known = versions.size();
  for (std::size_t i = 0; i < known; ++i)
    if (versions[i].exists && versions[i].value.enabled && versions[i].until == never) {
      auto half_way = versions[i];
      half_way.value.enabled = false;
      half_way.from = now.order;
      versions.push_back(std::move(half_way));
    }
}

void connector_book::change_done(std::uint32_t which, const moment& now) {
  auto& fact = connectors_[which];
  fact.changing = false;
  fact.changed = now.order;
  for (auto& one : fact.versions)
    if (&one != &fact.versions.back())
      one.until = std::min(one.until, now.order);
}

void connector_book::change_refused(std::uint32_t which, const moment& now) {
  auto& fact = connectors_[which];
  fact.changing = false;
  fact.changed = now.order;
  fact.versions.back().until = now.order;
}

void connector_book::changes_are_lost() {
  for (auto& fact : connectors_)
    fact.changing = false;
}

void connector_book::shown(std::uint32_t which, const connector* value, const moment& asked,
                           const moment& now) {
  auto& fact = connectors_[which];
  const auto fits = [&](const version& one) {
    return one.exists == (value != nullptr) &&
           (value == nullptr ||
            (one.value.url == value->url && one.value.enabled == value->enabled &&
             one.value.events == value->events && one.value.filter_json == value->filter_json &&
             one.value.max_in_flight == value->max_in_flight));
  };
  if (!any_since(which, asked.order, fits))
    return complain("a connector is what the last put made of it",
                    "c" + std::to_string(which) + " is shown as " +
                        (value == nullptr ? "absent" : value->url + (value->enabled ? "" : ", disabled")));
  if (fact.changing || fact.changed > asked.order) // it may be older than the last answer
    return;
  for (auto& one : fact.versions)
    if (!fits(one))
      one.until = std::min(one.until, now.order);
}

bool connector_book::may_refuse(std::uint32_t which, errc code, const moment& sent,
                                const event_look& event) const {
  return any_since(which, sent.order, [&](const version& one) {
    switch (code) {
    case errc::unknown_connector:
      return !one.exists;
    case errc::connector_disabled:
      return one.exists && !one.value.enabled;
    case errc::filtered:
      return one.exists && !takes(one.value, event);
    default:
      return true;
    }
  });
}

void connector_book::check_refusal(std::uint32_t which, errc code, const moment& sent,
                                   std::uint64_t serial) const {
  if (!may_refuse(which, code, sent, look_of(serial)))
    complain("an event is refused for a reason", "event #" + std::to_string(serial) + " of c" +
                                                     std::to_string(which) + " was refused with " +
                                                     vicket::to_string(code));
}

bool connector_book::may_accept(std::uint32_t which, const event_look& event, std::uint64_t from,
                                std::uint64_t to) const {
  return any_since(which, from, [&](const version& one) {
    return one.from <= to && one.exists && one.value.enabled && takes(one.value, event);
  });
}

bool connector_book::certainly_accepts(std::uint32_t which, const event_look& event, std::uint64_t from,
                                       std::uint64_t to) const {
  return !any_since(which, from, [&](const version& one) {
    return one.from <= to && !(one.exists && one.value.enabled && takes(one.value, event));
  });
}

void connector_book::check_request(std::uint32_t which, const std::string& host) const {
  if (!any_since(which, quiet_since_,
                 [&](const version& one) { return one.exists && host_of(one.value) == host; }))
    return complain("a put of another address is followed",
                    "c" + std::to_string(which) + " still sends to " + host);
  if (!any_since(which, quiet_since_, [](const version& one) { return one.exists && one.value.enabled; }))
    complain("a disabled connector sends nothing", "c" + std::to_string(which) + " does");
}

bool connector_book::certainly_delivers(std::uint32_t which) const {
  return !connectors_[which].changing && !any_since(which, never, [](const version& one) {
    return !one.exists || !one.value.enabled || one.value.rate;
  });
}

std::uint32_t connector_book::most_in_flight(std::uint32_t which, std::uint64_t since) const {
  std::uint32_t most = 0;
  for (const auto& one : connectors_[which].versions)
    if (one.until >= std::min(since, quiet_since_) && one.exists)
      most = std::max(most, one.value.max_in_flight);
  return most;
}

bool connector_book::may_exist(std::uint32_t which) const {
  return any_since(which, never, [](const version& one) { return one.exists; });
}

bool connector_book::exists(std::uint32_t which) const {
  return !any_since(which, never, [](const version& one) { return !one.exists; });
}

bool connector_book::may_have_existed(std::uint32_t which, std::uint64_t since) const {
  return any_since(which, since, [](const version& one) { return one.exists; });
}

bool connector_book::may_have_been_absent(std::uint32_t which, std::uint64_t since) const {
  return any_since(which, since, [](const version& one) { return !one.exists; });
}

bool connector_book::existed_before_change(std::uint32_t which) const {
  const auto& versions = connectors_[which].versions;
  return std::none_of(versions.begin(), std::prev(versions.end()),
                      [](const version& one) { return one.until == never && !one.exists; });
}

bool connector_book::all_are_certain() const {
  return std::all_of(connectors_.begin(), connectors_.end(), [](const connector_fact& one) {
    return std::count_if(one.versions.begin(), one.versions.end(),
                         [](const version& v) { return v.until == never; }) == 1;
  });
}

} // namespace vicket::sim
