#include "tests/sim/trigger_book.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

namespace vicket::sim {

namespace {

constexpr auto becomes = "a trigger becomes what the rules of then make of it";

/// Ten seconds, and until they are noticed.
constexpr std::int64_t longest_answer_ms = 10'500;

std::string name(std::uint64_t serial) {
  return "trigger #" + std::to_string(serial);
}

std::string name_of(std::size_t rule, std::size_t action) {
  return "action " + std::to_string(action) + " of " + rule_name(rule);
}

} // namespace

void trigger_book::sent(const planned_trigger& value, const moment& now) {
  triggers_[value.serial] = {value, now, never, false, {}};
}

void trigger_book::ended(std::uint64_t serial, const moment& now) {
  auto& trigger = triggers_.at(serial);
  trigger.planned_by = std::min(trigger.planned_by, now.order);
}

void trigger_book::not_taken(std::uint64_t serial, const std::string& detail) {
  constexpr std::string_view before = "trigger ";
  constexpr std::size_t id_characters = 36;
  const auto id = detail.starts_with(before)
                      ? event_id::parse(std::string_view{detail}.substr(before.size(), id_characters))
                      : std::nullopt;
  if (!id)
    return; // nothing of it was sent to a partition, or whoever it was sent to does not know
  auto& trigger = triggers_.at(serial);
  if (trigger.sent.id && *trigger.sent.id != *id)
    complain("a trigger keeps its id", name(serial) + " was refused as " + id->to_string());
  if (trigger.sent.id)
    return;
  trigger.sent.id = *id;
  const auto known = without_id_.find(serial);
  if (known == without_id_.end())
    return;
  by_id_[*id] = std::move(known->second); // nobody else has it
  without_id_.erase(known);
}

void trigger_book::all_are_lost(const moment& now) {
  for (auto& [serial, one] : triggers_)
    one.planned_by = std::min(one.planned_by, now.order);
}

void trigger_book::quiet(const moment& now) {
  for (auto& [serial, one] : triggers_) {
    if (one.planned_by != never)
      continue;
    if (!one.taken_ms)
      one.taken_ms = now.steady_ms;
    if (const auto took = now.steady_ms - *one.taken_ms; took > longest_answer_ms)
      complain("a trigger is answered after 10 s at the latest",
               name(serial) + " is not, after " + std::to_string(took) + " ms");
  }
}

void trigger_book::learn(const trigger_fact& of, const action& what, const event_id& id) {
  auto& known = of.sent.id ? by_id_[*of.sent.id] : without_id_[of.sent.serial];
  if (const auto [at, is_new] = known.ids.try_emplace(what, id); !is_new && at->second != id)
    complain("an action of a trigger keeps its id", name(of.sent.serial) + ": " +
                                                        name_of(what.first, what.second) + " was " +
                                                        at->second.to_string() + " and is " + id.to_string());
  if (const auto [at, is_new] = known.actions.try_emplace(id, what); !is_new && at->second != what)
    complain("actions of a trigger have different ids",
             name(of.sent.serial) + ": " + name_of(what.first, what.second) + " has that of " +
                 name_of(at->second.first, at->second.second));
}

void trigger_book::answered(std::uint64_t serial, const trigger_result& answer, const setting_book& rules,
                            const connector_book* connectors, const moment& now) {
  auto& trigger = triggers_.at(serial);
  trigger.decided = true;
  trigger.planned_by = now.order;
  if (trigger.sent.id && *trigger.sent.id != answer.id)
    complain("a trigger keeps its id", name(serial) + " was answered as " + answer.id.to_string());
  std::map<std::size_t, std::vector<named_action>> named;
  for (const auto& one : answer.events) {
    const auto which = rule_of_name(one.rule.value);
    const auto connector = connector_number_(one.connector);
    if (!which || *which >= setting_book::count || !connector) {
      complain(becomes, name(serial) + " names rule '" + one.rule.value + "' and connector '" +
                            one.connector.value + "'");
      continue;
    }
    named[*which].push_back({*connector, one.action, &one.result});
    if (const auto* yes = std::get_if<accepted>(&one.result)) {
      learn(trigger, {*which, one.action}, yes->id);
      if (yes->duplicate && !trigger.sent.id)
        complain("only a known id is a duplicate", name(serial) + " came without an id");
    }
  }
  for (std::size_t which = 0; which < setting_book::count; ++which)
    judge(trigger, which, named[which], rules, connectors, now);
}

/// One of the rules that there may have been makes exactly this of it.
void trigger_book::judge(const trigger_fact& of, std::size_t which, const std::vector<named_action>& named,
                         const setting_book& rules, const connector_book* connectors,
                         const moment& now) const {
  const auto look = look_of_trigger(of);
  bool made = false;
  std::string unexplained;
  for (const auto& number : rules.possible(which, of.sent_at.order, now.order)) {
    const auto form = number ? form_of_(*number) : rule_form{};
    const auto actions = number && form.matches(look) ? form.actions.size() : 0;
    if (actions != named.size())
      continue;
    bool same = true;
    for (std::size_t i = 0; i < actions; ++i)
      same = same && named[i].number == i && named[i].connector == form.actions[i].connector;
    if (!same)
      continue;
    made = true;
    unexplained.clear();
    for (const auto& one : named) {
      if (connectors == nullptr)
        continue;
      const auto event = form.made(one.number, look);
      const auto* no = std::get_if<refusal>(one.result);
      const bool duplicate = no == nullptr && std::get<accepted>(*one.result).duplicate;
      const bool explained =
          no != nullptr
              ? (no->code == errc::filtered || no->code == errc::connector_disabled ||
                 no->code == errc::unknown_connector) &&
                    connectors->may_refuse(one.connector, no->code, of.sent_at, event)
              : duplicate || connectors->may_accept(one.connector, event, of.sent_at.order, now.order);
      if (!explained)
        unexplained =
            name(of.sent.serial) + ": " + name_of(which, one.number) + " for c" +
            std::to_string(one.connector) + " was " +
            (no != nullptr ? "refused with " + to_string(no->code) + ": " + no->detail : "accepted");
    }
    if (unexplained.empty())
      return;
  }
  if (!made)
    complain(becomes, name(of.sent.serial) + " has become " + std::to_string(named.size()) + " events by " +
                          rule_name(which));
  else
    complain("an action is taken or refused for a reason", unexplained);
}

void trigger_book::arrived(std::uint64_t serial, std::uint32_t connector, const event_id& id,
                           const std::string& envelope, const setting_book& rules,
                           const connector_book* connectors) {
  auto& trigger = triggers_.at(serial);
  const auto mark = mark_in(envelope);
  if (!mark || mark->serial != serial)
    return complain("what a rule sends is what its templates make", name(serial) + " came as " + envelope);
  const auto look = look_of_trigger(trigger);
  const auto what = name(serial) + ": " + name_of(mark->rule, mark->action) + ", change " +
                    std::to_string(mark->number) + ", came to c" + std::to_string(connector);
  learn(trigger, {mark->rule, mark->action}, id);
  if (mark->rule >= setting_book::count)
    return complain(becomes, what);
  const auto possible = rules.possible(mark->rule, trigger.sent_at.order, trigger.planned_by);
  if (std::find(possible.begin(), possible.end(), std::optional{mark->number}) == possible.end())
    return complain("a rule counts from the answer to its put to that of the next change",
                    what + ", and was not there");
  const auto form = form_of_(mark->number);
  if (!form.matches(look) || mark->action >= form.actions.size() ||
      form.actions[mark->action].connector != connector)
    return complain(becomes, what);
  trigger.made_by[mark->rule] = mark->number;
  const auto made = form.made(mark->action, look);
  if (mark->kind != made.kind)
    complain("what a rule sends is what its templates make",
             what + " with kind " + std::to_string(mark->kind));
  if (connectors != nullptr &&
      !connectors->may_accept(connector, made, trigger.sent_at.order, trigger.planned_by))
    complain("what a filter refuses is never sent", what);
}

std::optional<event_id> trigger_book::id_of(const trigger_fact& of, const action& what) const {
  const identity* known = nullptr;
  if (of.sent.id) {
    if (const auto found = by_id_.find(*of.sent.id); found != by_id_.end())
      known = &found->second;
  } else if (const auto found = without_id_.find(of.sent.serial); found != without_id_.end()) {
    known = &found->second;
  }
  if (known == nullptr)
    return std::nullopt;
  const auto found = known->ids.find(what);
  return found == known->ids.end() ? std::nullopt : std::optional{found->second};
}

void trigger_book::check_whole(
    const connector_book& connectors,
    const std::function<std::uint32_t(std::uint32_t connector)>& partition_of,
    const std::function<bool(std::uint32_t connector, const event_id& id)>& is_there) const {
  for (const auto& [serial, one] : triggers_) {
    std::map<std::uint32_t, std::string> there; // by partition
    std::map<std::uint32_t, std::string> missing;
    for (const auto& [rule, number] : one.made_by) {
      const auto form = form_of_(number);
      for (std::size_t i = 0; i < form.actions.size(); ++i) {
        const auto connector = form.actions[i].connector;
        const auto partition = partition_of(connector);
        const auto id = id_of(one, {rule, i});
        if (id && is_there(connector, *id))
          there[partition] = name_of(rule, i);
        else if (connectors.certainly_accepts(connector, form.made(i, look_of_trigger(one)),
                                              one.sent_at.order, one.planned_by))
          missing[partition] = name_of(rule, i);
      }
    }
    for (const auto& [partition, what] : missing)
      if (there.contains(partition))
        complain("within a partition all events of a trigger are there, or none",
                 name(serial) + ": " + there.at(partition) + " is there, and " + what + " is not");
  }
}

std::vector<planned_trigger> trigger_book::unanswered() const {
  std::map<event_id, planned_trigger> open;
  for (const auto& [serial, one] : triggers_)
    if (one.sent.id)
      open[*one.sent.id] = one.sent;
  for (const auto& [serial, one] : triggers_)
    if (one.sent.id && one.decided)
      open.erase(*one.sent.id);
  std::vector<planned_trigger> all;
  for (const auto& [id, one] : open)
    all.push_back(one);
  return all;
}

} // namespace vicket::sim
