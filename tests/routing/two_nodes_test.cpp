// Two nodes in one process: what comes in at one of them is done by the other, over a real link, with a real store.

#include "actors/actor_of.hpp"
#include "actors/alarm.hpp"
#include "actors/delivery.hpp"
#include "actors/gateway.hpp"
#include "actors/history.hpp"
#include "actors/history_reader.hpp"
#include "actors/node.hpp"
#include "actors/partition_seat.hpp"
#include "actors/peer_door.hpp"
#include "actors/persistence.hpp"
#include "actors/router.hpp"
#include "actors/rule_desk.hpp"
#include "actors/system_adapters.hpp"
#include "link/connect.hpp"
#include "link/connect_peer.hpp"
#include "link/port.hpp"
#include "policy/partitioning.hpp"
#include "policy/retention_rule.hpp"
#include "storage/data_folder.hpp"
#include "storage/round_log.hpp"
#include "storage/secret_key.hpp"
#include "storage/settings_copy.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <thread>

using namespace vicket;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 30s;
constexpr std::uint32_t partitions = 2;

/// Answers 200 at once, and knows how often each event was sent.
class counting_transport final : public http_transport {
public:
  void post(http_request request, completion done) override {
    {
      const std::lock_guard guard{mutex_};
      ++sent_[*request.body];
    }
    http_result result;
    result.status = std::uint16_t{200};
    done(std::move(result));
  }

  [[nodiscard]] std::size_t events() const {
    const std::lock_guard guard{mutex_};
    return sent_.size();
  }
  [[nodiscard]] std::size_t requests() const {
    const std::lock_guard guard{mutex_};
    std::size_t sum = 0;
    for (const auto& [body, times] : sent_)
      sum += times;
    return sum;
  }

private:
  mutable std::mutex mutex_;
  std::map<std::string, std::size_t> sent_; ///< guarded by mutex_
};

struct quiet : caf::actor_system_config {
  quiet() {
    static const bool registered = [] {
      register_all_types();
      return true;
    }();
    static_cast<void>(registered);
    set("caf.scheduler.max-threads", 2);
    set("caf.work-stealing.aggressive-poll-attempts", 0);
    set("caf.work-stealing.moderate-poll-attempts", 0);
    set("caf.logger.console.verbosity", "quiet");
  }
};

class scratch {
public:
  scratch() {
    auto pattern = (std::filesystem::temp_directory_path() / "vicket-routing-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
      throw std::runtime_error("no temporary folder");
    path = pattern;
  }
  ~scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;

  std::filesystem::path path;
};

template <class Store>
auto good(Store opened) {
  if (auto* why = std::get_if<store_status>(&opened))
    throw std::runtime_error{why->detail};
  return std::get<0>(std::move(opened));
}

/// A node with one partition of its own and a seat for each.
class test_node {
public:
  test_node(caf::actor_system& system, const std::filesystem::path& folder, std::uint32_t own)
      : system_{system}, own_{own}, folder_{good(data_folder::open(folder, partitions))} {
    alarm_ = system_.spawn<actor_of<vicket::alarm>>(std::cref(*clock_));
    delivery::setup delivering;
    delivering.transport = transport;
    delivering.clock = clock_.get();
    delivering.alarm = alarm_;
    delivering.shortages = std::make_shared<shortage_log>(std::function<void(const std::string&)>{});
    delivery_ = system_.spawn<actor_of<delivery>>(std::move(delivering));
    start_partition();
    start_settings();
    for (std::uint32_t i = 0; i < partitions; ++i)
      seats.push_back(system_.spawn<actor_of<partition_seat>>(i));
    door = system_.spawn<actor_of<peer_door>>(peer_door::setup{partitions});
    start_front();
  }
  ~test_node() {
    port.reset();
    caf::scoped_actor self{system_};
    const auto end = [&](auto& actor) {
      self->send_exit(actor, caf::exit_reason::user_shutdown);
      self->wait_for(actor);
      actor = nullptr;
    };
    end(gateway);
    end(desk_);
    end(history_);
    end(router_);
    for (auto& seat : seats)
      end(seat);
    end(door);
    end(reader);
    end(head);
    end(settings_);
    end(delivery_);
    end(alarm_);
  }
  test_node(const test_node&) = delete;
  test_node& operator=(const test_node&) = delete;

