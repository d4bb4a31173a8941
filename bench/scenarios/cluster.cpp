// 14: three nodes and a database with a synchronous standby beside one node alone, all on this machine.

#include "bench/findings/figures.hpp"
#include "bench/findings/percentiles.hpp"
#include "bench/harness/expected_events.hpp"
#include "bench/harness/open_loop.hpp"
#include "bench/harness/process_usage.hpp"
#include "bench/harness/real_time.hpp"
#include "bench/scenarios/scenario.hpp"
#include "bench/scenarios/traffic.hpp"
#include "cluster/cluster_setup.hpp"
#include "policy/partitioning.hpp"
#include "tests/support/postgres_instance.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace vicket::bench {

namespace {

constexpr std::uint32_t connectors = 64;
constexpr std::uint32_t partitions = 6;
constexpr std::size_t nodes = 3;
constexpr std::uint16_t tag = 14;
constexpr std::size_t window = 8'192;
constexpr std::int64_t warm_up_ms = 700;
constexpr std::int64_t patience_ms = 30'000;
constexpr std::int64_t owned_limit_ms = 60'000;
/// A failover is an event a second after the one before it at the earliest: so long a promotion takes elsewhere.
constexpr std::int64_t promotion_ms = 1'000;
/// What both sides are offered alike: about half of what the cluster takes where all of it has two processors.
constexpr double offered_per_s = 3'000;

const char* const node_names[nodes] = {"node-a", "node-b", "node-c"};

/// A primary and its standby, which has everything that is acknowledged.
class replicated_database {
public:
  replicated_database() {
    static_cast<void>(primary_.run("ALTER SYSTEM SET synchronous_standby_names = 'standby'"));
    static_cast<void>(primary_.run("SELECT pg_reload_conf()"));
    while (primary_.run("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") != "1")
      sleep_ms(20);
  }

  /// Whichever of them takes writes.
  [[nodiscard]] std::string conninfo() const {
    return "host=" + folder_of(primary_) + "," + folder_of(standby_) +
           " port=5432,5432 user=vicket dbname=postgres target_session_attrs=read-write";
  }
  [[nodiscard]] double cpu_seconds() const { return primary_.cpu_seconds() + standby_.cpu_seconds(); }

  void fail_over() {
    primary_.kill();
    sleep_ms(promotion_ms);
    static_cast<void>(standby_.run("SELECT pg_promote()"));
  }

private:
  static std::string folder_of(const testing::postgres_instance& of) {
    const auto text = of.conninfo();
    const auto begin = text.find("host=") + 5;
    return text.substr(begin, text.find(' ', begin) - begin);
  }

  testing::postgres_instance primary_;
  testing::postgres_instance standby_{primary_, "standby"};
};

/// A node, or several of which the first is spoken to, and what they take.
class side {
public:
  side(const bench_context& with, const sink& target, std::uint16_t number,
       std::vector<std::unique_ptr<node_process>> running, std::function<double()> database_cpu)
      : with_{with}, target_{target}, nodes_{std::move(running)},
        database_cpu_{std::move(database_cpu)}, session_{nodes_.front()->place()},
        events_{event_source{number, connector_names(0, connectors)}}, feed_{session_, events_.source()} {
    std::vector<connector> wanted;
    for (std::uint32_t i = 0; i < connectors; ++i)
      wanted.push_back(with.connector_to(target, "ok", i));
    session_.put(wanted);
  }

  struct cost {
    double nodes_us = 0;    ///< CPU per delivery
    double database_us = 0; ///< of its two servers
    double per_s = 0;
  };

  cost saturate(sink& from) {
    const auto others = from.arrived() - feed_.sent();
    feed_.saturate(from, others, window, warm_up_ms);
    const auto before = feed_.sent();
    const auto began_ns = now_ns();
    const auto nodes_before = nodes_cpu_s();
    const auto database_before = database_cpu_();
    feed_.saturate(from, others, window, with_.pick(4'000, 1'500));
    const auto took_s = static_cast<double>(now_ns() - began_ns) / 1e9;
    const auto nodes_s = nodes_cpu_s() - nodes_before;
    const auto database_s = database_cpu_() - database_before;
    const auto delivered = static_cast<double>(feed_.sent() - before);
    finish(from);
    return {nodes_s * 1e6 / delivered, database_s * 1e6 / delivered, delivered / took_s};
  }

