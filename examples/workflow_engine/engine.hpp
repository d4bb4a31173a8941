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
/// for good, delivered or given up.
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
        [this](caf::close_atom) {
          closing_ = true;
          end_when_settled();
        },
    };
  }

private:
  struct sent_action {
    vicket::send_to_connector action;
    bool accepted = false; ///< else it is in the outbox or in flight
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
    unsettled_.emplace(action.id.value(), sent_action{action, false});
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
    if (reason.code != errc::overloaded && reason.code != errc::storage_full &&
        reason.code != errc::unavailable) {
      settle(*action.id, false);
      return;
    }
    outbox_.push_front(action); // for now only: give the node time instead of asking at once
    rest_a_little();
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
    if (unsettled_.erase(id) == 1 && !good)
      ++not_delivered_;
    end_when_settled();
  }

  [[nodiscard]] bool finished() const { return closing_ && unsettled_.empty(); }

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
  bool resting_ = false;
  std::string cursor_;
  std::map<vicket::event_id, sent_action> unsettled_;
  std::size_t not_delivered_ = 0;
  bool closing_ = false;
};
