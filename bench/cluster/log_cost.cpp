// vicket-bench-log: what it costs to have a partition's log in PostgreSQL. A whole node in this process, whose deliveries are
// answered at once by nothing, on RocksDB's log and on a table, in turn: how long a sender waits at 1,000 events a second,
// and what CPU a delivery takes in this process and in the database's, with a synchronous standby or without.

#include "actors/node.hpp"
#include "actors/system_adapters.hpp"
#include "bench/cluster/cluster_log.hpp"
#include "cluster/postgres_table.hpp"
#include "cluster/schema.hpp"
#include "messages/actors.hpp"
#include "net/io_thread.hpp"
#include "net/pause.hpp"
#include "tests/support/postgres_instance.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <future>
#include <random>
#include <thread>

namespace {

using namespace vicket;
using steady = std::chrono::steady_clock;

constexpr std::size_t connectors = 64;
constexpr std::uint32_t partitions = 2;

class answering_transport final : public http_transport {
public:
  void post(http_request, completion done) override {
    http_result result;
    result.status = 200;
    result.body = "ok";
    result.body_bytes = 2;
    result.duration_us = 1'000;
    ++answered;
    done(std::move(result));
  }

  std::atomic<std::size_t> answered{0};
};

struct config : caf::actor_system_config {
  config() {
    set("caf.scheduler.max-threads", 1);
    set("caf.logger.file.verbosity", "quiet");
    set("caf.logger.console.verbosity", "quiet");
  }
};

/// The table of a node, and the logs of its partitions in it, all of which it claims at once.
class table_logs {
public:
  explicit table_logs(const vicket::testing::postgres_instance& server) {
    static int made = 0;
    const auto schema = "bench_" + std::to_string(++made);
    server.run(schema_statements(schema));
    table_ = std::make_unique<postgres_table>(postgres_table::setup{&io_, server.conninfo(), schema});
  }

  std::unique_ptr<round_log> make(partition_store& store) {
    const auto partition = next_partition_++;
    log_history history;
    append(history, {partition, 1, 1, record_kind::genesis, 0});
    append(history, history.next(record_kind::claim, 1));
    cluster_log::setup setup;
    setup.store = &store;
    setup.codec = codec_;
    setup.history = history;
    setup.appender = {table_.get(),
                      [this](std::int64_t ms, std::function<void()> then) { wait(ms, std::move(then)); }};
    setup.post = [this](std::function<void()> work) { boost::asio::post(io_.context(), std::move(work)); };
    return std::make_unique<cluster_log>(std::move(setup));
  }

private:
  void append(log_history& history, const record_head& head) {
    log_row row{head, {}, codec_->seal(head, history.digest(), {})};
    row.digest = digest_of(history.digest(), head, row.body);
    std::promise<log_table::append_answer> answer;
    table_->append(row, history.digest(), false, [&](auto what) { answer.set_value(std::move(what)); });
    if (const auto what = answer.get_future().get(); what.reply != append_reply::stored)
      throw std::runtime_error{"the log can't be begun: " + what.detail};
    static_cast<void>(history.take(row.head, row.digest, row.body));
  }

  void wait(std::int64_t ms, std::function<void()> then) {
    pauses_.push_back(std::make_unique<vicket::internal::pause>(io_));
    pauses_.back()->start(std::chrono::milliseconds{ms}, std::move(then));
  }

  vicket::internal::io_thread io_{
      [](const std::string& what) { std::fprintf(stderr, "%s\n", what.c_str()); }};
  std::vector<std::unique_ptr<vicket::internal::pause>> pauses_;
  std::shared_ptr<const record_codec> codec_ = std::make_shared<record_codec>(
      std::make_shared<secret_box>(secret_bytes{std::string(secret_box::key_bytes, 'k')}),
      "0191c0de-0000-7000-8000-000000000000");
  std::unique_ptr<postgres_table> table_;
  std::uint32_t next_partition_ = 0;
};

send_to_connector event_of(std::size_t number) {
  send_to_connector event;
  event.connector = {"connector-" + std::to_string(number % connectors)};
  event.event = "ticket.status_changed";
  event.occurred_at = {1'779'546'071'412};
  event.data_json =
      R"({"ticket":{"id":"T-)" + std::to_string(number) +
      R"(","subject":"The invoice of March shows the wrong amount, once more","priority":2,)"
      R"("tags":["billing","vip"],"status":{"category":"resolved","name":"Solved by the team"},)"
      R"("requester":{"id":48151623,"name":"Zo\u00eb Example","email":"zoe.example@example.com"},)"
      R"("escalated":false,"sla":null,"hours":100.75}})";
  event.message = "Ticket resolved by the on-call agent.";
  event.run = "run-" + std::to_string(number);
  return event;
}

