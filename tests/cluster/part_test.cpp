// A node's part in its cluster, with a store on a file system that can be full, beside another owner's log.

#include "cluster/cluster_part.hpp"
#include "cluster/log_position.hpp"
#include "cluster/record_codec.hpp"
#include "storage/testing/environments.hpp"
#include "storage/write_batch.hpp"
#include "tests/cluster/simulated_table.hpp"
#include "tests/support/seeded_random.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace vicket;
using namespace vicket::testing;

namespace {

constexpr const char* uuid = "0191c0de-0000-4000-8000-000000000000";
constexpr store_environment::volume much_room{std::uint64_t{1} << 40, std::uint64_t{1} << 40};

std::shared_ptr<const secret_box> the_key() {
  static const auto box =
      std::make_shared<const secret_box>(secret_bytes{std::string(secret_box::key_bytes, 'k')});
  return box;
}

/// The table of members, which answers at once.
class known_members final : public member_table {
public:
  void enter(const member& self, std::function<void(enter_answer)> done) override {
    auto& row = rows[self.node];
    static_cast<member&>(row) = self;
    row.timeline = timeline;
    ++row.incarnation;
    done({true, row.incarnation, {}});
  }
  void beat(const member& self, std::uint64_t, std::function<void(beat_answer)> done) override {
    auto& row = rows[self.node];
    static_cast<member&>(row) = self;
    ++row.beats;
    done({true, false, {}});
  }
  void list(std::function<void(list_answer)> done) override {
    list_answer all;
    all.answered = true;
    for (auto& [name, row] : rows) {
      if (others.contains(name))
        ++row.beats;
      all.rows.push_back(row);
    }
    done(std::move(all));
  }
  /// Nobody has said who keeps the partition, so all do.
  void list_copies(std::function<void(copies_answer)> done) override { done({true, {}}); }
  void tell_copies(const std::vector<copy>&) override {}
  void note_copies(std::uint32_t, std::uint64_t, const std::vector<std::string>&) override {}
  /// Another one, that is there all the time.
  void add(const std::string& node) {
    others.insert(node);
    auto& row = rows[node];
    row.node = row.addresses = node;
    row.incarnation = 1;
    row.timeline = row.looked_at = timeline;
  }

  static constexpr std::uint64_t timeline = 1; ///< of the one server

  std::map<std::string, member_row> rows;
  std::set<std::string> others;
};

/// Node b of two, which has one partition, and that of settings.
struct world {
  world() {
    disk.set_volume(much_room);
    members.add("a");
    store = open(disk, "/b");
    write(record_kind::genesis, {});
    begin_settings();
    cluster_part::setup joining;
    joining.table = &table;
    joining.members = &members;
    joining.now_ms = [this] { return now; };
    joining.wait = [this](std::int64_t ms, auto then) { waiting.emplace(now + ms, std::move(then)); };
    joining.post = [this](auto work) { posted.push_back(std::move(work)); };
    joining.uuid = uuid;
    joining.key = the_key();
    joining.self.node = "b";
    joining.stores = {store, open(*memory, "/settings")};
    joining.settings_fresh = std::make_shared<start_permit>([this] { return now; });
    joining.random = &random;
    joining.log_info = joining.log_warning = [this](const std::string& line) { log.push_back(line); };
    joining.start = [this](auto partition, auto, auto) { started += partition == 0; };
    joining.stop = [](auto, const auto& gone) { gone(); };
    joining.drain = [](auto, const auto& drained) { drained(); };
    joining.owner_is = [this](auto partition, const cluster_part::owner& is) {
      if (partition == 0)
        owner = is;
    };
    joining.replaced = [] { FAIL("replaced"); };
    it = std::make_unique<cluster_part>(std::move(joining));
  }
  ~world() { it = nullptr; }

  static std::shared_ptr<partition_store> open(store_environment& on, const char* folder) {
    store_options options;
    options.folder = folder;
    options.environment = &on;
    options.follows = true;
    options.secrets = the_key();
    options.write_buffer_bytes = 64 * 1024;
    auto opened = partition_store::open(std::move(options));
    REQUIRE(std::holds_alternative<std::unique_ptr<partition_store>>(opened));
    return std::get<0>(std::move(opened));
  }

  void begin_settings() {
    const record_head head{1, 1, 1, record_kind::genesis, 0};
    log_row row{head, {}, record_codec{the_key(), uuid}.seal(head, {}, {})};
    row.digest = digest_of({}, head, row.body);
    table.append(row, {}, false, [](const auto&) {});
    database.let_all_happen();
  }
  /// A record of another owner.
  void write(record_kind kind, std::string_view body) {
    const auto before = history.digest();
    const auto head =
        history.empty() ? record_head{0, 1, 1, kind, 0} : history.next(kind, history.last().number);
    log_row row{head, {}, record_codec{the_key(), uuid}.seal(head, before, body)};
    row.digest = digest_of(before, head, row.body);
    REQUIRE(history.take(row.head, row.digest, row.body) == "");
    table.append(row, before, false, [](const auto&) {});
    database.let_all_happen();
  }
  /// With an event of so many bytes.
  void write_round(std::size_t bytes) {
    auto header = source->last_round();
    header.epoch = history.last().epoch;
    ++header.number;
    stored_event event;
    event.sequence = header.next_sequence++;
    event.id = {{static_cast<std::uint8_t>(event.sequence)}};
    event.connector = {"crm"};
    event.envelope = std::make_shared<const std::string>(bytes, 'x');
    write_batch batch;
    batch.add_event(event, true);
    const sealed_round round{std::move(batch), header};
    REQUIRE(source->apply(round, partition_store::durability::unsynced).ok());
    write(record_kind::round, round.bytes());
  }

