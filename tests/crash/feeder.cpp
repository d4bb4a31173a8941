#include "tests/crash/feeder.hpp"

#include "link/connect.hpp"
#include "messages/actors.hpp"
#include "tests/crash/change_desk.hpp"
#include "tests/crash/connector_timeline.hpp"
#include "tests/crash/journal.hpp"
#include "tests/crash/node_client.hpp"
#include "tests/crash/real_time.hpp"

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/behavior.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <deque>
#include <fstream>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace vicket::crash {

namespace {

constexpr std::int64_t tick_ms = 20;
constexpr std::int64_t connect_every_ms = 20;
constexpr std::chrono::seconds answer_limit{5};
constexpr std::chrono::seconds change_limit{20};
/// No new events while so many are unanswered.
constexpr std::size_t max_unanswered = 500;
/// An accepted event is sent again when so many later ones wait for the same; no more than that wait.
constexpr std::size_t max_repeats_waiting = 8;
constexpr std::int64_t drain_limit_ms = 30'000;

/// What the process's first thread, which connects, and the actor, which sends, tell each other.
struct shared_state {
  std::atomic<bool> wants_connection{true};
  std::atomic<bool> stopping{false};
  std::atomic<bool> drained{false};
  std::atomic<std::uint32_t> bursts{0}; ///< how many were asked for
};

/// Sends and sends again. Invariants: an event is in at most one of `outstanding_` and `again_`; one with an
/// id leaves them only by an answer; one without is sent once, since a second one would be another event. (An event that
/// a batch carries twice counts as two.)
class feeding_actor : public caf::event_based_actor {
public:
  feeding_actor(caf::actor_config& config, const plan& promises, const feeder_options& options,
                shared_state& shared)
      : caf::event_based_actor{config}, promises_{promises}, journal_{feeder_journal_in(options.folder)},
        desk_{promises, journal_, options.ports}, events_per_s_{options.events_per_s}, shared_{shared} {}

  caf::behavior make_behavior() override {
    return {
        [this](caf::tick_atom) { tick(); },
        [this](caf::connect_atom, std::uint16_t port) { connect(port); },
        [this](const link_state& now) { take(now); },
    };
  }

  void on_exit() override { link_ = node_ = nullptr; }

private:
  void connect(std::uint16_t port) {
    link_options options;
    options.nodes = {"127.0.0.1:" + std::to_string(port)};
    options.watcher = address();
    place_ = options.nodes.front();
    link_ = connect_node(system(), options);
  }

  void take(const link_state& now) {
    if (now.node != place_ || !link_)
      return; // of one that was given up
    if (!now.connected) {
      lose_connection();
      return;
    }
    node_ = link_;
    ++connections_;
    look();
    if (!started_) {
      started_ = true;
      last_tick_ms_ = steady_ms();
      tick();
    }
  }

  void lose_connection() {
    for (const auto& [number, serials] : outstanding_)
      give_back(serials);
    outstanding_.clear();
    desk_.node_lost();
    burst_.reset();
    link_ = node_ = nullptr;
    shared_.wants_connection = true;
  }

  void tick() {
    delayed_send(this, std::chrono::milliseconds{tick_ms}, caf::tick_atom_v);
    const auto now = steady_ms();
    credit_ += static_cast<double>((now - last_tick_ms_) * events_per_s_) / 1'000.0;
    credit_ = std::min(credit_, static_cast<double>(events_per_s_)); // no flood after a standstill
    last_tick_ms_ = now;
    if (node_) {
      send_again();
      if (!shared_.stopping) {
        send_new();
        while (const auto next = desk_.next(now, burst_.has_value()))
          change(*next, false);
        if (bursts_begun_ < shared_.bursts && !burst_)
          burst_ = burst{++bursts_begun_, 0};
        go_on_with_burst();
      } else if (const auto next = desk_.next_last()) {
        change(*next, false);
      }
    }
    shared_.drained = shared_.stopping && again_.empty() && outstanding_.empty() && repeats_.empty() &&
                      desk_.all_last_done();
  }

  /// What the node shows of its connectors now: right after a restart it must be what was answered before.
  void look() {
    const auto asked_at = wall_now();
    request(node_, answer_limit, list_connectors{})
        .then(
            [this, asked_at](const connector_page& page) {
              if (page.more)
                std::fprintf(stderr, "feeder: more connectors than one page shows\n");
              journal_.note(look_record{asked_at, wall_now(), shown_in(promises_, page.connectors)});
            },
            [](const caf::error&) {});
  }

