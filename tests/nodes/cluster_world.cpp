#include "tests/nodes/cluster_world.hpp"

#include "link/connect.hpp"
#include "policy/secret_box.hpp"
#include "storage/partition_store.hpp"
#include "tests/link/quiet_config.hpp"
#include "tests/support/certificates.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <functional>
#include <limits>
#include <mutex>
#include <random>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <unordered_set>
#include <utility>

namespace vicket::testing {

namespace {

using steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::chrono::seconds patience{60};
constexpr milliseconds look_again{20};
constexpr std::size_t batch_items = 10;
constexpr milliseconds between_batches{20};

std::int64_t ms_since(steady::time_point begin) {
  return std::chrono::duration_cast<milliseconds>(steady::now() - begin).count();
}

/// How long it took.
std::int64_t wait_until(const std::string& what, const std::function<bool()>& is_so) {
  const auto began = steady::now();
  while (!is_so()) {
    if (steady::now() - began > patience)
      throw std::runtime_error{"not within a minute: " + what};
    std::this_thread::sleep_for(look_again);
  }
  return ms_since(began);
}

std::vector<std::string> lines_of(const std::string& text, char separator) {
  std::vector<std::string> all;
  std::istringstream stream{text};
  for (std::string one; std::getline(stream, one, separator);)
    all.push_back(one);
  return all;
}

std::string connector_name(std::size_t number) {
  return "connector-" + std::to_string(number);
}

} // namespace

/// Sends on a thread of its own, one batch after the other, and again what was not answered, under the same ids.
struct cluster_world::engine {
  engine(std::vector<std::string> nodes, std::uint64_t seed) : random{seed} {
    link_options options;
    options.nodes = std::move(nodes);
    link = connect(system, options);
    worker = std::thread{[this] { run(); }};
  }
  ~engine() {
    ended = true;
    worker.join();
    link = nullptr;
  }

  void run() {
    caf::scoped_actor self{system};
    while (!ended) {
      if (stopping && again.empty())
        idle = true;
      if (paused || idle) {
        std::this_thread::sleep_for(between_batches);
        continue;
      }
      send_batch batch;
      for (; batch.items.size() < batch_items && !again.empty(); again.pop_front())
        batch.items.push_back(std::move(again.front()));
      while (batch.items.size() < batch_items && !stopping)
        batch.items.push_back(next());
      const auto items = batch.items;
      self->request(link, std::chrono::seconds{90}, std::move(batch))
          .receive(
              [&](const batch_result& answer) {
                for (std::size_t i = 0; i < items.size(); ++i)
                  take(items[i], answer.results.at(i));
              },
              [&](const caf::error& why) {
                const auto reason = refusal_of(why);
                for (const auto& one : items)
                  take(one, reason);
              });
      std::this_thread::sleep_for(between_batches);
    }
  }

  send_to_connector next() {
    send_to_connector event;
    const auto number = ++made;
    std::array<std::uint64_t, 2> bits{random(), random()};
    std::array<char, 37> text{};
    std::snprintf(text.data(), text.size(), "%08x-%04x-4%03x-8%03x-%012llx",
                  static_cast<unsigned>(bits[0] >> 32), static_cast<unsigned>(bits[0] >> 16 & 0xffff),
                  static_cast<unsigned>(bits[0] & 0xfff), static_cast<unsigned>(bits[1] >> 52),
                  static_cast<unsigned long long>(bits[1] & 0xffffffffffff));
    event.id = event_id::parse(text.data());
    event.connector = {connector_name(number % connectors)};
    event.event = "ticket.status_changed";
    event.occurred_at = {1'779'546'071'412};
    event.data_json = R"({"number":)" + std::to_string(number) + "}";
    event.run = "run-" + std::to_string(number);
    return event;
  }

