#include "tests/system/node_client.hpp"

#include "link/connect.hpp"
#include "tests/system/real_time.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>

#include <algorithm>
#include <chrono>
#include <deque>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace vicket::testing {

namespace {

constexpr std::chrono::seconds answer_patience{30};
constexpr std::int64_t feed_patience_us = 60'000'000;
constexpr std::int64_t feeding_limit_us =
    600'000'000; // a million events under a sanitizer take a good part of it

class client_config : public caf::actor_system_config {
public:
  client_config() {
    static const bool registered = [] {
      register_message_types();
      return true;
    }();
    static_cast<void>(registered);
    set("caf.scheduler.max-threads", 1);
    // A client that polls takes the processors away from the node.
    set("caf.work-stealing.aggressive-poll-attempts", 0);
    set("caf.work-stealing.moderate-poll-attempts", 0);
    set("caf.logger.console.verbosity", "quiet");
  }
};

std::string noise(std::size_t bytes) {
  thread_local std::mt19937_64 random; // its default seed: the same noise in every run
  static constexpr std::string_view letters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text(bytes, ' ');
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < bytes; ++i, bits >>= 6) {
    if (i % 10 == 0)
      bits = random();
    text[i] = letters[bits % letters.size()];
  }
  return text;
}

[[noreturn]] void fail(const std::string& what, const caf::error& why) {
  throw std::runtime_error{what + ": " + caf::to_string(why)};
}

} // namespace

send_to_connector event_for(const connector_id& connector, std::size_t data_bytes) {
  send_to_connector event;
  event.connector = connector;
  event.event = "ticket.status_changed";
  event.occurred_at = wall_now();
  event.data_json = R"({"ticket":{"id":"T-1","note":")" + noise(data_bytes) + "\"}}";
  event.workflow = "wf-1";
  return event;
}

send_batch batch_for(const connector_id& connector, std::size_t items, std::size_t data_bytes) {
  send_batch batch;
  for (std::size_t i = 0; i < items; ++i)
    batch.items.push_back(event_for(connector, data_bytes));
  return batch;
}

struct node_client::rep {
  rep(std::uint16_t port, std::optional<tls_files> tls) : system{config}, self{system} {
    link_options options;
    options.nodes = {"127.0.0.1:" + std::to_string(port)};
    options.tls = std::move(tls);
    options.max_bytes = std::size_t{1} << 30;
    node = connect_node(system, options);
  }

  template <class Answer, class Question>
  Answer ask(const Question& question, const char* what) {
    std::optional<Answer> answer;
    self->request(node, answer_patience, question)
        .receive([&](Answer& got) { answer = std::move(got); }, [&](caf::error& why) { fail(what, why); });
    return std::move(*answer);
  }

  client_config config;
  caf::actor_system system;
  caf::scoped_actor self;
  node_actor node;
  std::string cursor; ///< of the feed
};

node_client::node_client(std::uint16_t port, std::optional<tls_files> tls)
    : rep_{std::make_unique<rep>(port, std::move(tls))} {}

node_client::~node_client() = default;

void node_client::put(const connector& value) {
  static_cast<void>(rep_->ask<connector_view>(put_connector{value}, "put_connector"));
}

void node_client::put(const rule& value) {
  static_cast<void>(rep_->ask<rule>(put_rule{value}, "put_rule"));
}

void node_client::remove(const rule_id& id) {
  rep_->self->request(rep_->node, answer_patience, delete_rule{id})
      .receive([] {}, [](const caf::error& why) { fail("delete_rule", why); });
}

trigger_answer node_client::fire(const trigger& value) {
  trigger_answer answer;
  rep_->self->request(rep_->node, answer_patience, value)
      .receive([&](trigger_result& got) { answer = std::move(got); },
               [&](const caf::error& why) { answer = refusal_of(why); });
  return answer;
}