  void change(const change_desk::task& asked, bool of_burst) {
    const auto conclude = [this, asked, of_burst, connection = connections_](std::optional<errc> refused) {
      const bool lost = connection != connections_ || !node_;
      desk_.answered(asked, refused, lost);
      if (of_burst && !refused && !lost && burst_) {
        ++burst_->stage;
        go_on_with_burst();
      }
    };
    // Without an answer the change stays under way until the node has ended: nobody can say what became of it. (When a
    // connection goes, the link says `unavailable` for what was under way, after the news of it.)
    const auto failed = [this, conclude, connection = connections_](const caf::error& why) {
      const bool lost = connection != connections_ || !node_;
      if (why.category() == caf::type_id_v<errc> && !(lost && refusal_of(why).code == errc::unavailable))
        conclude(refusal_of(why).code);
    };
    if (asked.put)
      request(node_, change_limit, put_connector{*asked.put})
          .then([conclude](const connector_view&) { conclude(std::nullopt); }, failed);
    else
      request(node_, change_limit, delete_connector{asked.of->value.id})
          .then([conclude] { conclude(std::nullopt); }, failed);
  }

  /// Events with a put right behind them, which the node so finds behind hundreds of events that are not committed;
  /// the next step comes with the put's answer.
  void go_on_with_burst() {
    if (!burst_)
      return;
    const auto stage = burst_->stage;
    if (stage == plan::bulk_groups + 2)
      return burst_.reset();
    const auto connector = stage < 2 ? plan::held_connector : plan::bulk_connector;
    if (!desk_.free(connector))
      return;
    if (stage == 1)
      send_burst(0, plan::held_events);
    constexpr auto group_items = plan::bulk_batches * plan::bulk_batch_items;
    for (std::uint64_t i = 0; stage >= 2 && i < plan::bulk_batches; ++i)
      send_burst(plan::held_events + (stage - 2) * group_items + i * plan::bulk_batch_items,
                 plan::bulk_batch_items);
    if (const auto put = desk_.put_now(connector, stage == 0))
      change(*put, true);
    if (stage >= 2) {
      std::printf("burst %llu group %llu\n", static_cast<unsigned long long>(burst_->number),
                  static_cast<unsigned long long>(stage - 1));
      std::fflush(stdout);
    }
  }

  void send_burst(std::uint64_t first, std::uint64_t count) {
    std::vector<std::uint64_t> serials;
    for (auto index = first; index < first + count; ++index)
      serials.push_back(plan::burst_serial(burst_->number, index));
    send_off(std::move(serials), true);
  }

  void send_again() {
    while (!again_.empty() && node_) {
      std::vector<std::uint64_t> serials;
      for (; !again_.empty() && serials.size() < plan::max_batch; again_.pop_front())
        serials.push_back(again_.front());
      send_off(std::move(serials), true);
    }
    if (!repeats_.empty() && (repeats_.size() == max_repeats_waiting || shared_.stopping)) {
      const auto serial = repeats_.front();
      repeats_.pop_front();
      send_off({serial}, false);
    }
  }

  void send_new() {
    while (credit_ >= 1.0 && unanswered() < max_unanswered) {
      const auto number = message_number_++;
      const auto items = promises_.batch_items(number);
      std::vector<std::uint64_t> serials;
      for (std::size_t i = 0; i < std::max<std::size_t>(items, 1); ++i)
        serials.push_back(next_serial_++);
      if (items > 0 && promises_.doubled(number) && promises_.event(serials.front()).id)
        serials.push_back(serials.front());
      credit_ -= static_cast<double>(serials.size());
      send_off(std::move(serials), items > 0);
    }
  }

  void send_off(std::vector<std::uint64_t> serials, bool as_batch) {
    const auto number = next_request_++;
    for (const auto serial : serials)
      journal_.note(send_record{serial, wall_now()});
    outstanding_.emplace(number, serials);
    if (!as_batch) {
      request(node_, answer_limit, promises_.event(serials.front()))
          .then([this, number, serials](const accepted& yes) { answered(number, serials, {yes}); },
                [this, number, serials](const caf::error& why) { refused(number, serials, why); });
      return;
    }
    send_batch batch;
    for (const auto serial : serials)
      batch.items.push_back(promises_.event(serial));
    request(node_, answer_limit, std::move(batch))
        .then([this, number, serials](const batch_result& all) { answered(number, serials, all.results); },
              [this, number, serials](const caf::error& why) { refused(number, serials, why); });
  }