  void open_port(const std::string& where) {
    actor_port::options options;
    options.listen = {std::get<place>(parse_place(where))};
    options.log_warning = [](const std::string&) {};
    options.peer = door;
    options.local_peers = true;
    auto opened = actor_port::open(system_, gateway, std::move(options));
    if (auto* why = std::get_if<std::string>(&opened))
      throw std::runtime_error{*why};
    port = std::get<0>(std::move(opened));
  }

  /// It has its own partition, or no more.
  void own(bool has) {
    caf::anon_send(door, has ? serve_partition{own_, head, reader} : serve_partition{own_, {}, {}});
  }

  std::shared_ptr<counting_transport> transport = std::make_shared<counting_transport>();
  std::vector<partition_seat_actor> seats;
  peer_door_actor door;
  persistence_actor head;
  history_reader_actor reader;
  node_gateway_actor gateway;
  std::unique_ptr<actor_port> port;

private:
  std::shared_ptr<partition_store> open_store(const std::filesystem::path& in) {
    store_options options;
    options.folder = in;
    options.lineage_tag = static_cast<std::uint32_t>(random_.next());
    options.secrets = secrets_;
    return good(partition_store::open(std::move(options)));
  }
  persistence_actor start_writing(std::uint32_t partition, const std::shared_ptr<partition_store>& store) {
    persistence::setup writing;
    writing.partition = partition;
    writing.is_settings = partition == partitions;
    writing.store = store;
    writing.log = std::make_unique<local_log>(*store);
    writing.delivery = delivery_;
    writing.alarm = alarm_;
    writing.clock = clock_;
    writing.random = &random_;
    writing.version = "1";
    writing.secrets = secrets_;
    writing.late_ms = retention_rule{day_ms}.late_ms();
    return system_.spawn<actor_of<persistence>, caf::detached>(std::move(writing));
  }
  /// As if it were the owner: who owns them is not what is asked here.
  void start_settings() {
    if (const auto status = folder_->add_settings(); !status.ok())
      throw std::runtime_error{status.detail};
    settings_store_ = open_store(*folder_->settings_path());
    settings_ = start_writing(partitions, settings_store_);
  }
  void start_partition() {
    secrets_ = good(open_secret_box(*folder_, {}, &random_));
    store_ = open_store(folder_->partition_path(own_));
    head = start_writing(own_, store_);
    history_reader::setup reading;
    reading.partition = own_;
    reading.store = store_;
    reading.persistence = head;
    reading.clock = clock_.get();
    reading.retention_ms = day_ms;
    reader = system_.spawn<actor_of<history_reader>, caf::detached>(std::move(reading));
  }

  void start_front() {
    std::vector<partition_actor> heads;
    std::vector<partition_reader_actor> readers;
    for (const auto& seat : seats) {
      heads.push_back(seat);
      readers.push_back(seat);
    }
    router_ = system_.spawn<actor_of<router>>(heads);
    history_limits limits;
    limits.partial_feeds = true;
    history_ = system_.spawn<actor_of<history>>(std::move(readers), std::cref(*clock_), limits);
    rule_desk::setup deciding;
    deciding.router = router_;
    deciding.settings = settings_;
    deciding.copy = std::make_shared<const settings_copy>(settings_store_, nullptr);
    deciding.partitions = partitions;
    deciding.clock = clock_.get();
    deciding.random = &random_;
    desk_ = system_.spawn<actor_of<rule_desk>>(std::move(deciding));
    gateway::setup setup;
    setup.router = router_;
    setup.history = history_;
    setup.desk = desk_;
    setup.settings = settings_;
    setup.partitions = std::move(heads);
    setup.clock = clock_.get();
    setup.random = &random_;
    setup.version = "1";
    gateway = system_.spawn<actor_of<vicket::gateway>>(std::move(setup));
  }

  static constexpr std::int64_t day_ms = 24LL * 3600 * 1000;

  caf::actor_system& system_;
  std::uint32_t own_;
  system_clock_adapter wall_;
  system_random random_;
  std::shared_ptr<const schedule_clock> clock_ = std::make_shared<const schedule_clock>(wall_);
  std::unique_ptr<data_folder> folder_;
  std::shared_ptr<const secret_box> secrets_;
  std::shared_ptr<partition_store> store_;
  std::shared_ptr<partition_store> settings_store_;
  persistence_actor settings_;
  rule_desk_actor desk_;
  alarm_actor alarm_;
  delivery_actor delivery_;
  router_actor router_;
  history_actor history_;
};

struct world {
  world() {
    where = "unix:" + (folder.path / "b.sock").string();
    b.open_port(where);
    b.own(true);
    link_options to_b;
    to_b.nodes = {where};
    at_b = connect_peer(system, to_b);
    caf::anon_send(a.seats[0], owner_changed{1, a.head, a.reader, "a", {}, {}});
    caf::anon_send(a.seats[1], owner_changed{1, {}, {}, "b", at_b, {}});
  }
  ~world() { at_b = nullptr; }

