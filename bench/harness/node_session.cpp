#include "bench/harness/node_session.hpp"

#include "apps/node_link.hpp"
#include "bench/harness/real_time.hpp"

#include <condition_variable>
#include <iterator>
#include <mutex>
#include <stdexcept>
#include <utility>

namespace vicket::bench {

namespace {

constexpr std::size_t max_puts_under_way = 2'000;
constexpr std::int64_t counting_poll_ms = 20;
/// A slow answer is a finding, not an error; and a timeout of each request would wake CAF's clock thread for each.
constexpr caf::timespan send_timeout = caf::infinite;

template <class T>
std::string reason_in(const answer<T>& given) {
  if (const auto* no = std::get_if<refusal>(&given))
    return std::string{to_string(no->code)} + ": " + no->detail;
  return std::get<unreachable>(given).why;
}

template <class T>
T must(answer<T> given, const char* what) {
  if (auto* value = std::get_if<T>(&given))
    return std::move(*value);
  throw std::runtime_error(std::string{"the node did not "} + what + ": " + reason_in(given));
}

} // namespace

struct node_session::rep {
  rep(const host_port& node, std::optional<tls_files> tls) : here{place{node, {}}, std::move(tls)} {
    auto connected = here.connect();
    if (const auto* why = std::get_if<unreachable>(&connected))
      throw std::runtime_error(why->why);
    link = std::move(std::get<0>(connected));
  }

  client here;
  std::unique_ptr<node_link> link;
};

node_session::node_session(const host_port& node, std::optional<tls_files> tls)
    : rep_{std::make_unique<rep>(node, std::move(tls))} {}
node_session::~node_session() = default;

template <class Answer, class Request, class T>
void node_session::put_all(const std::vector<T>& wanted, const char* what) {
  struct progress {
    std::mutex mutex;
    std::condition_variable news;
    std::size_t under_way = 0;
    std::string refused;
  };
  const auto shared = std::make_shared<progress>();
  std::unique_lock lock{shared->mutex};
  for (const auto& one : wanted) {
    shared->news.wait(lock, [&] { return shared->under_way < max_puts_under_way; });
    ++shared->under_way;
    rep_->link->ask<Answer>(
        Request{one},
        [shared](const answer<Answer>& given) {
          const std::lock_guard guard{shared->mutex};
          --shared->under_way;
          if (!std::holds_alternative<Answer>(given))
            shared->refused = reason_in(given);
          shared->news.notify_one();
        },
        send_timeout);
  }
  shared->news.wait(lock, [&] { return shared->under_way == 0; });
  if (!shared->refused.empty())
    throw std::runtime_error(std::string{"the node did not take a "} + what + ": " + shared->refused);
}

void node_session::put(const std::vector<connector>& wanted) {
  put_all<connector_view, put_connector>(wanted, "connector");
}

void node_session::put(const std::vector<rule>& wanted) {
  put_all<rule, put_rule>(wanted, "rule");
}

node_status whole_status(const std::function<node_status(const connector_id& after)>& ask) {
  std::vector<connector_status> listed;
  for (connector_id after;;) {
    auto page = ask(after);
    auto& connectors = page.connectors;
    const bool more = page.more && !connectors.empty(); // an empty page has nothing to go on after
    if (more)
      after = connectors.back().id;
    listed.insert(listed.end(), std::make_move_iterator(connectors.begin()),
                  std::make_move_iterator(connectors.end()));
    if (!more) {
      connectors = std::move(listed);
      page.more = false;
      return page;
    }
  }
}

node_status node_session::ask_status(const get_status& request) {
  return must(rep_->link->ask_and_wait<node_status>(request), "tell its status");
}

node_status node_session::status(const std::function<void(std::int64_t)>& took) {
  return whole_status([&](const connector_id& after) {
    const auto from_ns = now_ns();
    auto page = ask_status({after, get_status::max_limit});
    if (took)
      took(now_ns() - from_ns);
    return page;
  });
}

std::uint64_t node_session::pending() {
  for (;; sleep_ms(counting_poll_ms)) {
    std::uint64_t sum = 0;
    bool counting = false;
    for (const auto& part : ask_status({{}, 1}).partitions) {
      sum += part.pending;
      counting = counting || part.counting;
    }
    if (!counting)
      return sum;
  }
}

event_history node_session::history(const event_id& id) {
  std::vector<event_history> found;
  get_event question{id};
  for (bool more = true; more;) {
    auto page = must(rep_->link->ask_and_wait<event_page>(question), "show an event");
    append_page(found, std::move(page.events));
    question.cursor = std::move(page.cursor);
    more = page.more;
  }
  return std::move(found.at(0));
}

void node_session::send(send_to_connector event, std::function<void(const send_result&)> answered) {
  rep_->link->ask<accepted>(
      std::move(event),
      [answered = std::move(answered)](const answer<accepted>& given) {
        if (const auto* yes = std::get_if<accepted>(&given))
          answered(*yes);
        else if (const auto* no = std::get_if<refusal>(&given))
          answered(*no);
        else
          answered(refusal{errc::unavailable, std::get<unreachable>(given).why});
      },
      send_timeout);
}

template <class Result, class Batch>
void node_session::send_all(Batch batch, std::function<void(const Result&)> answered) {
  const auto items = batch.items.size();
  rep_->link->ask<Result>(
      std::move(batch),
      [answered = std::move(answered), items](const answer<Result>& given) {
        if (const auto* results = std::get_if<Result>(&given)) {
          answered(*results);
          return;
        }
        const auto* no = std::get_if<refusal>(&given);
        const auto why = no != nullptr ? *no : refusal{errc::unavailable, std::get<unreachable>(given).why};
        Result refused;
        refused.results.assign(items, why);
        answered(refused);
      },
      send_timeout);
}

void node_session::send(send_batch batch, std::function<void(const batch_result&)> answered) {
  send_all(std::move(batch), std::move(answered));
}

void node_session::send(trigger_batch batch, std::function<void(const trigger_batch_result&)> answered) {
  send_all(std::move(batch), std::move(answered));
}

} // namespace vicket::bench