  void take(const send_to_connector& event, const send_result& result) {
    const std::lock_guard lock{mutex};
    if (const auto* yes = std::get_if<accepted>(&result)) {
      if (yes->duplicate)
        ++counted.duplicates;
      if (ids.insert(*event.id).second)
        ++counted.accepted;
      return;
    }
    const auto& no = std::get<refusal>(result);
    if (no.code == errc::unavailable || no.code == errc::overloaded) {
      ++counted.unavailable;
    } else {
      ++counted.other;
      counted.example = std::string{to_string(no.code)} + ": " + no.detail;
    }
    again.push_back(event);
  }

  quiet_config configured;
  caf::actor_system system{configured};
  gateway_actor link;
  std::mt19937_64 random;
  std::uint64_t made = 0;
  std::deque<send_to_connector> again; ///< the worker's
  std::mutex mutex;                    ///< guards what follows
  counts counted;
  std::unordered_set<event_id> ids;
  std::atomic<bool> paused{false};
  std::atomic<bool> stopping{false};
  std::atomic<bool> idle{false};
  std::atomic<bool> ended{false};
  std::thread worker; ///< last
};

cluster_world::cluster_world(database how, std::size_t nodes, const cut_network* network,
                             std::vector<std::string> flags)
    : network_{network}, flags_{std::move(flags)}, primary_{std::make_unique<postgres_instance>()},
      standby_{std::make_unique<postgres_instance>(*primary_, "standby")},
      endpoint_{network == nullptr ? std::make_unique<event_receiver>()
                                   : std::make_unique<event_receiver>(
                                         peer_place{cut_network::address_of(cut_network::hub)})},
      nodes_(nodes), logs_(nodes) {
  if (network_ != nullptr)
    make_certificates();
  if (how == database::synchronous) {
    static_cast<void>(primary_->run("ALTER SYSTEM SET synchronous_standby_names = 'standby'"));
    static_cast<void>(primary_->run("SELECT pg_reload_conf()"));
    wait_until("the standby is synchronous", [&] {
      return primary_->run("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == "1";
    });
  }
  const auto key = folder_.file("secret.key", std::string(secret_box::key_bytes, 'k'));
  std::filesystem::permissions(key, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  const auto made = run_process({VICKET_PATH, "cluster", "init", "--cluster", "test", "--log", conninfo(),
                                 "--partitions", std::to_string(partitions), "--secret-key-file", key});
  if (made.code != 0)
    throw std::runtime_error{"the cluster can't be made: " + made.errors};
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    start_node(i);
  wait_for_owners();
  put_connectors();
  std::vector<std::string> places;
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    places.push_back(place_of(i));
  engine_ = std::make_unique<engine>(std::move(places), static_cast<std::uint64_t>(::getpid()));
}

cluster_world::~cluster_world() = default;

std::string cluster_world::name_of(std::size_t number) {
  return std::string(1, static_cast<char>('a' + number));
}

connector_id cluster_world::connector_number(std::size_t number) {
  return {connector_name(number)};
}

std::string cluster_world::socket_of(std::size_t number) const {
  return folder_.path() + "/" + name_of(number) + ".sock";
}

/// Whichever of the two takes writes.
std::string cluster_world::conninfo() const {
  const auto folder_of = [](const postgres_instance& of) {
    const auto text = of.conninfo();
    const auto begin = text.find("host=") + 5;
    return text.substr(begin, text.find(' ', begin) - begin);
  };
  return "host=" + folder_of(*primary_) + "," + folder_of(*standby_) +
         " port=5432,5432 user=vicket dbname=postgres target_session_attrs=read-write";
}

std::string cluster_world::database_run(const std::string& statement) const {
  return (promoted_ ? *standby_ : *primary_).run(statement);
}

// -- nodes ------------------------------------------------------------------------------------------------------------

/// A certificate for each host, and for the database.
void cluster_world::make_certificates() {
  const certificate_authority authority;
  static_cast<void>(folder_.file("ca.pem", authority.pem()));
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    certificate_request wanted;
    wanted.dns_names = {name_of(i) + ".nodes.test"};
    wanted.addresses = {cut_network::address_of(i)};
    const auto own = authority.issue(wanted);
    static_cast<void>(folder_.file(name_of(i) + ".pem", own.pem));
    static_cast<void>(folder_.file(name_of(i) + ".key", own.key_pem));
  }
  const auto hub = cut_network::address_of(cut_network::hub);
  certificate_request wanted;
  wanted.addresses = {hub};
  primary_->listen_on(hub, authority.issue(wanted));
}

std::vector<std::string> cluster_world::network_flags_of(std::size_t number) const {
  const auto file = folder_.path() + "/" + name_of(number);
  return {"--log",
          "host=" + cut_network::address_of(cut_network::hub) +
              " port=5432 user=vicket dbname=postgres sslmode=verify-full sslrootcert=" + folder_.path() +
              "/ca.pem",
          "--peer-listen",
          cut_network::address_of(number) + ":4243",
          "--tls-cert",
          file + ".pem",
          "--tls-key",
          file + ".key",
          "--tls-ca",
          folder_.path() + "/ca.pem",
          "--role",
          "*.nodes.test=peer",
          "--allow-cidr",
          "192.0.2.0/24"};
}

void cluster_world::start_node(std::size_t number, const std::vector<std::string>& more,
                               std::vector<std::string> environment) {
  const auto name = name_of(number);
  std::vector<std::string> command{VICKETD_PATH,
                                   "--data-dir",
                                   folder_.path() + "/" + name,
                                   "--cluster",
                                   "test",
                                   "--node-name",
                                   name,
                                   "--secret-key-file",
                                   folder_.path() + "/secret.key",
                                   "--listen",
                                   place_of(number),
                                   "--allow-http"};
  const auto add = [&](const std::vector<std::string>& flags) {
    command.insert(command.end(), flags.begin(), flags.end());
  };
  if (network_ != nullptr) {
    add(network_flags_of(number));
    command = network_->on(number, std::move(command));
  } else {
    add({"--log", conninfo(), "--peer-listen", "unix:" + folder_.path() + "/" + name + ".peer",
         "--allow-cidr", "127.0.0.0/8"});
  }
  add(flags_);
  add(more);
  nodes_[number] = std::make_unique<process>(std::move(command), std::move(environment));
  static_cast<void>(nodes_[number]->line_with("vicketd ready"));
}

void cluster_world::kill_node(std::size_t number) {
  nodes_[number]->signal(SIGKILL);
  static_cast<void>(nodes_[number]->wait());
  logs_[number] += nodes_[number]->errors();
  nodes_[number] = nullptr;
}

int cluster_world::stop_node(std::size_t number) {
  nodes_[number]->signal(SIGTERM);
  const auto code = nodes_[number]->wait();
  logs_[number] += nodes_[number]->errors();
  nodes_[number] = nullptr;
  return code;
}

void cluster_world::empty_node(std::size_t number) const {
  std::filesystem::remove_all(folder_.path() + "/" + name_of(number));
}

std::vector<std::string> cluster_world::unfinished_copies_of(std::size_t number) const {
  std::vector<std::string> names;
  for (const auto& each : std::filesystem::directory_iterator{folder_.path() + "/" + name_of(number)})
    if (each.path().extension() == ".new")
      names.push_back(each.path().filename());
  return names;
}

std::size_t cluster_world::said(std::size_t number, const std::string& part) const {
  const auto log = log_of(number);
  std::size_t times = 0;
  for (auto at = log.find(part); at != std::string::npos; at = log.find(part, at + part.size()))
    ++times;
  return times;
}

void cluster_world::wait_for_log(std::size_t number, const std::string& part, std::size_t times) const {
  wait_for("node " + name_of(number) + " says \"" + part + "\"", [&] { return said(number, part) >= times; });
}

void cluster_world::signal_node(std::size_t number, int signal) const {
  nodes_[number]->signal(signal);
}

std::string cluster_world::log_of(std::size_t number) const {
  return logs_[number] + (nodes_[number] ? nodes_[number]->errors() : std::string{});
}

std::vector<std::string> cluster_world::owners() const {
  return lines_of(
      database_run(
          "SELECT string_agg(coalesce(owner, ''), ',' ORDER BY partition) || ',' FROM vicket.partitions"),
      ',');
}

std::vector<std::uint64_t> cluster_world::epochs() const {
  std::vector<std::uint64_t> all;
  for (const auto& one :
       lines_of(database_run("SELECT string_agg(epoch::text, ',' ORDER BY partition) FROM vicket.partitions"),
                ','))
    all.push_back(std::stoull(one));
  return all;
}

std::vector<std::string> cluster_world::halted() const {
  return lines_of(
      database_run(
          "SELECT string_agg(coalesce(halted, ''), '|' ORDER BY partition) || '|' FROM vicket.partitions"),
      '|');
}

std::string cluster_world::said_by(std::vector<std::string> command, bool json) {
  command.insert(command.begin(), VICKET_PATH);
  if (json)
    command.emplace_back("--json");
  const auto said = run_process(command);
  if (said.code != 0)
    throw std::runtime_error{"a status ended with " + std::to_string(said.code) + ": " + said.errors};
  std::string text;
  for (const auto& line : said.lines)
    text += line + '\n';
  return text;
}

std::string cluster_world::status_of(std::size_t number, bool json) const {
  return said_by({"--node", place_of(number), "status"}, json);
}

std::string cluster_world::cluster_status(bool json) const {
  return said_by({"cluster", "status", "--log", conninfo()},
                 json); // at the hub, whatever the nodes' way to it
}

std::int64_t cluster_world::wait_for_status(const std::string& part, bool says) const {
  return wait_until("the status says \"" + part + "\", or does not any more",
                    [&] { return (cluster_status().find(part) != std::string::npos) == says; });
}

finished_process cluster_world::cluster_command(std::vector<std::string> words) const {
  words.insert(words.begin(), {VICKET_PATH, "cluster", "--log", conninfo()});
  return run_process(words);
}

finished_process cluster_world::outcomes_of(std::size_t number) const {
  return run_process({VICKET_PATH, "--node", place_of(number), "outcomes", "--json"});
}

std::size_t cluster_world::some_owner() const {
  for (const auto& owner : owners())
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      if (name_of(i) == owner && nodes_[i])
        return i;
  throw std::runtime_error{"no node owns anything"};
}

/// What the cluster's status was then is said with what did not come.
std::int64_t cluster_world::wait_for(const std::string& what, const std::function<bool()>& is_so) const {
  try {
    return wait_until(what, is_so);
  } catch (const std::runtime_error& why) {
    throw std::runtime_error{why.what() + ("\n" + cluster_status())};
  }
}

std::int64_t cluster_world::wait_for_owners(std::optional<std::size_t> except) {
  return wait_for("every partition has an owner", [&] {
    const auto all = owners();
    return all.size() == partitions + 1 && std::all_of(all.begin(), all.end(), [&](const std::string& owner) {
             for (std::size_t i = 0; i < nodes_.size(); ++i)
               if (name_of(i) == owner)
                 return nodes_[i] != nullptr && i != except;
             return false;
           });
  });
}

std::vector<std::size_t> cluster_world::followers_of(std::uint32_t partition) const {
  std::vector<std::size_t> found;
  const auto names =
      lines_of(database_run("SELECT string_agg(node, ',') FROM vicket.copies WHERE partition = " +
                            std::to_string(partition)),
               ',');
  const auto owner = owners().at(partition);
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    if (name_of(i) != owner && std::find(names.begin(), names.end(), name_of(i)) != names.end())
      found.push_back(i);
  return found;
}

void cluster_world::wait_for_copies() {
  wait_for("each partition is kept by two nodes", [&] {
    return database_run("SELECT string_agg(n::text, ',') FROM (SELECT count(*) FILTER (WHERE complete) * 10 "
                        "+ count(*) "
                        "AS n FROM vicket.copies WHERE partition < " +
                        std::to_string(partitions) + " GROUP BY partition ORDER BY partition) AS c") ==
           "22,22,22,22";
  });
}

void cluster_world::wait_for_balance() {
  wait_for("the nodes own about as many", [&] {
    std::map<std::string, std::size_t> owned;
    for (const auto& owner : owners())
      ++owned[owner];
    return owned.size() == nodes_.size() && !owned.contains("");
  });
}

// -- the database -----------------------------------------------------------------------------------------------------

void cluster_world::promote() {
  static_cast<void>(standby_->run("SELECT pg_promote()"));
  promoted_ = true;
}

void cluster_world::cut_standby_off() {
  static_cast<void>(standby_->run("ALTER SYSTEM SET primary_conninfo = ''"));
  static_cast<void>(standby_->run("SELECT pg_reload_conf()"));
  wait_until("the standby gets nothing more",
             [&] { return primary_->run("SELECT count(*) FROM pg_stat_replication") == "0"; });
}

// -- the engine -------------------------------------------------------------------------------------------------------

void cluster_world::put_connectors() {
  for (std::size_t i = 0; i < connectors; ++i) {
    const auto file =
        folder_.file("connector.json", R"({"id":")" + connector_name(i) + R"(","url":")" + endpoint_->url() +
                                           R"(","retry":{"base_ms":200,"cap_ms":1000}})");
    const auto put =
        run_process({VICKET_PATH, "--node", place_of(i % nodes_.size()), "connector", "put", file});
    if (put.code != 0)
      throw std::runtime_error{"a connector can't be put: " + put.errors};
  }
}