  template <class Answer, class Request>
  std::variant<Answer, refusal> ask(Request request) {
    std::variant<Answer, refusal> result = refusal{errc::unavailable, "no answer"};
    caf::scoped_actor self{system};
    self->request(a.gateway, patience, std::move(request))
        .receive([&](Answer& answer) { result = std::move(answer); },
                 [&](caf::error& why) { result = refusal_of(why); });
    return result;
  }

  template <class Answer, class Request>
  Answer get(Request request) {
    auto answer = ask<Answer>(std::move(request));
    if (const auto* why = std::get_if<refusal>(&answer))
      FAIL("refused: " << to_string(why->code) << ": " << why->detail);
    return std::get<Answer>(std::move(answer));
  }

  connector put(const std::string& id) {
    connector value;
    value.id = {id};
    value.url = "https://" + id + ".example.com/hook";
    return get<connector_view>(put_connector{value}).value;
  }

  scratch folder;
  quiet config;
  caf::actor_system system{config};
  std::string where;
  test_node a{system, folder.path / "a", 0};
  test_node b{system, folder.path / "b", 1};
  peer_actor at_b;
};

std::string connector_in(std::uint32_t partition) {
  for (char last = 'a';; ++last) {
    const std::string id{'c', last};
    if (partition_of({id}, partitions) == partition)
      return id;
  }
}

send_to_connector event(const std::string& connector, const std::string& run = "r") {
  send_to_connector result;
  result.connector = {connector};
  result.event = "ticket.opened";
  result.data_json = "{}";
  result.run = run;
  return result;
}

template <class Condition>
bool comes_true(Condition condition) {
  for (const auto until = std::chrono::steady_clock::now() + patience;
       std::chrono::steady_clock::now() < until;) {
    if (condition())
      return true;
    std::this_thread::sleep_for(5ms);
  }
  return false;
}

} // namespace

