#include "tests/crash/node_client.hpp"

#include "link/connect.hpp"

#include <utility>

namespace vicket::crash {

namespace {

constexpr std::size_t questions_at_a_time = 64;

} // namespace

client_config::client_config() {
  set("caf.scheduler.max-threads", 2);
  // A client that polls takes the processors away from the node.
  set("caf.work-stealing.aggressive-poll-attempts", 0);
  set("caf.work-stealing.moderate-poll-attempts", 0);
  set("caf.logger.console.verbosity", "quiet");
}

void prepare_messages() {
  register_message_types();
}

node_client::node_client(caf::actor_system& system, std::function<std::uint16_t()> port)
    : system_{system}, port_{std::move(port)}, self_{system} {}

bool node_client::connected() {
  if (node_)
    return true;
  const auto port = port_();
  if (port == 0) {
    reason_ = make_refusal(errc::unavailable, "there is no node");
    return false;
  }
  link_options options;
  options.nodes = {"127.0.0.1:" + std::to_string(port)};
  node_ = connect_node(system_, options);
  return true;
}

void node_client::failed(caf::error why) {
  // A refusal is an answer; anything else may be the connection's end, and the next node listens elsewhere.
  if (why.category() != caf::type_id_v<errc> || refusal_of(why).code == errc::unavailable)
    node_ = nullptr;
  reason_ = std::move(why);
}

std::optional<std::vector<std::vector<event_history>>>
node_client::histories(const std::vector<event_id>& ids, std::int64_t limit_ms) {
  std::vector<std::vector<event_history>> all;
  if (!connected())
    return std::nullopt;
  bool good = true;
  for (std::size_t from = 0; from < ids.size() && good; from += questions_at_a_time) {
    const auto node = node_;
    const auto ask_one = [&](const event_id& id) {
      return self_->request(node, std::chrono::milliseconds{limit_ms}, get_event{id});
    };
    std::vector<decltype(ask_one(ids.front()))> asked;
    for (auto at = from; at < ids.size() && at < from + questions_at_a_time; ++at)
      asked.push_back(ask_one(ids[at]));
    const auto refused = [&](caf::error& why) {
      good = good && refusal_of(why).code == errc::not_found;
      failed(std::move(why));
    };
    for (std::size_t i = 0; i < asked.size(); ++i) {
      auto& found = all.emplace_back();
      std::string cursor; // of the page after this one; empty: there is none
      const auto take = [&](event_page& got) {
        append_page(found, std::move(got.events));
        cursor = got.more ? std::move(got.cursor) : std::string{};
      };
      asked[i].receive(take, refused);
      while (!cursor.empty() && good)
        self_
            ->request(node, std::chrono::milliseconds{limit_ms},
                      get_event{ids[from + i], std::exchange(cursor, {})})
            .receive(take, refused);
    }
  }
  if (!good)
    return std::nullopt;
  return all;
}

} // namespace vicket::crash