  void answered(std::uint64_t number, const std::vector<std::uint64_t>& serials,
                const std::vector<send_result>& results) {
    const bool given_back = outstanding_.erase(number) == 0; // an answer that overtook the news of the end
    for (std::size_t i = 0; i < serials.size() && i < results.size(); ++i) {
      journal_.note(answer_record{serials[i], results[i], wall_now()});
      const bool yes = std::holds_alternative<accepted>(results[i]);
      if (!yes && !given_back && may_come_again(std::get<refusal>(results[i]).code))
        give_back({serials[i]});
      if (yes && !given_back && promises_.repeated(serials[i]) && promises_.event(serials[i]).id &&
          !std::get<accepted>(results[i]).duplicate && repeats_.size() < max_repeats_waiting)
        repeats_.push_back(serials[i]);
    }
    if (results.size() != serials.size())
      std::fprintf(stderr, "feeder: %zu answers to %zu events\n", results.size(), serials.size());
  }

  /// The message as a whole: refused by the node, or unanswered.
  void refused(std::uint64_t number, const std::vector<std::uint64_t>& serials, const caf::error& why) {
    const bool unanswered = !outstanding_.contains(number) && refusal_of(why).code == errc::unavailable;
    if (why.category() == caf::type_id_v<errc> && !unanswered)
      return answered(number, serials, std::vector<send_result>(serials.size(), refusal_of(why)));
    if (outstanding_.erase(number) > 0)
      give_back(serials);
  }

  static bool may_come_again(errc code) { return code == errc::overloaded || code == errc::unavailable; }

  void give_back(const std::vector<std::uint64_t>& serials) {
    for (const auto serial : serials)
      if (promises_.event(serial).id)
        again_.push_back(serial);
  }

  /// Besides a burst's.
  [[nodiscard]] std::size_t unanswered() const {
    std::size_t count = again_.size();
    for (const auto& [number, serials] : outstanding_)
      count += plan::of_burst(serials.front()) ? 0 : serials.size();
    return count;
  }

  /// Which one, and how many of its puts were answered.
  struct burst {
    std::uint64_t number = 0;
    std::uint64_t stage = 0;
  };

  const plan& promises_;
  journal journal_;
  change_desk desk_;
  std::int64_t events_per_s_;
  shared_state& shared_;
  node_actor link_;               ///< there may be no connection yet
  std::string place_;             ///< where it leads
  node_actor node_;               ///< the same once there is one, else null
  std::uint64_t connections_ = 0; ///< made up to now
  std::optional<burst> burst_;
  std::uint32_t bursts_begun_ = 0;
  bool started_ = false;
  std::int64_t last_tick_ms_ = 0;
  double credit_ = 0;
  std::uint64_t next_serial_ = 1;
  std::uint64_t message_number_ = 1;
  std::uint64_t next_request_ = 1;
  std::map<std::uint64_t, std::vector<std::uint64_t>>
      outstanding_;                 ///< at most `max_unanswered` events and repeats, and one group of a burst
  std::deque<std::uint64_t> again_; ///< to be sent again as soon as there is a node; as many at most
  std::deque<std::uint64_t>
      repeats_; ///< accepted, to be sent again after a while; at most `max_repeats_waiting`
};

void connect_once(const caf::actor& feeding, const std::filesystem::path& folder, shared_state& shared) {
  const auto port = read_node_port(folder);
  if (port == 0)
    return;
  shared.wants_connection = false;
  caf::anon_send(feeding, caf::connect_atom_v, port);
}

} // namespace

std::filesystem::path feeder_journal_in(const std::filesystem::path& folder) {
  return folder / "feeder.jsonl";
}

void write_node_port(const std::filesystem::path& folder, std::uint16_t port) {
  const auto written = folder / "node-port.new";
  std::ofstream{written} << port << '\n';
  std::filesystem::rename(written, folder / "node-port");
}

std::uint16_t read_node_port(const std::filesystem::path& folder) {
  std::ifstream file{folder / "node-port"};
  std::uint16_t port = 0;
  file >> port;
  return port;
}

bool run_feeder(const plan& promises, const feeder_options& options, const std::atomic<bool>& stop,
                const std::atomic<std::uint32_t>& bursts) {
  client_config config;
  caf::actor_system system{config};
  shared_state shared;
  const auto feeding = system.spawn<feeding_actor>(promises, options, shared);
  const auto step = [&] {
    if (shared.wants_connection)
      connect_once(feeding, options.folder, shared);
    shared.bursts = bursts.load();
    sleep_ms(connect_every_ms);
  };
  while (!stop)
    step();
  shared.stopping = true;
  for (const auto end = steady_ms() + drain_limit_ms; !shared.drained && steady_ms() < end;)
    step();
  caf::anon_send_exit(feeding, caf::exit_reason::user_shutdown);
  return shared.drained;
}

} // namespace vicket::crash
