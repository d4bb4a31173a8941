// What a user asks of the node, and what is made of the answers.
#include "tests/sim/driver.hpp"

#include "messages/actors.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace vicket::sim {

namespace {

bool tells_a_gap(const outcome_page& page) {
  return !page.gap_cursor.empty();
}

constexpr std::uint32_t feed_limit = read_outcomes::max_limit;

send_to_connector message_of(const planned_event& event, std::uint32_t action, const world_shape& shape,
                             timestamp_ms now) {
  send_to_connector made;
  made.connector = shape.connectors[event.connector].id;
  made.event = event_name_of(event.serial);
  made.occurred_at = now;
  made.data_json = data_of(look_of(event.serial).kind, event.data_bytes);
  made.run = run_of(action);
  made.id = event.id;
  return made;
}

std::string text_of(const send_result& result) {
  if (const auto* no = std::get_if<refusal>(&result))
    return "refused, " + to_string(no->code);
  return std::get<accepted>(result).duplicate ? "duplicate" : "accepted";
}

} // namespace

void driver::ask(const action& one) {
  if (!node_.running())
    return;
  dice chance{one.draw};
  met_.began(one.asked);
  switch (one.asked) {
  case operation::send:
  case operation::send_with_id:
  case operation::repeat:
  case operation::repeat_elsewhere:
  case operation::send_batch:
  case operation::repeat_in_batch:
    return send(one);
  case operation::put_connector:
  case operation::put_other_url:
  case operation::disable_connector:
  case operation::enable_connector:
    return put_known(one);
  case operation::put_new_connector:
    return put_new(one);
  case operation::delete_connector:
    return remove(one);
  case operation::read_feed: {
    const auto reader = static_cast<std::size_t>(chance.below(oracle::readers));
    if (chance.percent(3) && !reading_[reader])
      oracle_.feed().start_over(reader);
    return read_feed(reader,
                     chance.percent(30) ? static_cast<std::uint32_t>(chance.between(1, 5)) : feed_limit,
                     chance.percent(30) ? 2'000 : 0);
  }
  case operation::look_up_run:
    if (!sending_actions_.empty())
      look_up_run(chance.pick(sending_actions_), false);
    return;
  case operation::look_up_event:
    return look_up_event(one);
  case operation::look_up_status:
    return look_up_status(false);
  case operation::list_connectors:
    return list();
  case operation::pass_retention:
    return pass_retention();
  case operation::stop:
    return stop_and_restart(one.draw);
  case operation::restore:
    return restore_folder(one.draw);
  case operation::put_rule:
  case operation::delete_rule:
    return change_rule(one);
  case operation::send_trigger:
  case operation::send_trigger_batch:
  case operation::repeat_trigger:
    sending_actions_.push_back(one.number);
    return send_triggers(one.triggers, one.number);
  }
}

// -- events -------------------------------------------------------------------------------------------------

void driver::send(const action& one) {
  sending_actions_.push_back(one.number);
  for (const auto& event : one.events)
    oracle_.events().sent(event, one.number, now());
  if (one.events.size() == 1)
    send_single(one);
  else
    send_many(one);
}

void driver::send_single(const action& one) {
  const auto serial = one.events.front().serial;
  auto take = [this, serial](const send_result& result) {
    say("event #" + std::to_string(serial) + ": " + text_of(result));
    oracle_.answered(serial, result, now());
  };
  node_.ask<accepted>(
      message_of(one.events.front(), one.number, plan_.shape, node_.clock.wall_now()),
      [take](const accepted& yes) { take(yes); }, [take](const caf::error& why) { take(refusal_of(why)); });
}

void driver::send_many(const action& one) {
  send_batch batch;
  std::vector<std::uint64_t> serials;
  for (const auto& event : one.events) {
    batch.items.push_back(message_of(event, one.number, plan_.shape, node_.clock.wall_now()));
    serials.push_back(event.serial);
  }
  auto take = [this](std::uint64_t serial, const send_result& result) {
    say("event #" + std::to_string(serial) + ": " + text_of(result));
    oracle_.answered(serial, result, now());
  };
  node_.ask<batch_result>(
      std::move(batch),
      [take, serials](const batch_result& answer) {
        for (std::size_t i = 0; i < serials.size(); ++i)
          take(serials[i], answer.results.at(i));
      },
      [take, serials](const caf::error& why) {
        for (const auto serial : serials)
          take(serial, refusal_of(why));
      });
}

// -- connectors -----------------------------------------------------------------------------------------------

void driver::change(operation what, std::uint32_t which, const connector& wanted) {
  if (oracle_.connectors().change_under_way(which))
    return;
  const auto sent = now();
  oracle_.connectors().change_sent(which, wanted, true, sent);
  oracle_.events().connector_changes(which, host_of(wanted));
  oracle_.starts().connector_changes(which);
  node_.ask<connector_view>(
      put_connector{wanted},
      [this, which, wanted](const connector_view&) {
        say(name_of(which) + " is put");
        wanted_[which] = wanted;
        oracle_.connectors().change_done(which, now());
      },
      [this, what, which, sent](const caf::error& why) {
        say("put of " + name_of(which) + ": " + refusal_of(why).detail);
        oracle_.change_refused(which, what, refusal_of(why), sent, now());
      });
}

void driver::put_known(const action& one) {
  dice chance{one.draw};
  auto wanted = wanted_[one.connector];
  switch (one.asked) {
  case operation::put_other_url:
    wanted.url = "https://" + wanted.id.value + "-" + std::to_string(one.number) + ".example.com/hook";
    break;
  case operation::disable_connector:
    wanted.enabled = false;
    break;
  case operation::enable_connector:
    wanted.enabled = true;
    break;
  default:
    wanted.max_in_flight = static_cast<std::uint32_t>(chance.between(1, 20));
    wanted.events = {chance.percent(15) ? "other.*" : "e.*"};
    wanted.filter_json = text_of(chance.percent(70)   ? filter_form::none
                                 : chance.percent(50) ? filter_form::by_kind
                                                      : filter_form::by_name);
    break;
  }
  change(one.asked, one.connector, wanted);
}

/// The first from the action's connector on that does not exist, if there is one.
void driver::put_new(const action& one) {
  const auto count = static_cast<std::uint32_t>(plan_.shape.connectors.size());
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto which = (one.connector + i) % count;
    if (!oracle_.connectors().may_exist(which)) {
      wanted_[which].enabled = true;
      return change(operation::put_new_connector, which, wanted_[which]);
    }
  }
  change(operation::put_connector, one.connector, wanted_[one.connector]);
}