  /// For longer than a sink keeps what it saw. `look` is called every twenty seconds. Deliveries a second.
  double saturate_for(sink& from, std::int64_t duration_ms, const std::function<void()>& look) {
    const auto before = feed_.sent();
    const auto began_ns = now_ns();
    for (const auto until_ns = began_ns + duration_ms * 1'000'000; now_ns() < until_ns;) {
      feed_.saturate(from, from.arrived() - feed_.sent(), window,
                     std::min<std::int64_t>(20'000, (until_ns - now_ns()) / 1'000'000 + 1));
      from.read_arrivals([this](const arrival& one) { static_cast<void>(events_.take(one)); });
      look();
    }
    const auto took_s = static_cast<double>(now_ns() - began_ns) / 1e9;
    finish(from);
    return static_cast<double>(feed_.sent() - before) / took_s;
  }

  /// At a rate that leaves it time.
  cost offered(sink& from, double per_s) {
    const auto before = feed_.sent();
    const auto nodes_before = nodes_cpu_s();
    const auto database_before = database_cpu_();
    feed_.offer(per_s, static_cast<std::uint32_t>(per_s * with_.pick(4.0, 1.5)));
    finish(from);
    const auto delivered = static_cast<double>(feed_.sent() - before);
    return {(nodes_cpu_s() - nodes_before) * 1e6 / delivered,
            (database_cpu_() - database_before) * 1e6 / delivered, per_s};
  }

  /// From sent to accepted, of 1,000 events a second.
  percentiles latencies(sink& from) {
    const auto first = feed_.sent();
    feed_.offer(1'000, with_.pick(5'000u, 2'000u));
    feed_.wait_for_answers();
    std::vector<std::int64_t> took;
    for (auto i = first; i < feed_.sent(); ++i)
      took.push_back(feed_.times()[i].accepted_ns - feed_.times()[i].intended_ns);
    finish(from);
    return percentiles{std::move(took)};
  }

  /// One event for each of these connectors, sent now: how long until the last one is accepted. An event that is refused is
  /// sent again, as an engine does.
  std::int64_t until_accepted_ns(const std::vector<std::uint32_t>& of, std::int64_t since_ns) {
    for (const auto which : of)
      for (bool is_accepted = false; !is_accepted;) {
        if (now_ns() - since_ns > 60'000'000'000)
          throw std::runtime_error("nothing is accepted within a minute");
        std::promise<send_result> answer;
        session_.send(probe_event(which), [&](const send_result& result) { answer.set_value(result); });
        is_accepted = std::holds_alternative<accepted>(answer.get_future().get());
        if (!is_accepted)
          sleep_ms(20);
      }
    return now_ns() - since_ns;
  }

  node_process& node(std::size_t number) { return *nodes_[number]; }

  void settle(std::vector<std::string>& violations) {
    std::ranges::move(feed_.settle(events_.ledger()), std::back_inserter(violations));
    for (const auto& one : events_.ledger().violations())
      violations.push_back(one);
  }

private:
  send_to_connector probe_event(std::uint32_t which) {
    static const event_source probes{tag + 9, connector_names(0, connectors)};
    return probes.event(static_cast<std::uint32_t>(probes_sent_++) * connectors + which);
  }

  [[nodiscard]] double nodes_cpu_s() const {
    double sum = 0;
    for (const auto& one : nodes_)
      sum += static_cast<double>(cpu_time_ns(one->id())) / 1e9;
    return sum;
  }

  void finish(sink& from) {
    feed_.wait_for_answers();
    if (!wait_for_arrivals(from, feed_.sent(), patience_ms))
      with_.say("not everything came"); // the ledger says what
    sleep_ms(200);
    from.read_arrivals([this](const arrival& one) { static_cast<void>(events_.take(one)); });
  }

  const bench_context& with_;
  const sink& target_;
  std::vector<std::unique_ptr<node_process>> nodes_;
  std::function<double()> database_cpu_;
  node_session session_;
  expected_events events_;
  feeder feed_;
  std::uint64_t probes_sent_ = 0;
};

void make_key(const std::filesystem::path& file) {
  std::ofstream{file} << std::string(secret_box::key_bytes, 'k');
  std::filesystem::permissions(file,
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

cluster_view view_of(const log_place& place) {
  auto seen = view_cluster(place);
  auto* const view = std::get_if<cluster_view>(&seen);
  return view == nullptr ? cluster_view{} : std::move(*view);
}

/// Of the connectors' partitions.
std::vector<std::string> owners_of(const log_place& place) {
  std::vector<std::string> owners;
  const auto view = view_of(place);
  for (const auto& one : view.partitions)
    if (one.number < view.identity.partitions)
      owners.push_back(one.owner);
  return owners;
}

/// Until each node owns as many, and each partition is kept by its owner and one more. Not that of settings, which all keep.
void wait_for_owners(const log_place& place) {
  for (const auto until_ns = now_ns() + owned_limit_ms * 1'000'000; now_ns() < until_ns; sleep_ms(100)) {
    auto view = view_of(place);
    std::erase_if(view.partitions, [](const auto& one) { return one.number >= partitions; });
    std::erase_if(view.copies, [](const auto& one) { return one.partition >= partitions; });
    const auto is_even = std::all_of(std::begin(node_names), std::end(node_names), [&](const char* name) {
      return std::ranges::count(view.partitions, name, &cluster_view::partition::owner) == partitions / nodes;
    });
    const auto complete = std::ranges::count(view.copies, true, &member_table::copy::complete);
    if (is_even && view.copies.size() == 2 * partitions && complete == 2 * partitions) {
      sleep_ms(4'000); // the last one may deliver by now
      return;
    }
  }
  throw std::runtime_error("the nodes do not share the partitions evenly within a minute");
}

/// A new cluster, whose nodes share its partitions.
struct started_cluster {
  started_cluster(const bench_context& with, const std::string& name) {
    const auto key_file = with.where().file(name + "-key");
    make_key(key_file);
    place = {database.conninfo(), "vicket"};
    auto key = std::make_shared<secret_box>(secret_bytes{std::string(secret_box::key_bytes, 'k')});
    if (const auto made = init_cluster(place, "bench", partitions, key, "");
        std::holds_alternative<std::string>(made))
      throw std::runtime_error(std::get<std::string>(made));
    target = with.start_sink("sink-" + name, 1'000'000);
    std::vector<std::unique_ptr<node_process>> members;
    for (const auto* node : node_names)
      members.push_back(with.start_node(name + "-" + node,
                                        {"--cluster", "bench", "--node-name", node, "--log", place.conninfo,
                                         "--secret-key-file", key_file.string(), "--peer-listen",
                                         "unix:" + with.where().file(name + "-" + node + ".peer").string()}));
    wait_for_owners(place);
    it = std::make_unique<side>(with, *target, tag, std::move(members),
                                [this] { return database.cpu_seconds(); });
  }

  replicated_database database;
  log_place place;
  std::unique_ptr<sink> target;
  std::unique_ptr<side> it; ///< last
};

class cluster {
public:
  explicit cluster(const bench_context& with) : with_{with} {}

  scenario_result run() {
    const auto rounds = with_.pick(3, 1);
    for (int i = 1; i <= rounds; ++i) {
      with_.say("round " + std::to_string(i) + " of " + std::to_string(rounds));
      one_round(i);
    }
    return judged();
  }

private:
  void one_round(int number) {
    const auto name = "cluster-" + std::to_string(number);
    started_cluster three{with_, name};
    auto alone_sink = with_.start_sink("sink-alone-" + name, 1'000'000);
    std::vector<std::unique_ptr<node_process>> one;
    one.push_back(with_.start_node(name + "-alone"));
    side alone{with_, *alone_sink, static_cast<std::uint16_t>(tag + 1), std::move(one), [] { return 0.0; }};

    with_.say("both at " + std::to_string(static_cast<int>(offered_per_s)) + " events a second");
    const auto three_offered = three.it->offered(*three.target, offered_per_s);
    at_rate_.add(three_offered, alone.offered(*alone_sink, offered_per_s));
    with_.say("each saturated");
    const auto three_saturated = three.it->saturate(*three.target);
    at_most_.add(three_saturated, alone.saturate(*alone_sink));
    per_s_.push_back(three_saturated.per_s);

    with_.say("1,000 events a second");
    const auto way = three.it->latencies(*three.target);
    p50_us_.push_back(percentile_us(way, 50));
    p99_us_.push_back(percentile_us(way, 99));

    three.it->settle(violations_); // before what may send something twice
    alone.settle(violations_);

    with_.say("an owner is killed");
    const auto victim = std::size_t{1};
    const auto its = connectors_of(three.place, node_names[victim]);
    three.it->node(victim).kill();
    kill_s_.push_back(static_cast<double>(three.it->until_accepted_ns(its, now_ns())) / 1e9);
    with_.say("the database fails over");
    const auto since_ns = now_ns();
    auto failing = std::async(std::launch::async, [&] { three.database.fail_over(); });
    sleep_ms(50); // it is gone by now
    failover_s_.push_back(static_cast<double>(three.it->until_accepted_ns(all_connectors(), since_ns)) / 1e9);
    failing.get();
  }

  static std::vector<std::uint32_t> all_connectors() {
    std::vector<std::uint32_t> all;
    for (std::uint32_t i = 0; i < connectors; ++i)
      all.push_back(i);
    return all;
  }

  static std::vector<std::uint32_t> connectors_of(const log_place& place, const std::string& node) {
    const auto owners = owners_of(place);
    auto all = all_connectors();
    std::erase_if(
        all, [&](std::uint32_t i) { return owners.at(partition_of(connector_name(i), partitions)) != node; });
    return all;
  }

  /// Of the rounds, of three nodes and of one under the same conditions.
  struct costs {
    void add(const side::cost& three, const side::cost& one) {
      nodes_us.push_back(three.nodes_us);
      database_us.push_back(three.database_us);
      alone_us.push_back(one.nodes_us);
      nodes_ratio.push_back(three.nodes_us / one.nodes_us);
      all_ratio.push_back((three.nodes_us + three.database_us) / one.nodes_us);
    }
    std::vector<double> nodes_us, database_us, alone_us, nodes_ratio, all_ratio;
  };

  static void add(std::vector<figure>& to, const costs& of, const std::string& suffix,
                  const std::string& when, bool is_judged) {
    const auto add_one = [&](const char* key, const char* title, const std::vector<double>& values,
                             const char* unit) -> figure& {
      to.push_back(median_figure(key + suffix, when + ": " + title, values, unit));
      return to.back();
    };
    auto& all = add_one("cpu_all", "CPU per delivery of three nodes and both databases ÷ one node's",
                        of.all_ratio, "1");
    if (is_judged)
      all.wanted = goal{3, 2, false};
    auto& without_database = add_one("cpu_nodes", "of the nodes alone ÷ one node's", of.nodes_ratio, "1");
    if (is_judged)
      without_database.wanted = goal{1.8, 1.4, false};
    add_one("nodes_us", "CPU per delivery, three nodes", of.nodes_us, "us");
    add_one("database_us", "CPU per delivery, the database and its standby", of.database_us, "us");
    add_one("alone_us", "CPU per delivery, one node alone", of.alone_us, "us");
  }

  scenario_result judged() {
    scenario_result result;
    auto& figures = result.figures;
    add(figures, at_rate_, "", "offered the same rate", true);
    figures.push_back(median_figure("accepted_p50", "sent → accepted at 1,000/s, p50", p50_us_, "us"));
    figures.back().wanted = goal{8'000, 4'000, false};
    figures.push_back(median_figure("accepted_p99", "sent → accepted at 1,000/s, p99", p99_us_, "us"));
    figures.back().wanted = goal{40'000, 15'000, false};
    figures.push_back(
        median_figure("kill", "an owner is killed → its partitions accept again", kill_s_, "s"));
    figures.back().wanted = goal{5, 3.5, false};
    figures.push_back(median_figure(
        "failover", "the database fails over (promotion takes 1 s) → all accept again", failover_s_, "s"));
    figures.back().wanted = goal{5, 2, false};
    add(figures, at_most_, "_saturated", "each saturated", false);
    figures.push_back(median_figure(
        "per_s", "deliveries/s of the cluster, all of it and the sink on this machine", per_s_, "/s"));
    result.notes.push_back("Saturated, each side goes as fast as it can, so the rates differ, and with "
                           "them how much is found at each wake-up: docs/decisions/0022-copies.md. The "
                           "engine speaks to one node, so two thirds of its events go on to another. "
                           "Both servers' disks are "
                           "this machine's.");
    result.violations = violations_;
    return result;
  }

  const bench_context& with_;
  costs at_rate_, at_most_;
  std::vector<double> per_s_, p50_us_, p99_us_, kill_s_, failover_s_;
  std::vector<std::string> violations_;
};

/// Nothing has gone, and there is more to do than can be done: nobody is to take that for a death.
class steady_cluster {
public:
  explicit steady_cluster(const bench_context& with) : with_{with} {}

  scenario_result run() {
    started_cluster three{with_, "steady"};
    const auto before = claims(three.place);
    auto seen = before;
    const auto per_s = three.it->saturate_for(*three.target, with_.pick<std::int64_t>(600'000, 20'000), [&] {
      if (const auto now = claims(three.place); now != std::exchange(seen, now))
        with_.say("a partition was claimed");
    });
    scenario_result result;
    three.it->settle(result.violations);
    result.figures.push_back(median_figure("takeovers", "claims while all nodes are there",
                                           {static_cast<double>(claims(three.place) - before)}, "1"));
    result.figures.back().wanted = goal{0, 0, false};
    result.figures.push_back(median_figure("per_s", "deliveries/s", {per_s}, "/s"));
    return result;
  }

private:
  /// Of all partitions, since the cluster was made.
  static std::uint64_t claims(const log_place& place) {
    const auto view = view_of(place);
    if (view.partitions.size() != partitions + 1)
      throw std::runtime_error("the cluster can't be looked at");
    std::uint64_t sum = 0;
    for (const auto& one : view.partitions)
      sum += one.epoch;
    return sum;
  }

  const bench_context& with_;
};

} // namespace

scenario_result run_steady_cluster(const bench_context& with) {
  return steady_cluster{with}.run();
}

scenario_result run_cluster(const bench_context& with) {
  return cluster{with}.run();
}

} // namespace vicket::bench