  /// `each`: every 100 ms.
  void run(
      std::int64_t ms, const std::function<void()>& each = [] {}) {
    for (const auto until = now + ms; now < until;) {
      now += cluster_part::beat_ms;
      each();
      while (!waiting.empty() && waiting.begin()->first <= now) {
        const auto then = std::move(waiting.begin()->second);
        waiting.erase(waiting.begin());
        then();
      }
      it->tick();
      while (database.under_way() > 0 || !posted.empty()) {
        database.let_all_happen();
        for (const auto& work : std::exchange(posted, {}))
          work();
      }
    }
  }

  [[nodiscard]] bool follows_all() const { return store->last_round() == source->last_round(); }
  [[nodiscard]] const member_row& row() { return members.rows["b"]; }

  std::int64_t now = 1'000'000;
  faulty_environment disk;
  std::unique_ptr<store_environment> memory = make_memory_environment();
  std::shared_ptr<partition_store> source = open(*memory, "/a"); ///< what the log has
  std::shared_ptr<partition_store> store;
  simulated_database database;
  simulated_table table{database};
  known_members members;
  log_history history;
  seeded_random random{1};
  std::multimap<std::int64_t, std::function<void()>> waiting;
  std::vector<std::function<void()>> posted;
  std::vector<std::string> log;
  int started = 0;
  cluster_part::owner owner;
  std::unique_ptr<cluster_part> it;
};

} // namespace

TEST_CASE("who follows on a full disk says so, owns nothing, and goes on when there is room") {
  world w;
  w.write(record_kind::claim, "a/1");
  w.write_round(1'000);
  const auto beats = [&] { w.write(record_kind::round, {}); };
  w.run(1'000, beats);
  REQUIRE(w.follows_all());
  CHECK(w.owner.node == "a");
  CHECK(w.row().state == member::up);

  w.disk.fill_disk_after(2'000);
  w.write_round(100'000);
  w.run(2'000, beats);
  CHECK_FALSE(w.follows_all());
  CHECK(w.row().state == member::stalled);
  CHECK(w.row().wrong.find("partition 0 is not followed, until there is room: no space left") == 0);
  CHECK(std::count_if(w.log.begin(), w.log.end(), [](const std::string& line) {
          return line.find("is neither followed nor owned here, until there is room") != std::string::npos;
        }) == 1);
  // Whoever else owns it is known, and when nobody does, this is not the one.
  w.write(record_kind::claim, "c/4");
  w.run(20'000);
  CHECK(w.owner.node == "c");
  CHECK(w.it->permit_of(0) == nullptr);
  CHECK(w.it->trouble_of(0).empty());

  w.disk.set_volume(much_room);
  w.disk.free_disk();
  w.run(10'000, beats);
  CHECK(w.follows_all());
  CHECK(w.row().state == member::up);
  CHECK(w.row().wrong.empty());
  CHECK(w.owner.node == "c");
}

TEST_CASE("an owner whose disk is full lets go, and owns again when there is room") {
  world w;
  w.run(10'000);
  REQUIRE(w.started == 1);
  REQUIRE(w.it->permit_of(0));
  const auto permit = w.it->permit_of(0);
  w.disk.fill_disk_after(0);
  w.run(cluster_part::sync_ms + 1'000); // what it keeps of its place in the log does not fit
  CHECK_FALSE(permit->holds());
  CHECK(w.it->permit_of(0) == nullptr);
  REQUIRE(w.database.rows(0).rbegin()->second.head.kind == record_kind::yield);
  w.run(20'000);
  CHECK(w.database.rows(0).rbegin()->second.head.kind == record_kind::yield);
  w.disk.set_volume(much_room);
  w.disk.free_disk();
  w.run(20'000);
  CHECK(w.started == 2);
  CHECK(w.it->permit_of(0));
}

TEST_CASE("a store that failed is not tried again, and that is said") {
  world w;
  w.write(record_kind::claim, "a/1");
  w.write_round(1'000);
  w.run(1'000);
  w.disk.fill_disk_after(0, faulty_environment::fault::broken);
  w.write_round(100'000);
  w.run(1'000);
  w.disk.free_disk();
  w.run(20'000);
  CHECK_FALSE(w.follows_all());
  CHECK_FALSE(w.it->trouble_of(0).empty());
  CHECK(w.row().state == member::stalled);
  CHECK(w.row().wrong.find("partition 0 is not followed, until the node is started again: ") == 0);
}
