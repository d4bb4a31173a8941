#pragma once

#include <link/connect.hpp>

#include <caf/event_based_actor.hpp>

#include <algorithm>
#include <chrono>
#include <deque>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <optional>
#include <vector>

struct engine_options {
  vicket::link_options link;
  std::string workflow;              ///< whose outcomes are ours
  std::filesystem::path cursor_file; ///< where the outcome feed is to be read on
};

/// The part of a workflow engine that talks to a node: workflows fire actions at it, it sends them in batches
/// and follows what became of them. A node that restarts, is overloaded or has a full disk costs time, no
/// event.
///
/// Ends normally once `close_atom` came and all that was fired is
/// delivered; with an error if something was refused or given up.
///
/// Invariants: an action is in `outbox_` or in `in_flight_`; its id is in `unsettled_` until it is refused
/// for good, delivered or given up. A trigger is in `triggers_` or in `triggers_in_flight_` until it is answered; then the
/// events that rules made of it are in `unsettled_`.
class engine : public caf::event_based_actor {
public:
  static constexpr std::size_t batch_items = 100;
  /// Actions that wait for the node. At the bound a workflow is refused with `overloaded`, and waits itself.
  static constexpr std::size_t max_outbox = 10'000;
  static constexpr std::uint32_t feed_wait_ms = 5'000;
  static constexpr std::chrono::milliseconds rest{200}; ///< before sending again what was refused for now
  static constexpr std::chrono::seconds answer_timeout{15};

  engine(caf::actor_config& config, engine_options options)
      : caf::event_based_actor{config}, options_{std::move(options)} {
    std::ifstream{options_.cursor_file} >> cursor_;
    options_.link.watcher = address();
    node_ = vicket::connect(system(), options_.link);
  }

  /// The link ends with its last reference.
  void on_exit() override { node_ = nullptr; }

  caf::behavior make_behavior() override {
    read_on();
    return {
        [](const vicket::link_state& now) {
          std::cout << (now.connected ? "connected" : "no node: " + now.why) << std::endl;
        },
        [this](vicket::send_to_connector& action) { return fire(std::move(action)); },
        [this](vicket::trigger& event) { return fire(std::move(event)); },
        [this](caf::close_atom) {
          closing_ = true;
          end_when_settled();
        },
    };
  }

private:
  struct sent_action {
    vicket::send_to_connector action;
    bool accepted = false;             ///< else it is in the outbox or in flight
    std::optional<vicket::trigger> of; ///< that a rule has made it of
  };

  /// Asks the node. `failed` gets a refusal of the question as a whole; without a connection it is `unavailable`.
  template <class Answer, class Request, class Take, class Failed>
  void ask(Request question, Take take, Failed failed) {
    request(node_, answer_timeout, std::move(question))
        .then([take](const Answer& answer) mutable { take(answer); },
              [failed](const caf::error& reason) mutable { failed(vicket::refusal_of(reason)); });
  }

  // -- actions out
  // ----------------------------------------------------------------------------------------------------

  caf::result<void> fire(vicket::send_to_connector action) {
    if (outbox_.size() >= max_outbox)
      return vicket::make_refusal(vicket::errc::overloaded, "the engine's outbox is full");
    unsettled_.emplace(action.id.value(), sent_action{action, false, std::nullopt});
    outbox_.push_back(std::move(action));
    send_waiting();
    return caf::unit;
  }

  void send_waiting() {
    if (resting_ || !in_flight_.empty() || outbox_.empty())
      return;
    const auto end = outbox_.begin() + static_cast<std::ptrdiff_t>(std::min(outbox_.size(), batch_items));
    in_flight_.assign(outbox_.begin(), end);
    outbox_.erase(outbox_.begin(), end);
    ask<vicket::batch_result>(
        vicket::send_batch{in_flight_}, [this](const auto& answer) { take_answers(answer); },
        [this](const auto& reason) { send_all_again(reason); });
  }

  /// The batch may have been stored or not: since its events carry ids of our own, those that were stored are answered as
  /// duplicates.
  void send_all_again(const vicket::refusal& reason) {
    std::cout << "not answered: " << reason.detail << std::endl;
    outbox_.insert(outbox_.begin(), in_flight_.begin(), in_flight_.end());
    in_flight_.clear();
    rest_a_little();
  }

  void rest_a_little() {
    if (!std::exchange(resting_, true))
      run_delayed(rest, [this] {
        resting_ = false;
        send_waiting();
        send_triggers();
      });
  }

  void take_answers(const vicket::batch_result& answers) {
    const auto sent = std::exchange(in_flight_, {});
    for (auto i = sent.size(); i-- > 0;) // from the last, so that what is put back stays in order
      if (const auto* reason = std::get_if<vicket::refusal>(&answers.results[i]))
        take_refusal(sent[i], *reason);
      else
        take_accepted(sent[i]);
    send_waiting();
  }

  void take_accepted(const vicket::send_to_connector& action) {
    std::cout << "accepted " << action.id->to_string() << std::endl;
    if (const auto found = unsettled_.find(*action.id); found != unsettled_.end())
      found->second.accepted = true;
  }