TEST_CASE("any node takes any request, whoever owns the partition", "[routing]") {
  world w;
  const auto own = connector_in(0);
  const auto others = connector_in(1);
  CHECK_FALSE(w.put(own).secret.empty());
  CHECK_FALSE(w.put(others).secret.empty()); // made by b, and shown once
  CHECK(w.get<connector_view>(get_connector{{others}}).value.url ==
        "https://" + others + ".example.com/hook");
  CHECK(w.get<connector_page>(list_connectors{}).connectors.size() == 2);

  const auto one = w.get<accepted>(event(others));
  CHECK_FALSE(one.duplicate);
  send_batch batch;
  for (int i = 0; i < 100; ++i)
    batch.items.push_back(event(i % 2 == 0 ? own : others));
  batch.items.push_back(event("nobody"));
  auto again = event(others);
  again.id = one.id;
  batch.items.push_back(again);
  const auto results = w.get<batch_result>(batch).results;
  REQUIRE(results.size() == 102);
  for (std::size_t i = 0; i < 100; ++i)
    CHECK(std::get<accepted>(results[i]).duplicate == false);
  CHECK(std::get<refusal>(results[100]).code == errc::unknown_connector);
  CHECK(std::get<accepted>(results[101]) == accepted{one.id, true});
  CHECK(comes_true([&] { return w.a.transport->events() == 50 && w.b.transport->events() == 51; }));
  CHECK(w.b.transport->requests() == 51);

  // The feed of both, by a follower that waits.
  std::set<std::string> seen;
  std::string cursor;
  while (seen.size() < 101) {
    const auto page = w.get<outcome_page>(read_outcomes{cursor, 30, 20'000});
    REQUIRE_FALSE(page.entries.empty());
    CHECK(page.gap_cursor.empty());
    for (const auto& entry : page.entries)
      CHECK(seen.insert(entry.summary.id.to_string()).second);
    cursor = page.cursor;
  }
  {
    caf::scoped_actor self{w.system};
    auto waits = self->request(w.a.gateway, patience, read_outcomes{cursor, 30, 20'000});
    std::this_thread::sleep_for(100ms);
    const auto began = std::chrono::steady_clock::now();
    const auto late = w.get<accepted>(event(others));
    outcome_page page;
    waits.receive([&](outcome_page& got) { page = std::move(got); }, [](const caf::error&) {});
    REQUIRE(page.entries.size() == 1);
    CHECK(page.entries[0].summary.id == late.id);
    CHECK(std::chrono::steady_clock::now() - began <
          10s); // it was told, and did not wait for the end of the poll
  }

  const auto found = w.get<event_page>(get_event{one.id, {}});
  REQUIRE(found.events.size() == 1);
  CHECK(found.events[0].attempts.size() == 1);
  std::size_t of_run = 0;
  get_run asks{"r", {}, 100};
  for (bool more = true; more;) {
    const auto page = w.get<run_page>(asks);
    of_run += page.events.size();
    asks.cursor = page.cursor;
    more = page.more;
  }
  CHECK(of_run == 102);
  CHECK(std::get<refusal>(w.ask<event_page>(get_event{event_id{{9}}, {}})).code == errc::not_found);

  const auto status = w.get<node_status>(get_status{});
  REQUIRE(status.partitions.size() == 2);
  CHECK(status.connectors_configured == 2);
  CHECK(status.partitions[0].owner == "a");
  CHECK(status.partitions[1].owner == "b");
  CHECK(status.partitions[1].number == 1);
  CHECK(status.partitions[1].why.empty());

  caf::scoped_actor self{w.system};
  bool deleted = false;
  self->request(w.a.gateway, patience, delete_connector{{others}})
      .receive([&] { deleted = true; }, [](const caf::error&) {});
  CHECK(deleted);
  CHECK(std::get<refusal>(w.ask<connector_view>(get_connector{{others}})).code == errc::not_found);
}

TEST_CASE("what is sent while the owner does not have the partition, or can't be reached, is stored once",
          "[routing]") {
  world w;
  const auto others = connector_in(1);
  w.put(connector_in(0));
  w.put(others);
  w.b.own(false);
  std::thread back{[&] {
    std::this_thread::sleep_for(700ms);
    w.b.own(true);
    std::this_thread::sleep_for(700ms);
    w.b.port.reset(); // all links are cut
    std::this_thread::sleep_for(700ms);
    w.b.open_port(w.where);
  }};
  std::size_t sent = 0;
  for (const auto until = std::chrono::steady_clock::now() + 4s; std::chrono::steady_clock::now() < until;
       ++sent)
    CHECK_FALSE(w.get<accepted>(event(others)).duplicate);
  back.join();
  CHECK(sent > 10);
  CHECK(comes_true([&] { return w.b.transport->events() == sent; }));
  CHECK(w.b.transport->requests() == sent);
}

TEST_CASE("while a node can't be reached its partition is shown so, and the feed of the others goes on",
          "[routing]") {
  world w;
  const auto own = connector_in(0);
  const auto others = connector_in(1);
  w.put(own);
  w.put(others);
  w.get<accepted>(event(others, "early"));
  REQUIRE(comes_true([&] { return w.b.transport->events() == 1; }));
  w.b.port.reset();
  w.get<accepted>(event(own));
  const auto status = w.get<node_status>(get_status{});
  CHECK(status.partitions.at(1).owner == "b");
  CHECK(status.partitions.at(1).why.starts_with("partition 1 can't be reached, of node b: "));
  CHECK(status.partitions.at(1).pending == 0);
  CHECK(std::get<refusal>(w.ask<connector_page>(list_connectors{})).code == errc::unavailable);
  const auto page = w.get<outcome_page>(read_outcomes{{}, 10, 5'000});
  REQUIRE(page.entries.size() == 1);
  CHECK(page.entries[0].summary.connector.value == own);
  // A follower that waits hears of what the other has when it is back.
  caf::scoped_actor self{w.system};
  auto waits = self->request(w.a.gateway, patience, read_outcomes{page.cursor, 10, 20'000});
  std::this_thread::sleep_for(300ms);
  w.b.open_port(w.where);
  outcome_page next;
  waits.receive([&](outcome_page& got) { next = std::move(got); }, [](const caf::error&) {});
  REQUIRE(next.entries.size() == 1);
  CHECK(next.entries[0].summary.run == "early");
  CHECK(next.gap_cursor.empty());
}