event_id node_client::send(const send_to_connector& event) {
  return rep_->ask<accepted>(event, "send_to_connector").id;
}

std::optional<std::vector<send_result>> node_client::try_send(const send_batch& batch) {
  std::optional<std::vector<send_result>> results;
  rep_->self->request(rep_->node, answer_patience, batch)
      .receive([&](batch_result& answer) { results = std::move(answer.results); },
               [&](const caf::error& why) {
                 if (refusal_of(why).code != errc::unavailable)
                   fail("a batch was not sent", why);
               });
  return results;
}

std::vector<send_result> node_client::send(const send_batch& batch) {
  return rep_->ask<batch_result>(batch, "send_batch").results;
}

bool node_client::feed(std::size_t window, std::int64_t answer_ms,
                       const std::function<std::optional<send_batch>()>& next,
                       const std::function<bool(const batch_result&)>& answered) {
  const auto start = [&](send_batch batch) {
    return rep_->self->request(rep_->node, std::chrono::milliseconds{answer_ms}, std::move(batch));
  };
  std::deque<decltype(start(send_batch{}))> unanswered;
  bool more = true;
  bool all_answered = true;
  const auto end_us = steady_us() + feeding_limit_us;
  while (more || !unanswered.empty()) {
    if (steady_us() >= end_us)
      throw std::runtime_error{"the feeding comes to no end"};
    if (more && unanswered.size() < window) {
      if (auto batch = next())
        unanswered.push_back(start(*std::move(batch)));
      else
        more = false;
      continue;
    }
    auto first = std::move(unanswered.front());
    unanswered.pop_front();
    first.receive([&](const batch_result& result) { more = answered(result) && more; },
                  [&](const caf::error&) { more = all_answered = false; });
  }
  return all_answered;
}

std::optional<event_history> node_client::history(const event_id& id) {
  auto found = histories(id);
  return found.empty() ? std::nullopt : std::optional{std::move(found.front())};
}

std::vector<event_history> node_client::histories(const event_id& id) {
  std::vector<event_history> found;
  get_event question{id};
  for (bool more = true; more;) {
    more = false;
    rep_->self->request(rep_->node, answer_patience, question)
        .receive(
            [&](event_page& got) {
              append_page(found, std::move(got.events));
              question.cursor = std::move(got.cursor);
              more = got.more;
            },
            [](const caf::error& why) {
              if (refusal_of(why).code != errc::not_found)
                fail("get_event", why);
            });
  }
  return found;
}

node_status node_client::status() {
  get_status question;
  auto all = rep_->ask<node_status>(question, "get_status");
  while (all.more) {
    question.after = all.connectors.back().id;
    auto page = rep_->ask<node_status>(question, "get_status");
    std::move(page.connectors.begin(), page.connectors.end(), std::back_inserter(all.connectors));
    all.more = page.more;
  }
  return all;
}

std::uint64_t node_client::pending(const connector_id& id) {
  const auto counting = [](const node_status& of) {
    return std::any_of(of.partitions.begin(), of.partitions.end(),
                       [](const partition_status& one) { return one.counting; });
  };
  auto now = status();
  for (const auto end_us = steady_us() + feed_patience_us; counting(now) && steady_us() < end_us;)
    now = status();
  for (const auto& one : now.connectors)
    if (one.id == id)
      return one.pending;
  return 0;
}

bool node_client::follow_outcomes(const std::function<bool(const outcome_entry&)>& enough) {
  const auto end_us = steady_us() + feed_patience_us;
  while (steady_us() < end_us) {
    read_outcomes question;
    question.cursor = rep_->cursor;
    question.wait_ms = 1'000;
    const auto page = rep_->ask<outcome_page>(question, "read_outcomes");
    for (const auto& entry : page.entries) {
      rep_->cursor = entry.cursor;
      if (enough(entry))
        return true;
    }
    rep_->cursor = page.cursor;
  }
  return false;
}

} // namespace vicket::testing