  void take_refusal(const vicket::send_to_connector& action, const vicket::refusal& reason) {
    using vicket::errc;
    std::cout << "refused  " << action.id->to_string() << " " << to_string(reason.code) << ": "
              << reason.detail << std::endl;
    if (!passes(reason)) {
      settle(*action.id, false);
      return;
    }
    outbox_.push_front(action); // give the node time instead of asking at once
    rest_a_little();
  }

  static bool passes(const vicket::refusal& reason) {
    using vicket::errc;
    return reason.code == errc::overloaded || reason.code == errc::storage_full ||
           reason.code == errc::unavailable;
  }

  // -- triggers out: the node's rules say where they go
  // ----------------------------------------------------------------------------------------------------

  caf::result<void> fire(vicket::trigger event) {
    if (triggers_.size() >= max_outbox)
      return vicket::make_refusal(vicket::errc::overloaded, "the engine's outbox is full");
    triggers_.push_back(std::move(event));
    send_triggers();
    return caf::unit;
  }

  void send_triggers() {
    if (resting_ || !triggers_in_flight_.empty() || triggers_.empty())
      return;
    const auto end = triggers_.begin() + static_cast<std::ptrdiff_t>(std::min(triggers_.size(), batch_items));
    triggers_in_flight_.assign(triggers_.begin(), end);
    triggers_.erase(triggers_.begin(), end);
    ask<vicket::trigger_batch_result>(
        vicket::trigger_batch{triggers_in_flight_},
        [this](const auto& answer) { take_triggered(answer.results); },
        [this](const auto& reason) { // sent again: the events' ids follow from the trigger's
          take_triggered(std::vector<vicket::trigger_answer>(triggers_in_flight_.size(), reason));
        });
  }

  void take_triggered(const std::vector<vicket::trigger_answer>& answers) {
    const auto sent = std::exchange(triggers_in_flight_, {});
    for (auto i = sent.size(); i-- > 0;) {
      if (const auto* made = std::get_if<vicket::trigger_result>(&answers[i])) {
        for (const auto& event : made->events)
          take_made(event, sent[i]);
        continue;
      }
      const auto& reason = std::get<vicket::refusal>(answers[i]);
      std::cout << "refused  trigger " << sent[i].id->to_string() << " " << to_string(reason.code) << ": "
                << reason.detail << std::endl;
      if (passes(reason)) { // some of its events may be there: sending it again adds the others
        triggers_.push_front(sent[i]);
        rest_a_little();
      } else {
        ++not_delivered_;
      }
    }
    if (triggers_.empty()) {
      early_.clear();
      gap_met_ = false;
    }
    send_triggers();
    end_when_settled();
  }

  void take_made(const vicket::triggered_event& made, const vicket::trigger& of) {
    if (const auto* reason = std::get_if<vicket::refusal>(&made.result)) {
      std::cout << "refused  for " << made.connector.value << " by rule " << made.rule.value << " "
                << to_string(reason->code) << ": " << reason->detail << std::endl;
      ++not_delivered_;
      return;
    }
    const auto [id, duplicate] = std::get<vicket::accepted>(made.result);
    std::cout << "accepted " << id.to_string() << " for " << made.connector.value << " by rule "
              << made.rule.value << std::endl;
    if (const auto known = early_.find(id); known != early_.end()) {
      not_delivered_ += known->second ? 0 : 1;
      return;
    }
    vicket::send_to_connector action;
    action.connector = made.connector;
    action.id = id;
    unsettled_.emplace(id, sent_action{std::move(action), true, of});
    if (duplicate || gap_met_) // its outcome may have been read long ago, or be gone
      look_at(id);
  }

  void look_at(const vicket::event_id& id) {
    ask<vicket::event_page>(
        vicket::get_event{id}, [this, id](const auto& found) { take_history(id, found.events); },
        [this, id](const auto& reason) {
          if (reason.code == vicket::errc::not_found)
            take_history(id, {});
          else
            run_delayed(rest, [this, id] { look_at(id); });
        });
  }

  // -- outcomes in
  // ----------------------------------------------------------------------------------------------------

  void read_on() {
    if (finished())
      return; // CAF keeps an actor that waits for an answer alive, also after quit()
    const vicket::read_outcomes question{cursor_, vicket::read_outcomes::max_limit, feed_wait_ms};
    ask<vicket::outcome_page>(
        question,
        [this](const auto& page) {
          if (page.gap_cursor.empty())
            take_page(page);
          else
            take_gap(page);
        },
        [this](const auto&) { run_delayed(rest, [this] { read_on(); }); });
  }

  void take_page(const vicket::outcome_page& page) {
    for (const auto& entry : page.entries)
      if (entry.summary.workflow == options_.workflow) // the feed is the whole node's
        record(entry);
    if (page.cursor != std::exchange(cursor_, page.cursor))
      save_cursor();
    read_on();
  }