void driver::remove(const action& one) {
  const auto which = one.connector;
  if (oracle_.connectors().change_under_way(which))
    return;
  const auto sent = now();
  const bool by_force = dice{one.draw}.percent(30);
  if (by_force) {
    oracle_.events().forced_delete_sent(which, sent);
    oracle_.connectors().may_become_disabled(which, sent);
  }
  oracle_.connectors().change_sent(which, wanted_[which], false, sent);
  oracle_.events().connector_changes(which, {});
  oracle_.starts().connector_changes(which);
  node_.ask<void>(
      delete_connector{plan_.shape.connectors[which].id, by_force},
      [this, which, by_force, sent] {
        say(name_of(which) + " is deleted" + (by_force ? " by force" : ""));
        oracle_.deleted(which, by_force, sent, now());
      },
      [this, which, by_force, sent](const caf::error& why) {
        say("delete of " + name_of(which) + ": " + to_string(refusal_of(why).code));
        if (by_force)
          oracle_.events().forced_delete_answered(which, false, now());
        oracle_.change_refused(which, operation::delete_connector, refusal_of(why), sent, now());
      });
}

void driver::list() {
  if (!node_.running())
    return;
  const auto asked = now();
  node_.ask<connector_page>(
      list_connectors{},
      [this, asked](const connector_page& page) {
        for (std::uint32_t i = 0; i < plan_.shape.connectors.size(); ++i) {
          const auto found =
              std::find_if(page.connectors.begin(), page.connectors.end(), [&](const connector_view& one) {
                return one.value.id == plan_.shape.connectors[i].id;
              });
          oracle_.connectors().shown(i, found == page.connectors.end() ? nullptr : &found->value, asked,
                                     now());
        }
      },
      [](const caf::error&) {});
}

// -- rules and triggers -------------------------------------------------------------------------------------------

void driver::change_rule(const action& one) {
  const auto which = static_cast<std::size_t>(one.draw % setting_book::count);
  const bool is_delete = one.asked == operation::delete_rule;
  const auto number = std::uint64_t{one.number} + 1;
  const auto sent = now();
  if (!oracle_.rules().begin(which, number, is_delete, sent.order))
    return;
  const auto done = [this, which, number, is_delete, sent] {
    say(rule_name(which) + ": change " + std::to_string(number) + " is done");
    oracle_.rule_done(which, number, is_delete, sent, now());
  };
  const auto failed = [this, which, number, is_delete, sent](const caf::error& why) {
    say("change of " + rule_name(which) + ": " + to_string(refusal_of(why).code));
    oracle_.rule_refused(which, number, is_delete, refusal_of(why), sent, now());
  };
  if (is_delete)
    return node_.ask<void>(delete_rule{{rule_name(which)}}, done, failed);
  std::vector<connector_id> ids;
  for (const auto& each : plan_.shape.connectors)
    ids.push_back(each.id);
  const auto form = draw_rule(plan_.shape.rule_seed, number, plan_.shape.rule_targets);
  node_.ask<rule>(
      put_rule{to_rule(which, number, form, ids)}, [done](const rule&) { done(); }, failed);
}

