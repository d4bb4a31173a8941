#include "tests/crash/delivery_oracle.hpp"

#include <rapidjson/document.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

namespace vicket::crash {

namespace {

constexpr std::string_view run_prefix = "run-";

std::optional<std::uint64_t> serial_of_run(std::string_view run) {
  std::uint64_t serial = 0;
  if (!run.starts_with(run_prefix))
    return std::nullopt;
  run.remove_prefix(run_prefix.size());
  const auto [end, error] = std::from_chars(run.data(), run.data() + run.size(), serial);
  if (error != std::errc{} || end != run.data() + run.size())
    return std::nullopt;
  return serial;
}

std::optional<std::uint64_t> serial_of_body(const std::string& body) {
  rapidjson::Document document;
  document.Parse(body.data(), body.size());
  if (document.HasParseError() || !document.IsObject() || !document.HasMember("data") ||
      !document["data"].IsObject() || !document["data"].HasMember("serial") ||
      !document["data"]["serial"].IsUint64())
    return std::nullopt;
  return document["data"]["serial"].GetUint64();
}

} // namespace

bool event_trace::accepted_answered() const {
  return std::any_of(answers.begin(), answers.end(),
                     [](const answer_record& one) { return std::holds_alternative<accepted>(one.result); });
}

void run_facts::complain(const event_trace& trace, std::string rule, std::string detail) const {
  found->push_back({std::move(rule), std::move(detail), trace.id});
}

const connector_timeline* run_facts::timeline_of(const event_trace& trace) const {
  if (timelines == nullptr)
    return nullptr;
  const auto at = timelines->find(trace.sent.connector.value);
  return at == timelines->end() ? nullptr : &at->second;
}

std::optional<std::size_t> run_facts::life_at(timestamp_ms time) const {
  const auto after =
      std::upper_bound(lives->begin(), lives->end(), time,
                       [](timestamp_ms t, const node_life& life) { return t < life.started_at; });
  if (after == lives->begin() || time > std::prev(after)->ended_at)
    return std::nullopt;
  return static_cast<std::size_t>(std::prev(after) - lives->begin());
}

delivery_oracle::delivery_oracle(const plan& promises, event_source event)
    : promises_{promises}, event_{std::move(event)} {}

void delivery_oracle::complain(std::string rule, std::string detail, std::string id) {
  while_adding_.push_back({std::move(rule), std::move(detail), std::move(id)});
}

event_trace& delivery_oracle::trace_of_serial(std::uint64_t serial) {
  const auto [at, created] = traces_.try_emplace(serial);
  if (created) {
    at->second.serial = serial;
    at->second.sent = event_(serial);
    if (at->second.sent.id) {
      at->second.id = at->second.sent.id->to_string();
      serials_.emplace(at->second.id, serial);
    }
  }
  return at->second;
}

event_trace* delivery_oracle::trace_of(const std::string& connector, const std::string& id,
                                       std::optional<std::uint64_t> serial) {
  event_trace* known = nullptr;
  const auto [first, last] = serials_.equal_range(id);
  for (auto at = first; at != last; ++at) {
    auto& one = traces_.at(at->second);
    if (known == nullptr || one.sent.connector.value == connector)
      known = &one;
  }
  if (known != nullptr || !serial)
    return known;
  const auto at = traces_.find(*serial);
  if (at == traces_.end() || !at->second.id.empty())
    return nullptr; // never sent, or known under another id
  at->second.id = id;
  serials_.emplace(id, *serial);
  return &at->second;
}

void delivery_oracle::add(const send_record& sent) {
  trace_of_serial(sent.serial).sends.push_back(sent.at);
}

void delivery_oracle::add(const answer_record& answer) {
  const auto at = traces_.find(answer.serial);
  if (at == traces_.end())
    return complain("only what was sent is answered", "an answer to serial " + std::to_string(answer.serial));
  auto& trace = at->second;
  if (const auto* yes = std::get_if<accepted>(&answer.result); yes != nullptr && trace.id.empty()) {
    trace.id = yes->id.to_string();
    if (serials_.contains(trace.id))
      complain("an id is globally unique", "the node gave it to two events", trace.id);
    serials_.emplace(trace.id, trace.serial);
  }
  trace.answers.push_back(answer);
}

void delivery_oracle::add(request_record request) {
  const bool known = serials_.contains(request.id);
  auto* trace = trace_of(request.connector, request.id, known ? std::nullopt : serial_of_body(request.body));
  if (trace == nullptr)
    return complain("only what was sent is delivered",
                    "a receiver got a request for connector '" + request.connector + "'", request.id);
  if (trace->body.empty())
    trace->body = std::move(request.body);
  request.body = {};
  trace->requests.push_back(std::move(request));
}

void delivery_oracle::add(const node_life& life) {
  lives_.push_back(life);
}

void delivery_oracle::add(const change_record& change) {
  changes_.push_back(change);
}

void delivery_oracle::add(const change_answer_record& answer) {
  change_answers_.push_back(answer);
}

void delivery_oracle::add(look_record look) {
  looks_.push_back(std::move(look));
}

void delivery_oracle::add(follower_record one) {
  follower_.push_back(std::move(one));
}

void delivery_oracle::add_history(const event_id& id, std::optional<event_history> history) {
  const auto text = id.to_string();
  auto* trace = history
                    ? trace_of(history->summary.connector.value, text, serial_of_run(history->summary.run))
                    : trace_of({}, text, std::nullopt);
  if (trace == nullptr)
    return complain("only what was sent is kept", "the node knows an event that nobody sent", text);
  const auto [first, last] = serials_.equal_range(text);
  for (auto at = first; at != last; ++at)
    traces_.at(at->second).history_asked = true;
  if (history)
    trace->history = std::move(history);
}

void delivery_oracle::add_feed(const outcome_entry& entry) {
  const auto id = entry.summary.id.to_string();
  if (auto* trace = trace_of(entry.summary.connector.value, id, serial_of_run(entry.summary.run)))
    trace->feed.push_back(entry);
  else
    complain("only what was sent is in the feed", "the feed has an event that nobody sent", id);
}

void delivery_oracle::add_followed(const outcome_entry& entry) {
  const auto id = entry.summary.id.to_string();
  if (auto* trace = trace_of(entry.summary.connector.value, id, serial_of_run(entry.summary.run)))
    trace->followed.push_back(entry);
  else
    complain("only what was sent is in the feed", "the followed feed has an event that nobody sent", id);
}

std::vector<event_id> delivery_oracle::ids() const {
  std::vector<event_id> all;
  for (const auto& [serial, trace] : traces_)
    if (const auto id = plan::looked_up(serial) ? event_id::parse(trace.id) : std::nullopt)
      all.push_back(*id);
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end()); // known per connector, asked for once
  return all;
}

