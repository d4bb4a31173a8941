#include "tests/crash/connector_timeline.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <set>

namespace vicket::crash {

namespace {

constexpr timestamp_ms beginning{std::numeric_limits<std::int64_t>::min()};

/// Until when a change without an answer may be made: the end of the node that it was sent to.
timestamp_ms end_of_life_at(timestamp_ms time, const std::vector<node_life>& lives) {
  for (const auto& life : lives)
    if (time >= life.started_at && time <= life.ended_at)
      return life.ended_at;
  return time; // between two nodes: nobody has it
}

/// Answers that leave open what is on the disk: the node was about to end.
bool leaves_open(const std::optional<errc>& refused) {
  return refused == errc::unavailable;
}

std::vector<connector_state> united(std::vector<connector_state> a, const std::vector<connector_state>& b) {
  a.insert(a.end(), b.begin(), b.end());
  std::sort(a.begin(), a.end());
  a.erase(std::unique(a.begin(), a.end()), a.end());
  return a;
}

std::string text_of(const std::optional<std::uint64_t>& version) {
  return version ? "version " + std::to_string(*version) : "no such connector";
}

std::string text_of(const std::vector<connector_state>& all) {
  std::set<std::string> texts;
  for (const auto& one : all)
    texts.insert(text_of(one.version));
  std::string text;
  for (const auto& one : texts)
    text += (text.empty() ? "" : " or ") + one;
  return text;
}

} // namespace

connector_timeline::connector_timeline(const plan& promises, const planned_connector& of,
                                       const std::vector<change_record>& changes,
                                       const std::vector<change_answer_record>& answers,
                                       const std::vector<look_record>& looks,
                                       const std::vector<node_life>& lives)
    : promises_{&promises}, of_{&of}, steps_{{beginning, {connector_state{}}}} {
  auto next_look = looks.begin();
  for (const auto& one : changes) {
    if (one.connector != of.value.id.value)
      continue;
    for (; next_look != looks.end() && next_look->at < one.at; ++next_look)
      look(*next_look);
    const auto answer = std::find_if(answers.begin(), answers.end(), [&](const change_answer_record& a) {
      return a.version == one.version && a.connector == one.connector && a.at >= one.at;
    });
    change(one, answer == answers.end() ? nullptr : &*answer, lives);
  }
  for (; next_look != looks.end(); ++next_look)
    look(*next_look);
}

void connector_timeline::complain(std::string rule, std::string detail) {
  found_.push_back({std::move(rule), "connector " + of_->value.id.value + ": " + std::move(detail), {}});
}

void connector_timeline::set(timestamp_ms from, states all) {
  steps_.emplace_back(std::max(from, steps_.back().first), std::move(all));
}

connector_timeline::states connector_timeline::after(const change_record& change) const {
  if (change.remove)
    return {connector_state{}};
  const auto put = promises_->version(*of_, change.version);
  states all;
  for (const auto& before : steps_.back().second)
    all = united(std::move(all), {{change.version, put.secret ? put.secret : before.secret}});
  return all;
}

void connector_timeline::change(const change_record& change, const change_answer_record* answer,
                                const std::vector<node_life>& lives) {
  const auto before = steps_.back().second;
  const auto done = after(change);
  const auto end = answer != nullptr ? answer->at : end_of_life_at(change.at, lives);
  spans_.push_back(
      {change.at, end, change.remove, answer != nullptr, answer != nullptr ? answer->refused : std::nullopt});
  set(change.at, united(before, done));
  if (answer == nullptr || leaves_open(answer->refused))
    return;
  if (!answer->refused)
    return set(end, done);
  set(end, before);
  const bool may_be_gone = std::find(before.begin(), before.end(), connector_state{}) != before.end();
  if (answer->refused == errc::not_found && change.remove) {
    if (!may_be_gone)
      return complain("a change that was answered holds",
                      "a delete finds nothing, possible is " + text_of(before));
    return set(end, {connector_state{}});
  }
  if (answer->refused != errc::storage_full && !(change.remove && answer->refused == errc::connector_busy))
    complain("a valid change is made", "refused: " + to_string(*answer->refused));
}

void connector_timeline::look(const look_record& one) {
  const auto shown = std::find_if(one.all.begin(), one.all.end(),
                                  [&](const auto& each) { return each.connector == of_->value.id.value; });
  if (shown != one.all.end() && (!shown->version || !shown->as_put))
    complain("connectors match", "it is not shown as any version was put");
  const auto version = shown == one.all.end() ? std::nullopt : shown->version;
  states matching;
  for (const auto& state : possible(one.asked_at, one.at))
    if (state.version == version)
      matching.push_back(state);
  if (matching.empty())
    return complain("a change that was answered holds", "the list shows " + text_of(version) + " at " +
                                                            std::to_string(one.at.value) + ", possible is " +
                                                            text_of(possible(one.asked_at, one.at)));
  // A change that may have been made after the look leaves it open again.
  const bool quiet = spans_.empty() || spans_.back().to < one.asked_at;
  if (quiet)
    set(one.at, std::move(matching));
}

std::vector<connector_state> connector_timeline::possible(timestamp_ms from, timestamp_ms to) const {
  auto step = std::upper_bound(steps_.begin(), steps_.end(), from,
                               [](timestamp_ms time, const auto& one) { return time < one.first; });
  states all = std::prev(step)->second;
  // Times are cut to milliseconds: what ended in the first one was still so in a part of it.
  for (auto earlier = std::prev(step); earlier != steps_.begin() && earlier->first == from; --earlier)
    all = united(std::move(all), std::prev(earlier)->second);
  for (; step != steps_.end() && step->first <= to; ++step)
    all = united(std::move(all), step->second);
  return all;
}

connector_version connector_timeline::settings(const connector_state& state) const {
  return promises_->version(*of_, state.version.value_or(plan::first_version));
}

std::vector<look_record::shown> shown_in(const plan& promises, const std::vector<connector_view>& list) {
  std::vector<look_record::shown> all;
  for (const auto& one : list) {
    look_record::shown made{one.value.id.value, {}, false};
    const auto path = one.value.url.find("/hooks/");
    const auto found = path == std::string::npos ? std::nullopt : hook_of(one.value.url.substr(path));
    const auto* of = promises.find(made.connector);
    if (found && of != nullptr && found->connector == made.connector) {
      made.version = found->version;
      made.as_put = shown_as_put(one.value, promises.version(*of, found->version));
    }
    all.push_back(std::move(made));
  }
  return all;
}

} // namespace vicket::crash
