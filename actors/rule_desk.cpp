#include "actors/rule_desk.hpp"

#include "actors/partition_seat.hpp"
#include "policy/envelope.hpp"
#include "policy/partitioning.hpp"

#include <boost/container/small_vector.hpp>

#include <algorithm>
#include <set>
#include <utility>
#include <variant>

namespace vicket {

namespace {

constexpr std::size_t around_bytes = 256; // what surrounds an event's strings in memory

/// As a seat counts it, so that what fits one of its messages stays together.
std::size_t weight_of(const composed_event& event) {
  return event.envelope.size() + event.event.size() + event.workflow.size() + event.run.size() + around_bytes;
}

std::size_t weight_of(const trigger& value) {
  return value.event.size() + value.data_json.size() + (value.message ? value.message->size() : 0) +
         value.workflow.size() + value.run.size() + around_bytes;
}

/// Whether the partition may take it a little later.
bool passes(errc code) {
  return code == errc::unavailable || code == errc::storage_full || code == errc::overloaded ||
         code == errc::not_owner;
}

refusal rules_are_old() {
  return {errc::unavailable, "this node does not know for certain which rules the cluster has at the moment: "
                             "send again a little later"};
}

caf::error no_rule(const rule_id& id) {
  return make_refusal(errc::not_found, "no rule has the id '" + id.value + "'");
}

std::string listed(const std::vector<rule_id>& rules) {
  std::string names;
  for (const auto& each : rules)
    names += (names.empty() ? "'" : ", '") + each.value + "'";
  return names;
}

} // namespace

rule_desk::rule_desk(handle::pointer self, setup with)
    : self_{self}, with_{std::move(with)}, rules_{with_.copy, [this](const std::string& what) {
                                                    if (with_.log_warning)
                                                      with_.log_warning(what);
                                                  }} {}

rule_desk::handle::behavior_type rule_desk::make_behavior() {
  static_cast<void>(rules_.current()); // a start compiles them all, and no trigger waits for it
  return {
      [this](trigger& value) { return send_one(value); },
      [this](trigger_batch& batch) { return send_many(batch); },
      [this](const put_rule& request) { return put(request); },
      [this](const get_rule& request) { return get(request); },
      [this](const delete_rule& request) { return remove(request); },
      [this](const list_rules& request) { return list(request); },
      [this](const try_rules& request) { return try_out(request); },
      [this](delete_connector& request) { return remove(request); },
      [this](const judge_more&) { judge_on(); },
      [this](const tick&) {
        tick_under_way_ = false;
        look();
      },
  };
}

// -- triggers ---------------------------------------------------------------------------------------------------------

caf::result<trigger_result> rule_desk::send_one(trigger& value) {
  auto promise = self_->make_response_promise<trigger_result>();
  const auto open = std::make_shared<open_message>();
  open->promise = promise;
  std::vector<trigger> items;
  items.push_back(std::move(value));
  take(std::move(items), open);
  return promise;
}

caf::result<trigger_batch_result> rule_desk::send_many(trigger_batch& batch) {
  if (batch.items.size() > trigger_batch::max_items)
    return make_refusal(errc::invalid_event,
                        "a batch holds at most " + std::to_string(trigger_batch::max_items) +
                            " triggers, this one has " + std::to_string(batch.items.size()));
  if (batch.items.empty())
    return trigger_batch_result{};
  auto promise = self_->make_response_promise<trigger_batch_result>();
  const auto open = std::make_shared<open_message>();
  open->promise = promise;
  take(std::move(batch.items), open);
  return promise;
}

void rule_desk::take(std::vector<trigger> items, message_ptr open) {
  open->until = now() + patience;
  open->missing = items.size();
  open->triggers.resize(items.size());
  open->answer.results.resize(items.size());
  const auto time = with_.clock->now();
  std::size_t too_many = 0;
  for (std::uint32_t i = 0; i < items.size(); ++i) {
    auto& one = open->triggers[i];
    one.made_here = !items[i].id;
    one.id = items[i].id ? *items[i].id : ids_.next(time, *with_.random);
    const auto bytes = weight_of(items[i]);
    if (held_bytes_ > 0 && held_bytes_ + bytes > with_.max_bytes) {
      ++too_many;
      refuse(open, i,
             {errc::overloaded, "more than " + std::to_string(with_.max_bytes) +
                                    " bytes of triggers are on their way: send again a little later"});
      continue;
    }
    one.bytes = bytes;
    held_bytes_ += bytes;
  }
  if (too_many == items.size())
    return;
  const auto* rules = waiting_.empty() ? rules_.current() : nullptr;
  if (rules == nullptr) {
    waiting_.push_back({std::move(items), std::move(open)});
    return schedule_look(look_again);
  }
  std::vector<part> parts;
  plan(std::move(items), open, *rules, parts);
  for (auto& each : parts)
    ask(std::move(each));
}

void rule_desk::plan(std::vector<trigger> items, const message_ptr& open, const rule_set& rules,
                     std::vector<part>& parts) {
  for (std::uint32_t i = 0; i < items.size(); ++i)
    if (!open->triggers[i].is_answered)
      plan(std::move(items[i]), open, i, rules, parts);
  if (open->missing == 0)
    return;
  open->undecided = undecided_.insert(undecided_.end(), open);
  open->is_undecided = true;
  schedule_look(again);
}

void rule_desk::plan(trigger value, const message_ptr& open, std::uint32_t index, const rule_set& rules,
                     std::vector<part>& parts) {
  auto& one = open->triggers[index];
  auto checked = checked_trigger::check(std::move(value), one.id, with_.max_envelope_bytes);
  if (auto* why = std::get_if<refusal>(&checked))
    return refuse(open, index, std::move(*why));
  one.what = std::get<checked_trigger>(std::move(checked));
  one.plan.emplace(rules, *one.what);
  judge(open, index, parts);
}

void rule_desk::judge(const message_ptr& open, std::uint32_t index, std::vector<part>& parts) {
  auto& one = open->triggers[index];
  trigger_limits limits;
  limits.max_envelope_bytes = with_.max_envelope_bytes;
  limits.max_bytes = partition_seat::message_bytes;
  if (auto why = one.plan->go_on(*one.what, limits, work_at_once))
    return refuse(open, index, *std::move(why));
  if (one.plan->is_complete())
    return planned(open, index, parts);
  unjudged_.emplace_back(open, index);
  schedule_judging();
}

void rule_desk::judge_on() {
  judging_ = false;
  while (!unjudged_.empty()) {
    const auto [open, index] = std::move(unjudged_.front());
    unjudged_.pop_front();
    if (open->triggers[index].is_answered)
      continue; // it took too long
    std::vector<part> parts;
    judge(open, index, parts);
    for (auto& each : parts)
      ask(std::move(each));
    break;
  }
  if (!unjudged_.empty())
    schedule_judging();
}

/// Not at once: a worker stays with an actor for as long as that has messages.
void rule_desk::schedule_judging() {
  if (!std::exchange(judging_, true))
    self_->delayed_send(self_, turn_of_others, judge_more{});
}

void rule_desk::planned(const message_ptr& open, std::uint32_t index, std::vector<part>& parts) {
  auto& one = open->triggers[index];
  auto events = std::move(one.plan->events());
  one.plan.reset();
  auto& result = open->answer.results[index].emplace<trigger_result>();
  result.id = one.id;
  result.events.resize(events.size());
  one.first_rule = open->rules.size();
  composed_.clear();
  std::size_t bytes = 0;
  for (std::uint32_t i = 0; i < events.size(); ++i) {
    auto& planned = events[i];
    auto& event = result.events[i];
    event.connector = planned.connector();
    event.rule = planned.by->source().id;
    event.action = planned.action;
    if (auto* envelope = std::get_if<std::string>(&planned.envelope)) {
      composed_.emplace_back(composed(one, event.connector, planned.id, std::move(*envelope), false), i);
      bytes += weight_of(composed_.back().first);
    } else {
      event.result = std::get<refusal>(std::move(planned.envelope));
    }
    open->rules.push_back(std::move(planned.by));
  }
  if (bytes > partition_seat::message_bytes)
    return refuse(open, index,
                  {errc::too_large, "the events that the rules make of this trigger have " +
                                        std::to_string(bytes) + " bytes together, of " +
                                        std::to_string(partition_seat::message_bytes) + " at most"});
  if (held_bytes_ > one.bytes && held_bytes_ + bytes > with_.max_bytes)
    return refuse(open, index,
                  {errc::overloaded, "the events of this trigger do not fit beside what is on "
                                     "its way: send again a little later"});
  held_bytes_ += bytes;
  one.bytes += bytes;
  one.missing = composed_.size();
  if (composed_.empty())
    return answered(open, index);
  deal(composed_, open, index, parts);
}

composed_event rule_desk::composed(const open_trigger& open, const connector_id& connector,
                                   const event_id& id, std::string envelope, bool is_repetition) {
  const auto& from = open.what->source();
  composed_event made;
  made.id = id;
  made.id_of_sender = is_repetition || !open.made_here; // of an id that was made now nothing is there yet
  made.connector = connector;
  made.event = from.event;
  made.workflow = from.workflow;
  made.run = from.run;
  made.envelope = std::move(envelope);
  return made;
}

/// Those of one partition stay together: where there is no room for all of them behind others, they begin a request.
void rule_desk::deal(std::vector<std::pair<composed_event, std::uint32_t>>& events, const message_ptr& open,
                     std::uint32_t index, std::vector<part>& parts) const {
  struct share {
    std::uint32_t partition = 0;
    std::size_t bytes = 0;
    std::size_t count = 0;
    part* into = nullptr;
  };
  boost::container::small_vector<share, 4> shares;
  boost::container::small_vector<std::size_t, 16> share_of; // each event's
  for (const auto& [event, number] : events) {
    const auto partition = partition_of(event.connector, with_.partitions);
    auto found = std::ranges::find(shares, partition, &share::partition);
    if (found == shares.end()) {
      share fresh;
      fresh.partition = partition;
      found = shares.insert(found, fresh);
    }
    found->bytes += weight_of(event);
    ++found->count;
    share_of.push_back(static_cast<std::size_t>(found - shares.begin()));
  }
  if (parts.size() + shares.size() > parts.capacity())
    parts.reserve(2 * (parts.size() + shares.size())); // they stay where they are
  for (auto& each : shares) {
    const auto last = std::find_if(parts.rbegin(), parts.rend(),
                                   [&](const part& one) { return one.partition == each.partition; });
    if (last != parts.rend() && last->bytes + each.bytes <= partition_seat::message_bytes &&
        last->events.size() + each.count <= send_batch::max_items) {
      each.into = &*last;
    } else {
      each.into = &parts.emplace_back();
      each.into->partition = each.partition;
      const auto likely = std::max(each.count, 2 * (open->triggers.size() - index) / with_.partitions);
      each.into->events.reserve(likely);
      each.into->places.reserve(likely);
    }
    each.into->bytes += each.bytes;
  }
  for (std::size_t i = 0; i < events.size(); ++i) {
    auto& into = *shares[share_of[i]].into;
    into.events.push_back(std::move(events[i].first));
    into.places.push_back({open, index, events[i].second});
  }
}

void rule_desk::ask(part one) {
  if (one.events.empty())
    compose_again(one);
  if (one.events.empty())
    return; // all of them were given up
  accept_events request{one.partition, std::exchange(one.events, {})};
  const auto kept = std::make_shared<part>(std::move(one));
  self_->request(with_.router, caf::infinite, std::move(request))
      .then([this, kept](batch_result& answer) { take_answer(*kept, answer); },
            [this, kept](const caf::error& why) { retry(std::move(*kept), refusal_of(why).detail); });
}

/// The same events under the same ids, whatever the rules are by now; each may be there.
void rule_desk::compose_again(part& one) const {
  std::erase_if(one.places, [](const place& each) { return each.of->triggers[each.trigger].is_answered; });
  for (const auto& [of, trigger, event] : one.places) {
    const auto& open = of->triggers[trigger];
    const auto& shown = std::get<trigger_result>(of->answer.results[trigger]).events[event];
    auto made =
        plan_action(*of->rules[open.first_rule + event], shown.action, *open.what, with_.max_envelope_bytes);
    one.events.push_back(
        composed(open, shown.connector, made.id, std::get<std::string>(std::move(made.envelope)), true));
  }
}

void rule_desk::take_answer(part& asked, batch_result& answer) {
  part left;
  left.partition = asked.partition;
  std::string why;
  for (std::size_t i = 0; i < asked.places.size(); ++i) {
    auto& result = answer.results.at(i);
    const auto* no = std::get_if<refusal>(&result);
    if (no == nullptr || !passes(no->code)) {
      decided(asked.places[i], std::move(result));
      continue;
    }
    why = no->detail;
    left.places.push_back(std::move(asked.places[i]));
  }
  if (!left.places.empty())
    retry(std::move(left), why);
}

/// What has no time left is given up, with all of its trigger.
void rule_desk::retry(part one, const std::string& why) {
  part left;
  left.partition = one.partition;
  left.why = why;
  left.again_at = now() + again;
  for (auto& each : one.places) {
    if (each.of->triggers[each.trigger].is_answered)
      continue; // another part of it had no time left
    each.of->why = why;
    if (left.again_at > each.of->until)
      give_up(each.of, each.trigger, why);
    else
      left.places.push_back(std::move(each));
  }
  if (left.places.empty())
    return;
  again_.push_back(std::move(left));
  schedule_look(again);
}

void rule_desk::decided(const place& which, send_result result) {
  auto& open = which.of->triggers[which.trigger];
  if (open.is_answered)
    return;
  if (auto* yes = std::get_if<accepted>(&result); yes != nullptr && open.made_here)
    yes->duplicate = false;
  std::get<trigger_result>(which.of->answer.results[which.trigger]).events[which.event].result =
      std::move(result);
  if (--open.missing == 0)
    answered(which.of, which.trigger);
}

void rule_desk::give_up(const message_ptr& open, std::uint32_t index, const std::string& why) {
  refuse(open, index,
         {errc::unavailable, "trigger " + open->triggers[index].id.to_string() +
                                 " was not taken by all partitions: send it again with this "
                                 "id, which adds what is missing: " +
                                 why});
}

void rule_desk::refuse(const message_ptr& open, std::uint32_t index, refusal why) {
  open->answer.results[index] = std::move(why);
  answered(open, index);
}

void rule_desk::answered(const message_ptr& open, std::uint32_t index) {
  auto& one = open->triggers[index];
  one.is_answered = true;
  one.what.reset();
  one.plan.reset();
  held_bytes_ -= std::exchange(one.bytes, 0);
  if (--open->missing > 0)
    return;
  if (std::exchange(open->is_undecided, false))
    undecided_.erase(open->undecided);
  if (auto* many = std::get_if<caf::typed_response_promise<trigger_batch_result>>(&open->promise))
    return many->deliver(std::move(open->answer));
  auto& single = std::get<caf::typed_response_promise<trigger_result>>(open->promise);
  if (auto* done = std::get_if<trigger_result>(&open->answer.results.front()))
    single.deliver(std::move(*done));
  else
    single.deliver(make_refusal(std::get<refusal>(open->answer.results.front())));
}

void rule_desk::look() {
  const auto time = now();
  std::vector<part> parts;
  if (const auto* rules = waiting_.empty() ? nullptr : rules_.current(); rules != nullptr)
    for (auto& each : std::exchange(waiting_, {}))
      plan(std::move(each.items), each.open, *rules, parts);
  while (!waiting_.empty() && waiting_.front().open->until <= time) {
    const auto open = std::move(waiting_.front().open);
    waiting_.pop_front();
    for (std::uint32_t i = 0; i < open->triggers.size(); ++i)
      if (!open->triggers[i].is_answered)
        refuse(open, i, rules_are_old());
  }
  // Also those whose part is on its way: what answers later is not waited for.
  while (!undecided_.empty() && undecided_.front()->until <= time) {
    const auto open = undecided_.front();
    for (std::uint32_t i = 0; i < open->triggers.size(); ++i) {
      const auto& one = open->triggers[i];
      if (one.is_answered)
        continue;
      if (one.plan)
        give_up(open, i,
                "its rules take too long to judge: " + std::to_string(one.plan->judged()) + " of " +
                    std::to_string(one.plan->rules()) + " with a pattern for its name are");
      else
        give_up(open, i, open->why.empty() ? "a partition has not answered in time" : open->why);
    }
  }
  for (auto at = again_.begin(); at != again_.end();) {
    if (at->again_at > time) {
      ++at;
      continue;
    }
    parts.push_back(std::move(*at));
    at = again_.erase(at);
  }
  for (auto& each : parts)
    ask(std::move(each));
  if (!waiting_.empty())
    schedule_look(look_again);
  else if (!again_.empty() || !undecided_.empty())
    schedule_look(again);
}

void rule_desk::schedule_look(std::chrono::milliseconds in) {
  if (!std::exchange(tick_under_way_, true))
    self_->delayed_send(self_, in, tick{});
}

// -- rules ------------------------------------------------------------------------------------------------------------

caf::result<rule> rule_desk::put(const put_rule& request) {
  auto compiled = compiled_rule::compile(request.value);
  if (const auto* fault = std::get_if<json_fault>(&compiled))
    return make_refusal(errc::invalid_rule, fault->sentence());
  const auto& value = *std::get<std::shared_ptr<const compiled_rule>>(compiled);
  static_cast<void>(rules_.current()); // as far as this node knows: the partition judges number and bytes
  if (auto why = rules_.last_seen().complaint(value))
    return make_refusal(errc::invalid_rule, *why);
  std::set<connector_id> named;
  for (const auto& action : request.value.actions)
    named.insert(action.connector);
  struct progress {
    rule value;
    caf::typed_response_promise<rule> promise;
    std::size_t missing;
    caf::error why;
  };
  const auto open = std::make_shared<progress>();
  open->value = request.value;
  open->promise = self_->make_response_promise<rule>();
  open->missing = named.size();
  auto promise = open->promise;
  const auto one_less = [this, open] {
    if (--open->missing > 0)
      return;
    if (open->why)
      open->promise.deliver(open->why);
    else
      store(open->value, open->promise);
  };
  for (const auto& id : named)
    self_->request(with_.router, caf::infinite, get_connector{id})
        .then([one_less](const connector_view&) { one_less(); },
              [open, one_less, id](const caf::error& why) {
                const auto no = refusal_of(why);
                if (!open->why)
                  open->why =
                      no.code == errc::not_found
                          ? make_refusal(errc::unknown_connector, "no connector has the id '" + id.value +
                                                                      "', which the rule names: put it first")
                          : make_refusal(no);
                one_less();
              });
  return promise;
}

void rule_desk::store(const rule& value, caf::typed_response_promise<rule> promise) {
  self_->request(with_.settings, caf::infinite, put_setting{to_setting(value)})
      .then([value, promise]() mutable { promise.deliver(value); },
            [promise](const caf::error& why) mutable { promise.deliver(make_refusal(refusal_of(why))); });
}

caf::result<rule> rule_desk::get(const get_rule& request) {
  auto promise = self_->make_response_promise<rule>();
  self_->request(with_.settings, caf::infinite, get_setting{key_of(request.id)})
      .then(
          [promise, id = request.id](const setting& found) mutable {
            if (auto value = rule_of(found))
              promise.deliver(*std::move(value));
            else
              promise.deliver(make_refusal(errc::invalid_rule, "rule '" + id.value +
                                                                   "' can't be read by this "
                                                                   "version: put it again"));
          },
          [promise, id = request.id](const caf::error& why) mutable {
            const auto no = refusal_of(why);
            promise.deliver(no.code == errc::not_found ? no_rule(id) : make_refusal(no));
          });
  return promise;
}

caf::result<void> rule_desk::remove(const delete_rule& request) {
  auto promise = self_->make_response_promise<void>();
  self_->request(with_.settings, caf::infinite, delete_setting{key_of(request.id)})
      .then([promise]() mutable { promise.deliver(); },
            [promise, id = request.id](const caf::error& why) mutable {
              const auto no = refusal_of(why);
              promise.deliver(no.code == errc::not_found ? no_rule(id) : make_refusal(no));
            });
  return promise;
}

caf::result<rule_page> rule_desk::list(const list_rules& request) {
  auto promise = self_->make_response_promise<rule_page>();
  self_
      ->request(with_.settings, caf::infinite,
                list_settings{setting_kind::rule, request.after.value,
                              std::clamp(request.limit, 1u, list_rules::max_limit)})
      .then(
          [promise](const settings_page& found) mutable {
            rule_page page;
            page.more = found.more;
            for (const auto& each : found.settings) {
              if (auto value = rule_of(each)) {
                page.rules.push_back(*std::move(value));
              } else { // by its id, so that it can be put again
                page.rules.emplace_back();
                page.rules.back().id = {each.key.id};
                page.rules.back().enabled = false;
              }
            }
            promise.deliver(std::move(page));
          },
          [promise](const caf::error& why) mutable { promise.deliver(make_refusal(refusal_of(why))); });
  return promise;
}

caf::result<trial_page> rule_desk::try_out(const try_rules& request) {
  const auto* rules = rules_.current();
  if (rules == nullptr)
    return make_refusal(rules_are_old());
  const auto id = request.value.id ? *request.value.id : ids_.next(with_.clock->now(), *with_.random);
  auto checked = checked_trigger::check(request.value, id, with_.max_envelope_bytes);
  if (const auto* why = std::get_if<refusal>(&checked))
    return make_refusal(*why);
  trial_page page;
  std::size_t bytes = 0;
  std::size_t work = 0;
  const auto limit = std::clamp(request.limit, 1u, try_rules::max_limit);
  rules->visit_after(request.after, [&](const compiled_rule& one) {
    page.more = work > work_at_once;
    if (page.more)
      return false;
    work += work_of(one, std::get<checked_trigger>(checked));
    auto trial = try_rule(one, std::get<checked_trigger>(checked), with_.max_envelope_bytes);
    tried_rule shown;
    shown.rule = one.source().id;
    shown.matches = trial.matches;
    bytes += around_bytes;
    for (const auto& each : trial.why_not) {
      shown.why_not.push_back(each.sentence());
      bytes += shown.why_not.back().size();
    }
    for (auto& each : trial.actions) {
      if (const auto* envelope = std::get_if<std::string>(&each.envelope))
        bytes += envelope->size();
      bytes += around_bytes;
      shown.actions.push_back({each.connector(), each.id, std::move(each.envelope)});
    }
    page.more = page.rules.size() == limit || (!page.rules.empty() && bytes > trial_page::max_bytes);
    if (!page.more)
      page.rules.push_back(std::move(shown));
    return !page.more;
  });
  return page;
}

/// One that rules name stays: their triggers would get `unknown_connector` for it. (A rule that is put at the same moment is not
/// seen here, as the connector is for it; then that is what they get.)
caf::result<void> rule_desk::remove(delete_connector& request) {
  const auto* rules = rules_.current();
  if (rules == nullptr)
    return make_refusal(rules_are_old());
  if (const auto named = rules->naming(request.id, named_rules); !named.empty())
    return make_refusal(errc::connector_busy, "rules name connector '" + request.id.value +
                                                  "': " + listed(named) +
                                                  (named.size() == named_rules ? " and perhaps more" : "") +
                                                  ": change or delete them first");
  return self_->delegate(with_.router, std::move(request));
}

} // namespace vicket