cluster_world::counts cluster_world::sent() const {
  const std::lock_guard lock{engine_->mutex};
  return engine_->counted;
}

std::int64_t cluster_world::wait_for_accepted(std::size_t more) {
  const auto wanted = sent().accepted + more;
  return wait_for(std::to_string(more) + " more events are accepted",
                  [&] { return sent().accepted >= wanted; });
}

void cluster_world::pause_engine() {
  engine_->paused = true;
}

void cluster_world::resume_engine() {
  engine_->paused = false;
}

void cluster_world::stop_engine() {
  engine_->stopping = true;
  engine_->paused = false;
  wait_until("all that was sent has a final answer", [&] { return engine_->idle.load(); });
}

// -- the end ----------------------------------------------------------------------------------------------------------

void cluster_world::wait_until_delivered() {
  std::vector<event_id> missing;
  {
    const std::lock_guard lock{engine_->mutex};
    missing.assign(engine_->ids.begin(), engine_->ids.end());
  }
  const auto began = steady::now();
  while (!missing.empty()) {
    std::erase_if(missing, [&](const event_id& id) { return endpoint_->has(id); });
    if (steady::now() - began > patience)
      throw std::runtime_error{std::to_string(missing.size()) +
                               " accepted events did not come within a minute, one of them " +
                               missing.front().to_string()};
    std::this_thread::sleep_for(look_again);
  }
}