  /// Outcomes are missing before this page: what we still wait for may have had its own. So ask for each, and only then go
  /// on: as long as the cursor is the old one, an end of this process only means that the gap is told again.
  void take_gap(const vicket::outcome_page& page) {
    std::cout << "gap: some outcomes are gone, looking for ours" << std::endl;
    gap_met_ = !triggers_.empty() || !triggers_in_flight_.empty();
    std::vector<vicket::event_id> open;
    for (const auto& [id, sent] : unsettled_)
      open.push_back(id);
    look_up(std::move(open), page);
  }

  void look_up(std::vector<vicket::event_id> open, const vicket::outcome_page& page) {
    if (open.empty())
      take_page(page);
    else
      look_up_last(std::move(open), page, {});
  }

  /// The id may have been sent to many connectors, with many attempts each: then its history comes in pages, and ours need
  /// not be on the first.
  void look_up_last(std::vector<vicket::event_id> open, const vicket::outcome_page& page,
                    const std::string& cursor) {
    const auto id = open.back();
    ask<vicket::event_page>(
        vicket::get_event{id, cursor},
        [this, id, open, page](const auto& found) mutable {
          if (found.more && !has_ours(id, found.events)) {
            look_up_last(std::move(open), page, found.cursor);
            return;
          }
          take_history(id, found.events);
          open.pop_back();
          look_up(std::move(open), page);
        },
        [this, id, open, page](const auto& reason) mutable {
          if (reason.code != vicket::errc::not_found) {
            run_delayed(rest, [this, open, page] { look_up(open, page); });
            return;
          }
          take_history(id, {});
          open.pop_back();
          look_up(std::move(open), page);
        });
  }

  [[nodiscard]] bool has_ours(const vicket::event_id& id,
                              const std::vector<vicket::event_history>& histories) const {
    const auto found = unsettled_.find(id);
    return found == unsettled_.end() ||
           std::any_of(histories.begin(), histories.end(), [&](const auto& history) {
             return history.summary.connector == found->second.action.connector;
           });
  }

  /// The node knows what became of it. Or it has accepted it and does not know it any more, or, after an older copy of its
  /// data was put back, never did: send it again. Its receiver has stored the id if it came before.
  void take_history(const vicket::event_id& id, const std::vector<vicket::event_history>& histories) {
    const auto found = unsettled_.find(id);
    if (found == unsettled_.end())
      return;
    auto& sent = found->second;
    const auto ours = std::find_if(histories.begin(), histories.end(), [&](const auto& history) {
      return history.summary.connector == sent.action.connector;
    });
    if (ours == histories.end()) {
      if (!std::exchange(sent.accepted, false))
        return; // it waits for its turn
      if (sent.of) {
        triggers_.push_back(*std::move(sent.of));
        unsettled_.erase(found); // until the answer names it again
        send_triggers();
        return;
      }
      outbox_.push_back(sent.action);
      send_waiting();
    } else if (ours->summary.state != vicket::event_state::pending) {
      settle(id, ours->summary.state == vicket::event_state::delivered);
    }
  }

  void record(const vicket::outcome_entry& entry) {
    const auto& [summary, one, cursor] = entry;
    std::cout << "outcome  " << summary.id.to_string() << " run " << summary.run << ", attempt " << one.number
              << ": " << to_string(one.result) << (one.status ? " " + std::to_string(*one.status) : "")
              << ", " << to_string(summary.state) << std::endl;
    if (summary.state != vicket::event_state::pending)
      settle(summary.id, summary.state == vicket::event_state::delivered);
  }

  /// After its outcomes were recorded: a crash may repeat some, and misses none. Written whole or not at all.
  void save_cursor() const {
    auto next = options_.cursor_file;
    next += ".next";
    std::ofstream out{next};
    out.exceptions(std::ofstream::failbit);
    out << cursor_ << '\n';
    out.close();
    std::filesystem::rename(next, options_.cursor_file);
  }

  void settle(const vicket::event_id& id, bool good) {
    if (unsettled_.erase(id) == 1)
      not_delivered_ += good ? 0 : 1;
    else if (!triggers_.empty() || !triggers_in_flight_.empty())
      early_[id] = good; // the answer that names it may be yet to come
    end_when_settled();
  }

  [[nodiscard]] bool finished() const {
    return closing_ && unsettled_.empty() && triggers_.empty() && triggers_in_flight_.empty();
  }

  void end_when_settled() {
    if (finished())
      quit(not_delivered_ == 0 ? caf::error{}
                               : caf::make_error(caf::sec::runtime_error, std::to_string(not_delivered_) +
                                                                              " events were not delivered"));
  }

  engine_options options_;
  vicket::gateway_actor node_; ///< stands for it, connected or not
  std::deque<vicket::send_to_connector> outbox_;
  std::vector<vicket::send_to_connector> in_flight_; ///< the batch that waits for its answer
  std::deque<vicket::trigger> triggers_;
  std::vector<vicket::trigger> triggers_in_flight_;
  std::map<vicket::event_id, bool>
      early_;            ///< outcomes of events that no answer has named yet: delivered or not
  bool gap_met_ = false; ///< while triggers were not answered
  bool resting_ = false;
  std::string cursor_;
  std::map<vicket::event_id, sent_action> unsettled_;
  std::size_t not_delivered_ = 0;
  bool closing_ = false;
};
