#include "engine.hpp"

#include "cursor_file.hpp"

#include <caf/io/middleman.hpp>
#include <caf/openssl/remote_actor.hpp>

#include <algorithm>
#include <iostream>
#include <utility>

using namespace vicket;

engine::engine(caf::actor_config& config, engine_options options)
  : caf::event_based_actor{config}, options_{std::move(options)}, cursor_{load_cursor(options_.cursor_file)} {
  // CAF drops requests to a node that went away without a word; this is how we hear of it.
  set_down_handler([this](const caf::down_msg& gone) {
    if (node_ && gone.source == node_.address())
      lose_node("the connection was lost");
  });
}

caf::behavior engine::make_behavior() {
  connect();
  return {
    [this](send_to_connector& action) { return fire(std::move(action)); },
    [this](caf::close_atom) {
      closing_ = true;
      end_when_settled();
    },
  };
}

void engine::connect() {
  auto found = options_.tls ? caf::openssl::remote_actor<gateway_actor>(system(), options_.host, options_.port)
                            : system().middleman().remote_actor<gateway_actor>(options_.host, options_.port);
  if (!found) {
    run_delayed(rest, [this] { connect(); });
    return;
  }
  std::cout << "connected" << std::endl;
  node_ = *found;
  monitor(node_);
  send_waiting();
  read_on();
}

/// The batch on its way may have been stored or not. It is sent again as it is: since its events carry ids of our
/// own, those that were stored are answered as duplicates.
void engine::lose_node(const std::string& why) {
  std::cout << "lost the node: " << why << std::endl;
  node_ = nullptr;
  ++connection_;
  outbox_.insert(outbox_.begin(), in_flight_.begin(), in_flight_.end());
  in_flight_.clear();
  run_delayed(rest, [this] { connect(); });
}

// -- actions out ------------------------------------------------------------------------------------------------------

caf::result<void> engine::fire(send_to_connector action) {
  if (outbox_.size() >= max_outbox)
    return make_refusal(errc::overloaded, "the engine's outbox is full");
  unsettled_.insert(action.id.value());
  outbox_.push_back(std::move(action));
  send_waiting();
  return caf::unit;
}

void engine::send_waiting() {
  if (!node_ || resting_ || !in_flight_.empty() || outbox_.empty())
    return;
  const auto count = static_cast<std::ptrdiff_t>(std::min(outbox_.size(), batch_items));
  in_flight_.assign(outbox_.begin(), outbox_.begin() + count);
  outbox_.erase(outbox_.begin(), outbox_.begin() + count);
  request(node_, answer_timeout, send_batch{in_flight_})
    .then(
      [this, mine = connection_](const batch_result& answers) {
        if (mine == connection_)
          take_answers(answers);
      },
      [this, mine = connection_](const caf::error& reason) {
        if (mine == connection_)
          lose_node(refusal_of(reason).detail);
      });
}

void engine::take_answers(const batch_result& answers) {
  const auto sent = std::exchange(in_flight_, {});
  for (auto i = sent.size(); i-- > 0;) { // from the last, so that what is put back stays in order
    const auto id = sent[i].id->to_string();
    if (const auto* done = std::get_if<accepted>(&answers.results[i])) {
      std::cout << "accepted " << id << (done->duplicate ? " (it was already)" : "") << std::endl;
      continue;
    }
    const auto& reason = std::get<refusal>(answers.results[i]);
    const bool passing = reason.code == errc::overloaded || reason.code == errc::storage_full ||
                         reason.code == errc::unavailable;
    if (passing) {
      outbox_.push_front(sent[i]);
      send_later(reason);
    } else {
      std::cout << "refused  " << id << " " << to_string(reason.code) << ": " << reason.detail << std::endl;
      settle(*sent[i].id, false);
    }
  }
  send_waiting();
}

/// The node says no for now: give it time instead of asking at once.
void engine::send_later(const refusal& reason) {
  if (std::exchange(resting_, true))
    return;
  std::cout << "resting, the node is " << to_string(reason.code) << ": " << reason.detail << std::endl;
  run_delayed(rest, [this] {
    resting_ = false;
    send_waiting();
  });
}

// -- outcomes in ------------------------------------------------------------------------------------------------------

void engine::read_on() {
  if (finished())
    return; // CAF keeps an actor that waits for an answer alive, also after quit()
  request(node_, answer_timeout, read_outcomes{cursor_, read_outcomes::max_limit, feed_wait_ms})
    .then(
      [this, mine = connection_](const outcome_page& page) {
        if (mine != connection_)
          return;
        take_outcomes(page);
        read_on();
      },
      [this, mine = connection_](const caf::error& reason) {
        if (mine == connection_)
          lose_node(refusal_of(reason).detail);
      });
}

/// The cursor is saved after its outcomes were recorded: after a crash some are seen twice, none is missed.
void engine::take_outcomes(const outcome_page& page) {
  for (const auto& [summary, one, cursor] : page.entries) {
    if (summary.workflow != options_.workflow)
      continue; // the feed is the whole node's
    std::cout << "outcome  " << summary.id.to_string() << " run " << summary.run << ", attempt " << one.number << ": "
              << to_string(one.result) << (one.status ? " " + std::to_string(*one.status) : "") << ", "
              << to_string(summary.state) << std::endl;
    if (summary.state != event_state::pending)
      settle(summary.id, summary.state == event_state::delivered);
  }
  if (page.cursor != std::exchange(cursor_, page.cursor))
    save_cursor(options_.cursor_file, cursor_);
}

void engine::settle(const event_id& id, bool good) {
  if (unsettled_.erase(id) == 1 && !good)
    ++not_delivered_;
  end_when_settled();
}

bool engine::finished() const { return closing_ && unsettled_.empty(); }

void engine::end_when_settled() {
  if (!finished())
    return;
  if (not_delivered_ == 0)
    quit();
  else
    quit(caf::make_error(caf::sec::runtime_error, std::to_string(not_delivered_) + " events were not delivered"));
}