std::size_t cluster_world::delivered_twice() const {
  const std::lock_guard lock{engine_->mutex};
  std::size_t found = 0;
  for (const auto& id : engine_->ids)
    if (endpoint_->times(id) > 1)
      ++found;
  return found;
}

std::vector<std::string> cluster_world::compare_what_nodes_show() const {
  std::vector<std::string> complaints;
  const std::lock_guard lock{engine_->mutex};
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (!nodes_[i])
      continue;
    link_options options;
    options.nodes = {place_of(i)};
    caf::scoped_actor self{engine_->system};
    const auto node = connect(engine_->system, options);
    std::unordered_set<event_id> delivered;
    read_outcomes request;
    request.limit = 1'000;
    const auto is_complete = [&] {
      return std::all_of(engine_->ids.begin(), engine_->ids.end(),
                         [&](const event_id& id) { return delivered.contains(id); });
    };
    const auto began = steady::now();
    request.wait_ms = 200; // a partition whose owner could not be reached a moment ago comes later
    for (bool more = true; more && !is_complete() && steady::now() - began < patience / 2;)
      self->request(node, patience, request)
          .receive(
              [&](const outcome_page& page) {
                if (!page.gap_cursor.empty())
                  complaints.push_back("node " + name_of(i) + " has a gap in its feed");
                for (const auto& entry : page.entries)
                  if (entry.value.result == outcome::delivered)
                    delivered.insert(entry.summary.id);
                request.cursor = page.cursor;
              },
              [&](const caf::error& why) {
                complaints.push_back("node " + name_of(i) +
                                     " does not show its feed: " + refusal_of(why).detail);
                more = false;
              });
    const auto missing = std::count_if(engine_->ids.begin(), engine_->ids.end(),
                                       [&](const event_id& id) { return !delivered.contains(id); });
    if (missing > 0)
      complaints.push_back("node " + name_of(i) + " does not show " + std::to_string(missing) +
                           " accepted events as delivered in its feed");
  }
  return complaints;
}

