#include "tests/crash/driver.hpp"

#include "tests/crash/connector_timeline.hpp"
#include "tests/crash/cursor_follower.hpp"
#include "tests/crash/delivery_oracle.hpp"
#include "tests/crash/feeder.hpp"
#include "tests/crash/journal.hpp"
#include "tests/crash/node_client.hpp"
#include "tests/crash/outcome_follower.hpp"
#include "tests/crash/real_time.hpp"
#include "tests/crash/receiver.hpp"
#include "tests/crash/tls_identity.hpp"
#include "tests/support/child_process.hpp"

#include <caf/actor_system.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace vicket::crash {

using testing::child_process;
using testing::exited_well;
using testing::processes_with;
using testing::text_of_status;

namespace {

constexpr std::int64_t ready_limit_ms = 10'000;
/// Deliveries in flight may take 10 s of it.
constexpr std::int64_t stop_limit_ms = 15'000;
constexpr std::int64_t feeder_stop_limit_ms = 40'000;
constexpr std::int64_t answer_limit_ms = 10'000;
/// From the last kill until all is settled: an id fails at most four times, with a second's backoff at most,
/// but a busy machine and a queue behind hanging requests take their time. Progress extends it.
constexpr std::int64_t settle_limit_ms = 30'000;
constexpr std::int64_t settle_poll_ms = 100;
/// However much it progresses.
constexpr std::int64_t longest_settle_ms = 300'000;
constexpr std::int64_t standstill_ms = 5'000;
constexpr std::int64_t stuck_after_restart_ms = 5'000;
/// Beyond the time asked for: starting, settling, reading everything.
constexpr std::uint64_t longest_extra_s = 600;
constexpr std::size_t shown_violations = 5;
constexpr std::size_t shown_log_bytes = 4'000;
constexpr const char* slow_sync_library = "libcrash-slow-sync.so"; // beside this program
/// From readiness to a burst: until the feeder is connected.
constexpr std::int64_t before_burst_ms = 150;
constexpr std::int64_t burst_limit_ms = 15'000;
/// Syncs are slow in the lives with a burst and in one of so many others.
constexpr std::uint64_t slow_one_in = 3;

/// The run cannot go on; `what()` says why.
class broken_run : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A folder under the system's temporary one, removed with this object.
class run_folder {
public:
  explicit run_folder(bool keep) : keep_{keep} {
    auto pattern = (std::filesystem::temp_directory_path() / "vicket-crash-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
      throw broken_run{"can't make a temporary folder"};
    path_ = pattern;
  }

  ~run_folder() { remove(); }
  run_folder(const run_folder&) = delete;
  run_folder& operator=(const run_folder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  void remove() {
    std::error_code ignored;
    if (!keep_)
      std::filesystem::remove_all(path_, ignored);
  }

private:
  bool keep_;
  std::filesystem::path path_;
};

/// A port of 127.0.0.1 that nobody listens on and nobody else gets, as long as this object lives.
class refusing_port {
public:
  refusing_port() : socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (socket_ < 0 || ::bind(socket_, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
        ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw broken_run{"can't reserve a port"};
    number_ = ntohs(address.sin_port);
  }

  ~refusing_port() { ::close(socket_); }
  refusing_port(const refusing_port&) = delete;
  refusing_port& operator=(const refusing_port&) = delete;

  [[nodiscard]] std::uint16_t number() const noexcept { return number_; }

private:
  int socket_;
  std::uint16_t number_ = 0;
};

class driver {
public:
  driver(const plan& promises, const driver_options& options)
      : promises_{promises}, options_{options}, folder_{options.keep},
        longest_life_s_{static_cast<unsigned>(options.seconds + options.kills * 5 + longest_extra_s)},
        system_{config_}, client_{system_, port()} {}

  bool run();
  /// For the one who has to find out why a run can't go on.
  void show_logs() const;

private:
  [[nodiscard]] std::function<std::uint16_t()> port() {
    return [this] { return node_port_.load(); };
  }

  [[nodiscard]] std::filesystem::path log_of(const std::string& role) const {
    return folder_.path() / (role + ".log");
  }

  /// Where the time goes after the last kill.
  void progress(const char* what) const {
    std::printf("%6.1f s  %s\n", static_cast<double>(steady_ms() - started_ms_) / 1'000.0, what);
    std::fflush(stdout);
  }

  void complain(std::string rule, std::string detail) {
    found_.push_back({std::move(rule), std::move(detail), {}});
  }

  std::unique_ptr<child_process> start_role(const std::string& role, std::vector<std::string> arguments);
  [[nodiscard]] std::vector<std::string> feeder_arguments() const;
  void start_receivers();
  void put_connectors();
  void put_one(const planned_connector& one, std::uint64_t version);
  void look_at_connectors();
  void check_bulk(const delivery_oracle& oracle);
  void start_follower();

  void start_node(bool slow = false);
  bool node_ready();
  void end_node(bool killed);
  void check_children();

  void kill_again_and_again();
  void live_one_round(std::uint64_t number);
  void wait_for_burst(const planned_round& round);
  void settle();
  [[nodiscard]] node_status counted_status();
  void show_pending(const node_status& status) const;
  void tell_of_stuck_events();
  [[nodiscard]] std::uint64_t pending_that_must_end(const node_status& status) const;
  void quieten();

  void collect(delivery_oracle& oracle, const std::vector<outcome_entry>& followed);
  void read_journals(delivery_oracle& oracle) const;
  void open_once_more(const std::vector<outcome_entry>& feed);
  void leave_nothing_behind();
  void report(const delivery_oracle& oracle, const std::vector<violation>& found) const;

  const plan& promises_;
  const driver_options& options_;
  run_folder folder_;
  refusing_port nobody_;
  unsigned longest_life_s_;
  std::int64_t started_ms_ = steady_ms();
  std::array<std::uint16_t, plan::receivers> receiver_ports_{};
  std::vector<std::unique_ptr<child_process>> receivers_;
  std::unique_ptr<child_process> feeder_;
  std::unique_ptr<child_process> follower_; ///< the one that keeps its cursor in a file
  std::unique_ptr<child_process> node_;
  std::atomic<std::uint16_t> node_port_{0};
  client_config config_;
  caf::actor_system system_;
  node_client client_;
  std::vector<node_life> lives_;
  std::vector<change_record> changes_; ///< the driver's own, as are the answers and looks
  std::vector<change_answer_record> change_answers_;
  std::vector<look_record> looks_;
  std::vector<violation> found_; ///< by the driver itself
  std::vector<outcome_entry> feed_;
  std::vector<event_id> stuck_; ///< pending at the end, though they should have been delivered
  std::uint64_t kills_ = 0;
  std::uint64_t clean_stops_ = 0;
  std::uint64_t kills_before_ready_ = 0;
  std::uint64_t port_changes_ = 0;
  std::uint64_t bursts_ = 0;
  std::uint64_t follower_kills_ = 0;
  std::int64_t slowest_start_ms_ = 0;
};

std::unique_ptr<child_process> driver::start_role(const std::string& role,
                                                  std::vector<std::string> arguments) {
  std::vector<std::string> all{options_.program.string(),        "--role=" + role, "--seed",
                               std::to_string(promises_.seed()), "--folder",       folder_.path().string()};
  all.insert(all.end(), std::make_move_iterator(arguments.begin()), std::make_move_iterator(arguments.end()));
  return std::make_unique<child_process>(all, log_of(role), longest_life_s_);
}

std::vector<std::string> driver::feeder_arguments() const {
  std::vector<std::string> all{"--events-per-s", std::to_string(options_.events_per_s), "--ports"};
  for (const auto port : receiver_ports_)
    all.push_back(std::to_string(port));
  all.push_back(std::to_string(nobody_.number()));
  return all;
}

void driver::start_follower() {
  follower_ = start_role("follower", {});
}

void driver::start_receivers() {
  (void)make_tls_identity(folder_.path());
  for (int i = 0; i < plan::receivers; ++i) {
    receivers_.push_back(start_role("receiver", {"--index", std::to_string(i)}));
    const auto ready = receivers_.back()->read_line("receiver ready port=", ready_limit_ms);
    if (!ready)
      throw broken_run{"a receiver does not start"};
    receiver_ports_[static_cast<std::size_t>(i)] = static_cast<std::uint16_t>(std::stoul(*ready));
  }
}

void driver::put_one(const planned_connector& one, std::uint64_t version) {
  auto value = promises_.version(one, version).value;
  const auto at = one.receiver ? receiver_ports_[static_cast<std::size_t>(*one.receiver)] : nobody_.number();
  value.url = "https://127.0.0.1:" + std::to_string(at) + value.url;
  changes_.push_back({value.id.value, version, false, wall_now()});
  if (!client_.ask<connector_view>(put_connector{value}, answer_limit_ms))
    throw broken_run{"the node refuses connector " + value.id.value + ": " +
                     caf::to_string(client_.reason())};
  change_answers_.push_back({value.id.value, version, std::nullopt, wall_now()});
}

void driver::put_connectors() {
  for (const auto& one : promises_.connectors())
    if (one.from_start)
      put_one(one, plan::first_version);
}

/// What was put is there after all the kills.
void driver::look_at_connectors() {
  const auto asked_at = wall_now();
  const auto page = client_.ask<connector_page>(list_connectors{}, answer_limit_ms);
  if (!page)
    throw broken_run{"the node does not list its connectors: " + caf::to_string(client_.reason())};
  looks_.push_back({asked_at, wall_now(), shown_in(promises_, page->connectors)});
}

void driver::start_node(bool slow) {
  lives_.push_back({wall_now(), {}, true});
  std::vector<std::string> arguments{options_.node.string(),
                                     "--data-dir",
                                     (folder_.path() / "data").string(),
                                     "--listen",
                                     "127.0.0.1:" + std::to_string(node_port_),
                                     "--ca-file",
                                     tls_identity_in(folder_.path()).authority.string(),
                                     "--allow-cidr",
                                     "127.0.0.0/8",
                                     "--partitions",
                                     "2"};
  if (options_.slow_sync_ms > 0 && slow) {
    const auto library = options_.program.parent_path() / slow_sync_library;
    const std::vector<std::string> before{"/usr/bin/env", "LD_PRELOAD=" + library.string(),
                                          "SLOW_SYNC_MS=" + std::to_string(options_.slow_sync_ms)};
    arguments.insert(arguments.begin(), before.begin(), before.end());
  }
  node_ = std::make_unique<child_process>(arguments, log_of("node"), longest_life_s_);
}

/// False: it ended before it was ready, which may be a port that another process took meanwhile.
bool driver::node_ready() {
  const auto since = steady_ms();
  const auto line = node_->read_line("vicketd ready actors=", ready_limit_ms);
  if (!line && node_->running())
    throw broken_run{"the node is not ready within " + std::to_string(ready_limit_ms) + " ms"};
  if (!line)
    return false;
  slowest_start_ms_ = std::max(slowest_start_ms_, steady_ms() - since);
  const auto port = static_cast<std::uint16_t>(std::stoul(line->substr(line->rfind(':') + 1)));
  port_changes_ += port != node_port_ && node_port_ != 0 ? 1 : 0;
  if (port != node_port_)
    write_node_port(folder_.path(), port);
  node_port_ = port;
  return true;
}

void driver::end_node(bool killed) {
  node_->signal(killed ? SIGKILL : SIGTERM);
  const auto status = node_->wait(stop_limit_ms);
  if (!status)
    throw broken_run{"the node does not end within " + std::to_string(stop_limit_ms) + " ms after " +
                     (killed ? "SIGKILL" : "SIGTERM")};
  if (!killed && !exited_well(*status))
    complain("SIGTERM ends a node with exit status 0", text_of_status(*status));
  lives_.back().ended_at = wall_now();
  lives_.back().killed = killed;
  client_.forget_node();
}

void driver::check_children() {
  if (!feeder_->running())
    throw broken_run{"the feeder ended by itself"};
  if (!follower_->running())
    throw broken_run{"the feed follower ended by itself"};
  for (const auto& one : receivers_)
    if (!one->running())
      throw broken_run{"a receiver ended by itself"};
}

/// Until the feeder has sent a burst up to the round's group; a node that takes too long is killed before.
void driver::wait_for_burst(const planned_round& round) {
  sleep_ms(before_burst_ms);
  feeder_->signal(SIGUSR1);
  (void)feeder_->read_line(
      "burst " + std::to_string(++bursts_) + " group " + std::to_string(round.burst_group), burst_limit_ms);
  sleep_ms(static_cast<std::int64_t>(round.alive_syncs * static_cast<double>(options_.slow_sync_ms)));
}

void driver::live_one_round(std::uint64_t number) {
  const auto round = promises_.round(number);
  if (round.stopped_receiver)
    receivers_[static_cast<std::size_t>(*round.stopped_receiver)]->signal(SIGSTOP);
  const auto stopped_until = steady_ms() + round.stopped_for_ms;
  const bool slow = round.burst_group > 0 || number % slow_one_in == 0;
  start_node(slow);
  if (!round.before_ready && !node_ready()) {
    lives_.back().ended_at = wall_now();
    node_port_ = 0; // the old one may be another's by now
    start_node(slow);
    if (!node_ready())
      throw broken_run{"the node ends before it is ready"};
  }
  if (round.burst_group > 0)
    wait_for_burst(round);
  sleep_ms(round.alive_ms);
  if (round.follower_killed) {
    follower_->kill();
    ++follower_kills_;
  }
  if (round.before_ready && !node_->running())
    throw broken_run{"the node ends before it is ready"};
  end_node(!round.stop_cleanly);
  kills_ += round.stop_cleanly ? 0 : 1;
  clean_stops_ += round.stop_cleanly ? 1 : 0;
  kills_before_ready_ += round.before_ready ? 1 : 0;
  if (round.stopped_receiver) {
    sleep_ms(std::max<std::int64_t>(0, stopped_until - steady_ms()));
    receivers_[static_cast<std::size_t>(*round.stopped_receiver)]->signal(SIGCONT);
  }
  if (round.follower_killed)
    start_follower();
  std::printf("%s %llu after %lld ms%s%s%s\n", round.stop_cleanly ? "stop" : "kill",
              static_cast<unsigned long long>(round.stop_cleanly ? clean_stops_ : kills_),
              static_cast<long long>(round.alive_ms), round.before_ready ? ", before it was ready" : "",
              round.stopped_receiver ? ", a receiver stood still" : "",
              round.burst_group > 0 ? ", in a burst" : "");
  std::fflush(stdout);
  check_children();
  sleep_ms(round.pause_ms);
}

void driver::kill_again_and_again() {
  const auto until = steady_ms() + static_cast<std::int64_t>(options_.seconds) * 1'000;
  for (std::uint64_t number = 1; options_.seconds > 0 ? steady_ms() < until : kills_ < options_.kills;
       ++number)
    live_one_round(number);
}

std::uint64_t driver::pending_that_must_end(const node_status& status) const {
  std::uint64_t pending = 0;
  for (const auto& one : status.connectors) {
    const auto* promise = promises_.find(one.id.value);
    if (promise != nullptr && promise->end != fate::pending)
      pending += one.pending;
  }
  return pending;
}

/// With all that the last start found.
node_status driver::counted_status() {
  for (const auto until = steady_ms() + settle_limit_ms;; sleep_ms(settle_poll_ms)) {
    auto status = client_.ask<node_status>(get_status{}, answer_limit_ms);
    if (!status)
      throw broken_run{"the node does not tell its status: " + caf::to_string(client_.reason())};
    if (status->more)
      throw broken_run{"the node has more to tell of than this program asks for"};
    const bool counting = std::any_of(status->partitions.begin(), status->partitions.end(),
                                      [](const partition_status& one) { return one.counting; });
    if (!counting)
      return *std::move(status);
    if (steady_ms() > until)
      throw broken_run{"the node does not come to an end with counting what its start found"};
  }
}

void driver::show_pending(const node_status& status) const {
  progress("nothing moves; the node's status:");
  for (const auto& one : status.connectors)
    std::printf("          %-16s %llu pending, %llu in flight\n", one.id.value.c_str(),
                static_cast<unsigned long long>(one.pending), static_cast<unsigned long long>(one.in_flight));
}

/// Waits until the receivers that get well have everything. What is then still pending, the oracle finds.
void driver::settle() {
  std::uint64_t least = ~std::uint64_t{0};
  auto moved = steady_ms();
  const auto end = steady_ms() + longest_settle_ms;
  for (auto until = steady_ms() + settle_limit_ms; steady_ms() < std::min(until, end);
       sleep_ms(settle_poll_ms)) {
    const auto status = counted_status();
    const auto pending = pending_that_must_end(status);
    if (pending == 0)
      return;
    if (pending < least) {
      until = steady_ms() + settle_limit_ms;
      moved = steady_ms();
    }
    if (steady_ms() - moved > standstill_ms) {
      moved = until; // once
      show_pending(status);
    }
    least = std::min(least, pending);
  }
}

/// Disables what retries for ever, so that history and feed can be read as of one moment.
void driver::quieten() {
  for (const auto& one : promises_.connectors())
    if (one.end == fate::pending && one.from_start)
      put_one(one, plan::quiet_version);
  std::uint64_t in_flight = 1;
  for (const auto until = steady_ms() + settle_limit_ms; in_flight > 0 && steady_ms() < until;) {
    sleep_ms(settle_poll_ms);
    const auto status = client_.ask<node_status>(get_status{}, answer_limit_ms);
    in_flight = 0;
    for (const auto& one : status ? status->partitions : std::vector<partition_status>{})
      in_flight += one.in_flight;
  }
  if (in_flight > 0)
    complain("pending events of a disabled connector wait",
             std::to_string(in_flight) + " are still in flight");
}

void driver::read_journals(delivery_oracle& oracle) const {
  std::vector<answer_record> answers;
  for (const auto& one : changes_)
    if (one.version == plan::first_version)
      oracle.add(one);
  read_feeder_journal(feeder_journal_in(folder_.path()), [&](const feeder_record& record) {
    if (const auto* answer = std::get_if<answer_record>(&record))
      answers.push_back(*answer);
    else
      std::visit([&](const auto& one) { oracle.add(one); }, record);
  });
  for (const auto& one : changes_)
    if (one.version != plan::first_version)
      oracle.add(one);
  for (const auto& one : change_answers_)
    oracle.add(one);
  read_follower_journal(follower_journal_in(folder_.path()),
                        [&](follower_record one) { oracle.add(std::move(one)); });
  for (const auto& answer : answers)
    oracle.add(answer);
  for (int i = 0; i < plan::receivers; ++i)
    read_receiver_journal(receiver_journal_in(folder_.path(), i),
                          [&](request_record request) { oracle.add(std::move(request)); });
}

void driver::collect(delivery_oracle& oracle, const std::vector<outcome_entry>& followed) {
  auto whole = read_whole_feed(client_);
  if (!whole)
    throw broken_run{"the feed can't be read: " + caf::to_string(client_.reason())};
  feed_ = std::move(*whole);
  read_journals(oracle);
  for (const auto& entry : feed_)
    oracle.add_feed(entry);
  for (const auto& entry : followed)
    oracle.add_followed(entry);
  const auto ids = oracle.ids();
  auto histories = client_.histories(ids, answer_limit_ms);
  if (!histories)
    throw broken_run{"the histories can't be read: " + caf::to_string(client_.reason())};
  for (std::size_t i = 0; i < ids.size(); ++i) {
    auto& found = (*histories)[i];
    if (found.empty())
      oracle.add_history(ids[i], std::nullopt);
    for (auto& one : found) {
      const auto* promise = promises_.find(one.summary.connector.value);
      if (promise != nullptr && promise->end != fate::pending && one.summary.state == event_state::pending)
        stuck_.push_back(ids[i]);
      oracle.add_history(ids[i], std::move(one));
    }
  }
}

/// Most of a burst's bulk is not looked up one by one, but counted.
void driver::check_bulk(const delivery_oracle& oracle) {
  const auto status = counted_status();
  std::uint64_t pending = 0;
  for (const auto& one : status.connectors)
    pending += one.id.value == plan::bulk_connector ? one.pending : 0;
  const auto [accepted, sent] = oracle.count_of(std::string{plan::bulk_connector});
  if (pending < accepted || pending > sent)
    complain("every accepted id was delivered or is pending",
             std::to_string(pending) + " events are pending for connector " +
                 std::string{plan::bulk_connector} + ", of " + std::to_string(accepted) + " accepted and " +
                 std::to_string(sent) + " sent");
}

/// What a restart delivers was waiting in the store and forgotten in memory: worth knowing for the one who
/// looks.
void driver::tell_of_stuck_events() {
  sleep_ms(stuck_after_restart_ms);
  const auto histories = client_.histories(stuck_, answer_limit_ms);
  std::size_t still = stuck_.size();
  if (histories)
    still =
        static_cast<std::size_t>(std::count_if(histories->begin(), histories->end(), [](const auto& found) {
          return std::any_of(found.begin(), found.end(),
                             [](const auto& one) { return one.summary.state == event_state::pending; });
        }));
  std::printf("%zu of the %zu stuck events are still pending %lld ms after a restart\n", still, stuck_.size(),
              static_cast<long long>(stuck_after_restart_ms));
}

/// The data folder is usable after the clean end, and tells the same.
void driver::open_once_more(const std::vector<outcome_entry>& feed) {
  sleep_ms(2);
  node_port_ = 0;
  start_node();
  if (!node_ready())
    throw broken_run{"the data folder can't be opened once more"};
  if (!stuck_.empty()) {
    tell_of_stuck_events();
    return end_node(false);
  }
  look_at_connectors();
  const auto again = read_whole_feed(client_);
  const auto same = [](const outcome_entry& a, const outcome_entry& b) {
    return a.summary.id == b.summary.id && a.value == b.value && a.cursor == b.cursor;
  };
  if (!again || !std::equal(feed.begin(), feed.end(), again->begin(), again->end(), same))
    complain("a restart changes nothing in the feed", std::to_string(again ? again->size() : 0) +
                                                          " entries, " + std::to_string(feed.size()) +
                                                          " before");
  end_node(false);
}

void driver::leave_nothing_behind() {
  for (const auto& one : receivers_) {
    one->signal(SIGTERM);
    const auto status = one->wait(stop_limit_ms);
    if (!status || !exited_well(*status))
      complain("nothing is left behind", "a receiver does not end well");
  }
  for (const auto id : processes_with(folder_.path().string()))
    complain("nothing is left behind", "process " + std::to_string(id) + " still runs");
  folder_.remove();
  if (!options_.keep && std::filesystem::exists(folder_.path()))
    complain("nothing is left behind", folder_.path().string() + " is still there");
}

void driver::report(const delivery_oracle& oracle, const std::vector<violation>& found) const {
  std::map<std::string, std::size_t> by_rule;
  std::map<std::string, std::size_t> shown;
  for (const auto& one : found)
    if (++by_rule[one.rule] <= shown_violations / 2 + 1 && shown.size() < shown_violations) {
      ++shown[one.rule];
      std::printf("\nVIOLATED: %s\n  %s\n%s", one.rule.c_str(), one.detail.c_str(),
                  oracle.story(one.id).c_str());
    }
  for (const auto& [rule, count] : by_rule)
    std::printf("%6zu times violated: %s\n", count, rule.c_str());
  const auto& counted = oracle.counted();
  const auto row = [](const char* name, std::uint64_t value) {
    std::printf("  %-44s %10llu\n", name, static_cast<unsigned long long>(value));
  };
  std::printf("\n");
  row("events sent", counted.events_sent);
  row("events accepted", counted.events_accepted);
  row("  kept, though the answer was lost", counted.unanswered_but_kept);
  row("answers that said duplicate", counted.duplicate_answers);
  row("events refused by their connector", counted.refused);
  row("puts of connectors", counted.puts);
  row("deletes of connectors", counted.deletes);
  row("  refused, since events waited", counted.busy_deletes);
  row("puts and deletes that a kill left open", counted.unanswered_changes);
  row("delivered", counted.delivered);
  row("failed (their connector gives up)", counted.failed);
  row("pending (their receiver never gets well)", counted.pending);
  row("requests at the receivers", counted.requests);
  row("attempts recorded", counted.attempts);
  row("  of them retries", counted.retries);
  row("requests in flight at a kill, unrecorded", counted.in_flight_duplicates);
  row("  longest from an answer to the kill, ms", static_cast<std::uint64_t>(counted.longest_unrecorded_ms));
  row("requests replaced on a closed connection", counted.replaced_requests);
  row("feed entries", feed_.size());
  row("kills", kills_);
  row("  in a burst", bursts_);
  row("  of the feed's follower", follower_kills_);
  row("  before the node was ready", kills_before_ready_);
  row("clean stops in between", clean_stops_);
  row("restarts on another port", port_changes_);
  row("slowest start, ms", static_cast<std::uint64_t>(slowest_start_ms_));
  row("wall time, s", static_cast<std::uint64_t>((steady_ms() - started_ms_) / 1'000));
  std::printf("%s (seed %llu)\n", found.empty() ? "no violation" : "VIOLATED",
              static_cast<unsigned long long>(promises_.seed()));
}

bool driver::run() {
  start_receivers();
  start_node();
  if (!node_ready())
    throw broken_run{"the node ends before it is ready"};
  put_connectors();
  feeder_ = start_role("feeder", feeder_arguments());
  start_follower();
  outcome_follower follower{system_, promises_, port()};
  sleep_ms(promises_.round(0).alive_ms);
  end_node(true);
  ++kills_;
  sleep_ms(2);
  kill_again_and_again();

  start_node();
  if (!node_ready())
    throw broken_run{"the node ends before it is ready"};
  progress("the last life of the node; the feeder stops");
  feeder_->signal(SIGTERM);
  if (const auto status = feeder_->wait(feeder_stop_limit_ms); !status || !exited_well(*status))
    complain("a valid event is accepted", "the feeder does not get answers to all that it sent");
  progress("waiting until the receivers that get well have everything");
  settle();
  progress("disabling the connectors that retry for ever");
  quieten();
  look_at_connectors();
  progress("reading feed and histories");
  follower_->signal(SIGTERM);
  if (const auto status = follower_->wait(feeder_stop_limit_ms); !status || !exited_well(*status))
    complain("a reader that is killed misses nothing", "the follower does not come to the feed's end");
  const auto followed = follower.finish();
  if (!followed)
    throw broken_run{"the feed can't be followed to its end"};
  delivery_oracle oracle{promises_, [this](std::uint64_t serial) { return promises_.event(serial); }};
  oracle.expect_slow_sync(options_.slow_sync_ms + options_.slow_node_ms);
  collect(oracle, *followed);
  check_bulk(oracle);
  progress("stopping the node, and opening its data once more");
  end_node(false);
  open_once_more(feed_);
  for (const auto& life : lives_)
    oracle.add(life);
  for (const auto& look : looks_)
    oracle.add(look);
  leave_nothing_behind();
  auto found = oracle.check();
  found.insert(found.begin(), found_.begin(), found_.end());
  report(oracle, found);
  return found.empty();
}

void driver::show_logs() const {
  for (const auto* role : {"node", "feeder", "receiver", "follower"}) {
    std::ifstream file{log_of(role), std::ios::binary};
    std::string text{std::istreambuf_iterator<char>{file}, {}};
    if (text.size() > shown_log_bytes)
      text.erase(0, text.size() - shown_log_bytes);
    if (!text.empty())
      std::printf("the end of the %s's log:\n%s\n", role, text.c_str());
  }
}

} // namespace

bool run_driver(const plan& promises, const driver_options& options) {
  driver one{promises, options};
  try {
    return one.run();
  } catch (const broken_run& why) {
    std::printf("BROKEN OFF: %s (seed %llu)\n", why.what(), static_cast<unsigned long long>(promises.seed()));
    one.show_logs();
    return false;
  }
}

} // namespace vicket::crash