/// What the node would decide by.
void driver::look_at_rules() {
  const auto all = node_.settings();
  for (std::size_t which = 0; which < setting_book::count; ++which) {
    const auto found = all->find({setting_kind::rule, rule_name(which)});
    oracle_.rules().shown(which, found ? change_in(found->bytes) : std::nullopt, "the node", now().order);
  }
}

void driver::send_triggers(const std::vector<planned_trigger>& triggers, std::uint32_t action_number) {
  trigger_batch batch;
  std::vector<std::uint64_t> serials;
  for (const auto& one : triggers) {
    trigger made;
    made.event = event_name_of(one.serial);
    made.occurred_at = node_.clock.wall_now();
    made.data_json = data_of(one.kind, one.data_bytes);
    made.run = run_of(action_number);
    made.id = one.id;
    batch.items.push_back(std::move(made));
    serials.push_back(one.serial);
    oracle_.trigger_sent(one, action_number, now());
  }
  auto take = [this](std::uint64_t serial, const trigger_answer& answer) {
    const auto* no = std::get_if<refusal>(&answer);
    say("trigger #" + std::to_string(serial) + ": " +
        (no != nullptr ? "refused, " + to_string(no->code)
                       : std::to_string(std::get<trigger_result>(answer).events.size()) + " events"));
    oracle_.trigger_answered(serial, answer, now());
  };
  auto failed = [take, serials](const caf::error& why) {
    for (const auto serial : serials)
      take(serial, refusal_of(why));
  };
  if (serials.size() == 1)
    return node_.ask<trigger_result>(
        std::move(batch.items.front()),
        [take, serials](const trigger_result& answer) { take(serials.front(), answer); }, failed);
  node_.ask<trigger_batch_result>(
      std::move(batch),
      [take, serials](const trigger_batch_result& answer) {
        for (std::size_t i = 0; i < serials.size(); ++i)
          take(serials[i], answer.results.at(i));
      },
      failed);
}

/// Everything is well: each of them is answered now.
void driver::send_what_was_not_answered() {
  auto action_number = static_cast<std::uint32_t>(plan_.actions.size());
  for (auto one : oracle_.triggers().unanswered()) {
    one.serial = action_number * events_per_action;
    sending_actions_.push_back(action_number);
    send_triggers({one}, action_number++);
  }
  run_to_rest();
  if (!down() && !oracle_.triggers().unanswered().empty())
    oracle_.complain("a trigger that was not answered is completed by sending it again",
                     "trigger " + oracle_.triggers().unanswered().front().id->to_string() + " is not");
}

// -- the feed ---------------------------------------------------------------------------------------------------

void driver::read_feed(std::size_t reader, std::uint32_t limit, std::uint32_t wait_ms) {
  if (reading_[reader])
    return;
  reading_[reader] = true;
  read_outcomes request;
  request.cursor = oracle_.feed().cursor(reader);
  request.limit = limit;
  request.wait_ms = wait_ms;
  node_.ask<outcome_page>(
      request,
      [this, reader](const outcome_page& page) {
        reading_[reader] = false;
        say("reader " + std::to_string(reader) + ": " + std::to_string(page.entries.size()) + " outcomes, " +
            page.cursor);
        std::size_t bytes = 0;
        for (const auto& entry : page.entries) {
          bytes += page_bytes_of(entry.summary) + page_bytes_of(entry.value) + entry.cursor.size();
          oracle_.events().told(entry, now());
        }
        if (bytes > plan_.shape.history_bytes && page.entries.size() > 1)
          oracle_.complain("a page of the feed is bounded", std::to_string(bytes) + " bytes");
        if (tells_a_gap(page))
          met_.shown(loss::gap);
        oracle_.feed().page(reader, page, tells_a_gap(page), endpoints_->newest(), oracle_.events());
      },
      [this, reader, cursor = request.cursor](const caf::error& why) {
        reading_[reader] = false;
        if (refusal_of(why).code == errc::invalid_event)
          oracle_.complain("a cursor that the node gave is taken", cursor + ": " + refusal_of(why).detail);
      });
}

void driver::read_feeds_to_the_end() {
  for (std::size_t reader = 0; reader < oracle::readers; ++reader) {
    std::string before;
    do {
      before = oracle_.feed().cursor(reader);
      read_feed(reader, feed_limit, 0);
      run_to_rest();
    } while (oracle_.feed().cursor(reader) != before && !down());
  }
}

// -- histories ----------------------------------------------------------------------------------------------------

