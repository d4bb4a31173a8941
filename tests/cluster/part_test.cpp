// A node's part in its cluster, with a store on a file system that can be full, beside another owner's log.

#include "cluster/cluster_part.hpp"
#include "cluster/log_position.hpp"
#include "cluster/record_codec.hpp"
#include "storage/store_copy.hpp"
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
  void list_copies(std::function<void(copies_answer)> done) override { done({true, copies}); }
  void tell_copies(const std::vector<copy>& own) override { told = own; }
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
  std::vector<copy> copies; ///< none: nobody has said who keeps the partition, so all do
  std::vector<copy> told;   ///< by b, last
};

/// Node b of two, which has one partition, and that of settings.
struct world {
  explicit world(const log_ages::limits& keep = {}) {
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
    joining.log_keep = keep;
    joining.random = &random;
    joining.log_info = joining.log_warning = [this](const std::string& line) { log.push_back(line); };
    joining.start = [this](auto partition, auto its_log, auto) {
      if (partition != 0)
        return;
      ++started;
      own_log = std::move(its_log);
    };
    joining.stop = [](auto, const auto& gone) { gone(); };
    joining.drain = [](auto, const auto& drained) { drained(); };
    joining.owner_is = [this](auto partition, const cluster_part::owner& is) {
      if (partition == 0)
        owner = is;
    };
    joining.take_checkpoint = [this](auto partition, const auto& node, const auto& addresses, auto opened,
                                     auto took) {
      REQUIRE(partition == 0);
      CHECK(addresses == node);
      asked.push_back(node);
      taking = {std::move(opened), std::move(took)};
    };
    joining.stop_taking = [this](auto) { ++stopped_taking; };
    joining.clear_store = [this](auto partition, const auto& done) {
      REQUIRE(partition == 0);
      ++cleared;
      done(store->clear());
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

  /// As the owner, with an event of so many bytes at random, which don't compress.
  void write_as_owner(std::size_t bytes) {
    auto header = store->last_round();
    header.epoch = store->epoch();
    ++header.number;
    stored_event event;
    event.sequence = header.next_sequence++;
    event.id = {{static_cast<std::uint8_t>(event.sequence)}};
    event.connector = {"crm"};
    std::string envelope(bytes, '\0');
    for (auto& each : envelope)
      each = static_cast<char>(random.next());
    event.envelope = std::make_shared<const std::string>(std::move(envelope));
    write_batch batch;
    batch.add_event(event, true);
    const sealed_round round{std::move(batch), header};
    bool done = false;
    own_log->append(round, [&](const store_status& status) { done = status.ok(); });
    run(500);
    REQUIRE(done);
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
  /// What a has, by hand: the node does that in a thread of its own.
  store_status take_what_a_has() {
    auto status = source->keep_position(encode(log_position{history, claim_owner{"a", 1}, {"a", "b"}}));
    if (status.ok())
      status = source->checkpoint("/checkpoint");
    auto from = outgoing_copy::open("/checkpoint", memory.get());
    auto to = store->begin_replacement();
    const auto& files = *std::get<0>(from);
    auto& copy = *std::get<0>(to);
    for (std::size_t i = 0; i < files.files().size(); ++i) {
      REQUIRE(copy.begin_file(files.files()[i].name).ok());
      REQUIRE(copy.append(std::get<0>(files.read(i, 0, 1u << 30))).ok());
      REQUIRE(copy.end_file().ok());
    }
    REQUIRE(std::holds_alternative<std::string>(copy.finish()));
    to = store_status{};
    return store->replace();
  }
  [[nodiscard]] member_table::copy told_of(std::uint32_t partition) const {
    for (const auto& each : members.told)
      if (each.partition == partition)
        return each;
    return {};
  }

  struct asked_checkpoint {
    std::function<void(std::uint64_t)> opened;
    std::function<void(const store_status&)> took;
  };
  std::vector<std::string> asked; ///< nodes, for checkpoints of partition 0
  asked_checkpoint taking;        ///< the last one
  int stopped_taking = 0;
  int cleared = 0;
  int started = 0;
  std::unique_ptr<round_log> own_log; ///< of partition 0
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

TEST_CASE("an owner trims what is old and no copy needs, and puts out who is too far behind") {
  world w{{10'000, 2'000'000}};
  w.members.copies = {{0, "a", 3, true}, {0, "b", 0, true}};
  w.run(30'000);
  REQUIRE(w.started == 1);
  const auto last = [&] { return w.database.rows(0).rbegin()->first; };
  const auto first = [&] { return w.database.rows(0).begin()->first; };
  CHECK(first() == 3); // all that a has synced, which is there
  REQUIRE(last() > 20);

  w.members.copies.front().synced_to = last();
  w.run(cluster_part::trim_ms + 15'000);
  CHECK(first() > 10);
  CHECK(last() - first() >= 10); // ten seconds, an empty round each
  CHECK(w.database.trimmed_to(0) == first());

  const auto needed = w.members.copies.front().synced_to;
  w.run(60'000);
  CHECK(first() == needed); // the second-last copy, however far behind
  w.members.others.clear(); // it is gone
  w.run(60'000);
  CHECK(first() == needed);

  // But for more bytes than are kept.
  for (int i = 0; i < 30; ++i)
    w.write_as_owner(100'000);
  w.run(20'000);
  CHECK(std::find(w.log.begin(), w.log.end(), "partition 0 is to be kept by b") != w.log.end());
  CHECK(first() > needed);
}

namespace {

/// The log of a: a claim and ten rounds, of which those below record 8 are trimmed.
void write_and_trim(world& w) {
  w.write(record_kind::claim, "a/1");
  for (int i = 0; i < 10; ++i)
    w.write_round(1'000);
  w.table.note_owner(0, "a", 2, [](bool) {});
  w.table.trim(0, 2, 8, [](bool) {});
  w.database.let_all_happen();
}

} // namespace

TEST_CASE("who needs what was trimmed says so first, then takes a checkpoint of who has all, and follows") {
  world w{{10'000, 2'000'000}};
  write_and_trim(w);
  const auto beats = [&] { w.write(record_kind::round, {}); };
  // Of an earlier life, with another disk.
  w.members.copies = {{0, "a", 10, true}, {0, "b", 11, true}};
  w.run(5'000, beats);
  CHECK(w.asked.empty());
  CHECK_FALSE(w.it->follows(0));
  CHECK_FALSE(w.told_of(0).complete);
  CHECK(w.told_of(0).synced_to == 8);

  w.members.copies[1] = w.told_of(0);
  w.run(2'000, beats);
  REQUIRE(w.asked == std::vector<std::string>{"a"});
  w.taking.opened(12);
  w.run(2'000, beats);
  CHECK(w.told_of(0).synced_to == 12);
  w.taking.took({store_errc::away, "the link was cut"});
  w.run(500, beats);
  CHECK(w.row().wrong == "partition 0 is not followed: no checkpoint came from a: the link was cut");
  w.members.copies[1].synced_to = 12; // as it was told
  w.run(2'000, beats);
  CHECK(w.asked.size() == 1);
  CHECK(w.told_of(0).synced_to == 8); // once more all of it
  w.members.copies[1] = w.told_of(0);
  w.run(5'000, beats);
  REQUIRE(w.asked == std::vector<std::string>{"a", "a"});
  CHECK(w.row().wrong.empty());

  w.write_round(1'000);
  const auto how = w.take_what_a_has();
  CHECK(how.ok());
  w.write_round(1'000);
  w.taking.took(how);
  w.run(2'000, beats);
  CHECK(w.follows_all());
  CHECK(w.it->follows(0));
  CHECK(w.told_of(0).complete);
  CHECK(w.asked.size() == 2);
  CHECK(w.stopped_taking == 0);
}

TEST_CASE("a checkpoint for what the node is to keep no more is broken off") {
  world w;
  write_and_trim(w);
  const auto beats = [&] { w.write(record_kind::round, {}); };
  w.members.copies = {{0, "a", 10, true}, {0, "b", 0, false}};
  w.run(5'000, beats);
  REQUIRE(w.asked.size() == 1);
  w.members.copies = {{0, "a", 10, true}, {0, "c", 0, false}};
  w.run(2'000, beats);
  CHECK(w.stopped_taking > 0);
  w.taking.took({store_errc::away, "it was broken off"});
  w.run(20'000, beats);
  CHECK(w.asked.size() == 1);
  CHECK_FALSE(w.it->follows(0));
  CHECK(w.row().wrong.empty());
}

TEST_CASE("a node deletes what it read that others keep, when these are past that") {
  world w{{10'000, 2'000'000}};
  w.members.add("c");
  w.write(record_kind::claim, "a/1");
  w.write_round(1'000);
  w.members.copies = {{0, "a", 0, true}, {0, "b", 0, true}};
  const auto beats = [&] { w.write(record_kind::round, {}); };
  w.run(1'000, beats);
  REQUIRE(w.follows_all());
  w.write(record_kind::copies, "a,c");
  const auto out_at = w.history.last().number;
  w.members.copies = {{0, "a", out_at - 1, true}, {0, "c", 0, false}};
  w.run(1'000, beats);
  CHECK_FALSE(w.it->follows(0));
  w.run(30'000, beats);
  CHECK(w.cleared == 0); // a has not synced that yet
  w.members.copies = {{0, "a", out_at + 1'000, false}, {0, "c", out_at - 1, true}};
  w.run(3'000, beats);
  CHECK(w.cleared == 0); // nor has c, which says that it has all
  w.members.copies = {{0, "a", out_at + 1'000, true}, {0, "c", 0, false}};
  w.run(3'000, beats);
  CHECK(w.cleared == 1);
  CHECK(w.store->position().empty());
  w.run(30'000, beats);
  CHECK(w.cleared == 1);
  CHECK_FALSE(w.it->follows(0));

  // And begins anew when it is to keep it again.
  w.members.copies = {{0, "a", out_at + 1'000, true}, {0, "b", 0, false}};
  w.write(record_kind::copies, "a,b");
  w.run(5'000, beats);
  CHECK(w.it->follows(0));
  CHECK(w.follows_all());
}