std::map<std::string, connector_timeline> delivery_oracle::timelines() const {
  std::map<std::string, connector_timeline> all;
  if (!changes_.empty())
    for (const auto& one : promises_.connectors())
      all.try_emplace(one.value.id.value, promises_, one, changes_, change_answers_, looks_, lives_);
  return all;
}

void delivery_oracle::check_connectors(const run_facts& facts) {
  std::map<std::string, std::vector<const event_trace*>> events;
  for (const auto& [serial, trace] : traces_)
    events[trace.sent.connector.value].push_back(&trace);
  for (const auto& [id, timeline] : *facts.timelines) {
    facts.found->insert(facts.found->end(), timeline.found().begin(), timeline.found().end());
    for (const auto& one : timeline.changes()) {
      ++(one.remove ? counted_.deletes : counted_.puts);
      counted_.unanswered_changes += one.answered ? 0 : 1;
    }
    check_busy_answers(timeline, events[id], facts);
  }
}

std::vector<feed_key> delivery_oracle::whole_feed() const {
  std::vector<feed_key> all;
  for (const auto& [serial, trace] : traces_)
    for (const auto& entry : trace.feed)
      all.emplace_back(entry.summary.connector.value, trace.id, entry.value.number);
  return all;
}

std::vector<violation> delivery_oracle::check() {
  auto found = while_adding_;
  counted_ = {};
  counted_.events_sent = traces_.size();
  const auto configured = timelines();
  const run_facts facts{&promises_, &lives_, &counted_, &found, &configured, slow_sync_ms_};
  check_connectors(facts);
  for (auto& [serial, trace] : traces_) {
    std::stable_sort(trace.requests.begin(), trace.requests.end(),
                     [](const auto& a, const auto& b) { return a.arrived_at < b.arrived_at; });
    check_answers(trace, facts);
    check_history(trace, facts);
    check_request_contents(trace, facts);
    check_duplicates(trace, facts);
    check_feed(trace, facts);
    check_configuration(trace, facts);
  }
  if (!follower_.empty())
    for (auto& one : check_follower(follower_, whole_feed()))
      found.push_back(std::move(one));
  return found;
}

std::pair<std::uint64_t, std::uint64_t> delivery_oracle::count_of(const std::string& connector) const {
  std::pair<std::uint64_t, std::uint64_t> counts{0, 0};
  for (const auto& [serial, trace] : traces_)
    if (trace.sent.connector.value == connector) {
      counts.first += trace.accepted_answered() ? 1 : 0;
      ++counts.second;
    }
  return counts;
}

std::string delivery_oracle::story(const std::string& id) const {
  std::string text;
  const auto [first, last] = serials_.equal_range(id);
  for (auto at = first; at != last; ++at)
    text += story_of(traces_.at(at->second), lives_);
  return text;
}

} // namespace vicket::crash