std::vector<std::string> cluster_world::compare_copies() const {
  std::vector<std::string> complaints;
  const auto box = std::make_shared<const secret_box>(secret_bytes{std::string(secret_box::key_bytes, 'k')});
  for (std::uint32_t partition = 0; partition < partitions; ++partition) {
    std::vector<std::unique_ptr<partition_store>> copies;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      store_options options;
      options.folder = folder_.path() + "/" + name_of(i) + "/partition-" + std::to_string(partition);
      options.follows = true;
      options.secrets = box;
      auto opened = partition_store::open(std::move(options));
      if (const auto* why = std::get_if<store_status>(&opened)) {
        complaints.push_back(why->detail);
        return complaints;
      }
      copies.push_back(std::get<0>(std::move(opened)));
    }
    // The last ones to stop have what the others did not read any more: a copy may be behind, but not other.
    for (std::size_t i = 1; i < copies.size(); ++i) {
      const auto& one = *copies[0];
      const auto& other = *copies[i];
      const auto end = std::min(one.committed_end(), other.committed_end());
      for (log_sequence at = std::max(one.oldest_kept(), other.oldest_kept()); at <= end; ++at) {
        const auto left = one.read_event(at, true);
        const auto right = other.read_event(at, true);
        if (left.has_value() != right.has_value() ||
            (left && (left->id != right->id || left->connector != right->connector ||
                      *left->envelope != *right->envelope || left->accepted_at != right->accepted_at))) {
          complaints.push_back("partition " + std::to_string(partition) + ": copies " + name_of(0) + " and " +
                               name_of(i) + " differ at position " + std::to_string(at));
          break;
        }
      }
      const auto attempts_of = [&](const partition_store& of) {
        std::vector<std::string> all;
        for (const auto& each : of.attempts_after(0, std::numeric_limits<std::size_t>::max(),
                                                  std::numeric_limits<std::size_t>::max()))
          if (each.sequence <= end)
            all.push_back(std::to_string(each.sequence) + " of " + std::to_string(each.event_sequence) + " " +
                          std::to_string(each.value.number) + " " +
                          std::to_string(each.value.status.value_or(0)));
        return all;
      };
      if (attempts_of(one) != attempts_of(other))
        complaints.push_back("partition " + std::to_string(partition) + ": the attempts of copies " +
                             name_of(0) + " and " + name_of(i) + " differ");
    }
  }
  return complaints;
}

} // namespace vicket::testing