double own_cpu_seconds() {
  rusage use{};
  ::getrusage(RUSAGE_SELF, &use);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(use.ru_utime) + seconds(use.ru_stime);
}

/// A node of its own in a scratch folder.
class world {
public:
  explicit world(const vicket::testing::postgres_instance* server) {
    if (server != nullptr)
      logs_ = std::make_unique<table_logs>(*server);
    node_options options;
    options.data_dir = std::filesystem::path{folder_.path()} / "data";
    options.partitions = partitions;
    node_environment environment;
    environment.time = &clock_;
    environment.random = &random_;
    environment.transport = transport_;
    environment.failed = [](const std::string& why) {
      std::fprintf(stderr, "the node failed: %s\n", why.c_str());
      std::_Exit(EXIT_FAILURE);
    };
    environment.log_warning = [](const std::string& what) { std::fprintf(stderr, "%s\n", what.c_str()); };
    if (logs_)
      environment.log = [this](partition_store& store) { return logs_->make(store); };
    auto started = node::start(system_, std::move(options), std::move(environment));
    if (const auto* why = std::get_if<std::string>(&started))
      throw std::runtime_error{*why};
    node_ = std::get<0>(std::move(started));
    caf::scoped_actor self{system_};
    for (std::size_t i = 0; i < connectors; ++i) {
      connector wanted;
      wanted.id = {"connector-" + std::to_string(i)};
      wanted.url = "https://endpoint.example.com/hook";
      self->request(node_->gateway(), caf::infinite, put_connector{wanted})
          .receive([](const connector_view&) {},
                   [](const caf::error& why) { throw std::runtime_error{refusal_of(why).detail}; });
    }
  }
  ~world() {
    static_cast<void>(node_->stop(10'000));
    node_.reset();
  }
  world(const world&) = delete;
  world& operator=(const world&) = delete;

  /// One event at a time, at random moments: microseconds from sending to `accepted`, rising.
  std::vector<double> latencies(double per_s, double seconds) {
    struct shared {
      std::vector<double> us;
      std::atomic<std::size_t> answered{0};
    };
    const auto count = static_cast<std::size_t>(per_s * seconds);
    const auto all = std::make_shared<shared>();
    all->us.resize(count);
    const auto to = node_->gateway();
    const auto feeder = system_.spawn([all, to](caf::event_based_actor* self) -> caf::behavior {
      return {[=](std::uint64_t number, std::int64_t sent_ns) {
                self->request(to, caf::infinite, event_of(number))
                    .then(
                        [=](const accepted&) {
                          all->us[number] =
                              static_cast<double>(steady::now().time_since_epoch().count() - sent_ns) / 1e3;
                          ++all->answered;
                        },
                        [](const caf::error& why) {
                          std::fprintf(stderr, "refused: %s\n", refusal_of(why).detail.c_str());
                          std::_Exit(EXIT_FAILURE);
                        });
              },
              [=](bool) { self->quit(); }};
    });
    std::mt19937_64 random{7};
    std::exponential_distribution<double> gap{per_s};
    auto at = steady::now();
    for (std::uint64_t i = 0; i < count; ++i) {
      at += std::chrono::duration_cast<steady::duration>(std::chrono::duration<double>{gap(random)});
      std::this_thread::sleep_until(at);
      caf::anon_send(feeder, i, static_cast<std::int64_t>(at.time_since_epoch().count()));
    }
    while (all->answered < count)
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
    caf::anon_send(feeder, true);
    std::sort(all->us.begin(), all->us.end());
    return all->us;
  }

  /// Batches of 100, as fast as they are taken, until all are delivered.
  void deliver(std::size_t events) {
    constexpr std::size_t batch = 100, under_way = 16;
    const auto before = transport_->answered.load();
    const auto to = node_->gateway();
    std::promise<void> sent;
    const auto feeder = system_.spawn([&sent, to, events](caf::event_based_actor* self) -> caf::behavior {
      struct progress {
        std::size_t next = 0, open = 0;
      };
      const auto now = std::make_shared<progress>();
      const auto go_on = std::make_shared<std::function<void()>>();
      *go_on = [=, &sent] {
        for (; now->open < under_way && now->next < events; ++now->open) {
          send_batch request;
          for (std::size_t i = 0; i < batch && now->next < events; ++i)
            request.items.push_back(event_of(now->next++));
          self->request(to, caf::infinite, std::move(request)).then([=](const batch_result&) {
            --now->open;
            (*go_on)();
          });
        }
        if (now->open == 0) {
          sent.set_value();
          self->quit();
        }
      };
      return {[=](bool) { (*go_on)(); }};
    });
    caf::anon_send(feeder, true);
    sent.get_future().get();
    while (transport_->answered < before + events)
      std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }

private:
  vicket::testing::temporary_folder folder_;
  system_clock_adapter clock_;
  system_random random_;
  std::shared_ptr<answering_transport> transport_ = std::make_shared<answering_transport>();
  std::unique_ptr<table_logs> logs_;
  config config_;
  caf::actor_system system_{config_};
  std::unique_ptr<node> node_;
};

double at(const std::vector<double>& sorted, double part) {
  return sorted[std::min(sorted.size() - 1,
                         static_cast<std::size_t>(part * static_cast<double>(sorted.size())))];
}

void measure(const char* name, const std::vector<const vicket::testing::postgres_instance*>& servers,
             std::size_t events, double seconds) {
  world on{servers.empty() ? nullptr : servers.front()};
  on.deliver(events / 4);
  const auto us = on.latencies(1'000, seconds);
  const auto database = [&] {
    auto sum = 0.0;
    for (const auto* server : servers)
      sum += server->cpu_seconds();
    return sum;
  };
  const auto began = steady::now();
  const auto own = own_cpu_seconds();
  const auto its = database();
  on.deliver(events);
  const auto took = std::chrono::duration<double>(steady::now() - began).count();
  const auto each = 1e6 / static_cast<double>(events);
  std::printf("%-22s sent to accepted at 1,000/s p50 %6.2f ms, p99 %6.2f ms; saturated %6.0f/s, CPU per "
              "delivery: node %5.1f us, "
              "database %5.1f us\n",
              name, at(us, 0.5) / 1e3, at(us, 0.99) / 1e3, static_cast<double>(events) / took,
              (own_cpu_seconds() - own) * each, (database() - its) * each);
  std::fflush(stdout);
}

} // namespace

int main(int count, char** arguments) {
  std::size_t events = 100'000;
  double seconds = 5;
  int pairs = 3;
  CLI::App app{"What a node's log in PostgreSQL costs beside one of its own."};
  app.add_option("--events", events, "delivered for each figure")
      ->check(CLI::Range(1'000, 10'000'000))
      ->capture_default_str();
  app.add_option("--seconds", seconds, "of 1,000 events a second")
      ->check(CLI::Range(1, 600))
      ->capture_default_str();
  app.add_option("--pairs", pairs, "how often, in turn")->check(CLI::Range(1, 100))->capture_default_str();
  try {
    app.parse(count, arguments);
  } catch (const CLI::ParseError& problem) {
    return app.exit(problem) == 0 ? EXIT_SUCCESS : 2;
  }
  try {
    register_all_types();
    const vicket::testing::postgres_instance alone;
    const vicket::testing::postgres_instance primary;
    const vicket::testing::postgres_instance standby{primary, "standby"};
    static_cast<void>(primary.run("ALTER SYSTEM SET synchronous_standby_names = 'standby'"));
    static_cast<void>(primary.run("SELECT pg_reload_conf()"));
    while (primary.run("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") != "1")
      std::this_thread::sleep_for(std::chrono::milliseconds{20});
    for (auto i = 0; i < pairs; ++i) {
      measure("own log", {}, events, seconds);
      measure("PostgreSQL", {&alone}, events, seconds);
      measure("with sync. standby", {&primary, &standby}, events, seconds);
    }
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "vicket-bench-log: %s\n", problem.what());
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