/// `everything`: nothing moves, so that what is not there will not come.
void driver::look_up_run(std::uint32_t action_number, bool everything) {
  const auto asked = now();
  auto missing = [this, action_number, asked, everything](const std::set<std::uint64_t>& found) {
    for (const auto serial : oracle_.events().of_action(action_number)) {
      const auto& fact = oracle_.events().events().at(serial);
      if (found.contains(serial))
        continue;
      const bool was_accepted = fact.answer == answer_kind::accepted && fact.answered_at.order < asked.order;
      if (everything || was_accepted)
        oracle_.events().not_found(serial, now());
    }
  };
  get_run request;
  request.run = run_of(action_number);
  read_history<run_page>(request, std::make_shared<std::vector<event_history>>(), asked, missing);
}

/// Page after page; what an event's pages tell is judged when they are all there.
template <class Page, class Request>
void driver::read_history(Request request, std::shared_ptr<std::vector<event_history>> read,
                          const moment& asked,
                          std::function<void(const std::set<std::uint64_t>& found)> finished) {
  node_.ask<Page>(
      request,
      [this, request, read, asked, finished](Page& page) {
        check_page(page.events, *read);
        append_page(*read, std::move(page.events));
        if (page.more) {
          say("history goes on at " + page.cursor);
          auto next = request;
          next.cursor = std::move(page.cursor);
          read_history<Page>(std::move(next), read, asked, finished);
          return;
        }
        std::set<std::uint64_t> found;
        for (const auto& history : *read) {
          if (!history.goes_on) // else it was forgotten while it was read
            oracle_.events().told(history, asked, now());
          if (history.attempts_dropped > 0)
            met_.shown(loss::attempts);
          if (std::any_of(history.attempts.begin(), history.attempts.end(), is_cut_off))
            met_.shown(loss::answer);
          found.insert(oracle_.events().serial_of(history.summary));
        }
        finished(found);
      },
      [this, cursor = request.cursor, finished](const caf::error& why) {
        if (refusal_of(why).code == errc::not_found)
          finished({});
        if (refusal_of(why).code == errc::invalid_event)
          oracle_.complain("a cursor that the node gave is taken", cursor + ": " + refusal_of(why).detail);
      });
}

void driver::check_page(const std::vector<event_history>& events, const std::vector<event_history>& before) {
  std::size_t bytes = 0;
  std::size_t attempts = 0;
  for (const auto& event : events) {
    bytes += page_bytes_of(event);
    attempts += event.attempts.size();
    if (event.continues && &event != &events.front())
      oracle_.complain("an event goes on at the beginning of a page", event.summary.event);
    if (event.goes_on && &event != &events.back())
      oracle_.complain("an event goes on behind the end of a page", event.summary.event);
  }
  if (bytes > plan_.shape.history_bytes && (attempts > 1 || events.size() > 1))
    oracle_.complain("a page of history is bounded", std::to_string(bytes) + " bytes");
  if (!events.empty() && events.front().continues &&
      (before.empty() || !before.back().goes_on || before.back().summary.id != events.front().summary.id))
    oracle_.complain("an event goes on where the page before ended", events.front().summary.event);
}

void driver::look_up_event(const action& one) {
  if (sending_actions_.empty())
    return;
  dice chance{one.draw};
  const auto serials = oracle_.events().of_action(chance.pick(sending_actions_));
  if (serials.empty())
    return;
  const auto& known = oracle_.events().events().at(chance.pick(serials));
  if (!known.id)
    return;
  const auto asked = now();
  const auto id = *known.id;
  auto missing = [this, id, asked](const std::set<std::uint64_t>& found) {
    std::vector<std::uint64_t> absent;
    for (const auto& [serial, event] : oracle_.events().events())
      if (event.id == id && event.answer == answer_kind::accepted && event.answered_at.order < asked.order &&
          !found.contains(serial))
        absent.push_back(serial);
    for (const auto serial : absent)
      oracle_.events().not_found(serial, now());
  };
  read_history<event_page>(get_event{id}, std::make_shared<std::vector<event_history>>(), asked, missing);
}

void driver::look_up_status(bool compare) {
  look_up_status(get_status{{}, status_page}, {}, compare);
}

/// The pages before are put together in `whole`.
void driver::look_up_status(const get_status& request, node_status whole, bool compare) {
  node_.ask<node_status>(
      request,
      [this, whole = std::move(whole), compare](const node_status& page) {
        auto all = page;
        all.connectors = whole.connectors;
        all.connectors.insert(all.connectors.end(), page.connectors.begin(), page.connectors.end());
        if (page.connectors.size() > status_page || (page.more && page.connectors.empty()))
          oracle_.complain("a page of the status is full or the last",
                           std::to_string(page.connectors.size()) + " connectors");
        else if (page.more)
          look_up_status(get_status{page.connectors.back().id, status_page}, std::move(all), compare);
        else if (compare)
          oracle_.told(all, endpoints_->open_requests());
      },
      [](const caf::error&) {});
}

} // namespace vicket::sim
