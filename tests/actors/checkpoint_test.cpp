// A checkpoint goes from one node's store to another's, piece by piece, and what may befall it on the way.

#include "actors/checkpoint_source.hpp"
#include "actors/checkpoint_taker.hpp"
#include "policy/sha256.hpp"
#include "storage/partition_store.hpp"
#include "storage/testing/environments.hpp"
#include "storage/write_batch.hpp"
#include "tests/actors/scripted_partition.hpp"
#include "tests/support/seeded_random.hpp"

#include <caf/send.hpp>
#include <catch2/catch_test_macros.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace vicket;
using namespace vicket::testing;
using namespace std::chrono_literals;

namespace {

struct checkpoint_world : scripted_system {
  static constexpr std::uint64_t at_once = 1'000'000'000'000'000;

  checkpoint_world() {
    for (int i = 0; i < 40; ++i)
      write(*source_store, "there");
    write(*target_store, "here");
    source = system().spawn<actor_of<checkpoint_source>>(
        checkpoint_source::setup{{source_store}, "/checkpoints", source_disk.get()});
    tell(source, lend_checkpoints{[this](auto partition, const auto& to, auto done) {
           CHECK(partition == 0);
           if (lends)
             if (const auto made = source_store->checkpoint(to); made.ok())
               done(std::uint64_t{41});
             else
               done(made);
           else
             done(store_status{store_errc::foreign, "no copy that is of use"});
         }});
  }
  ~checkpoint_world() {
    caf::anon_send_exit(source, caf::exit_reason::user_shutdown);
    if (taker)
      caf::anon_send_exit(taker, caf::exit_reason::user_shutdown);
    run();
  }

  static std::shared_ptr<partition_store> open(store_environment& on, const char* folder) {
    store_options options;
    options.folder = folder;
    options.environment = &on;
    options.follows = true;
    options.write_buffer_bytes = 64 * 1024;
    auto opened = partition_store::open(std::move(options));
    REQUIRE(std::holds_alternative<std::unique_ptr<partition_store>>(opened));
    return std::get<0>(std::move(opened));
  }
  void write(partition_store& store, const std::string& position) {
    auto header = store.last_round();
    ++header.number;
    stored_event event;
    event.sequence = header.next_sequence++;
    event.id = {{static_cast<std::uint8_t>(event.sequence)}};
    event.connector = {"crm"};
    std::string envelope(100'000, '\0'); // which can't be compressed
    for (auto& each : envelope)
      each = static_cast<char>(random.next());
    event.envelope = std::make_shared<const std::string>(std::move(envelope));
    write_batch batch;
    batch.add_event(event, true);
    REQUIRE(store.apply({std::move(batch), header}, partition_store::durability::unsynced, position).ok());
  }

  void take(const peer_actor& from, std::uint64_t bytes_per_second = at_once) {
    checkpoint_taker::setup taking;
    taking.store = target_store;
    taking.from = from;
    taking.bytes_per_second = bytes_per_second;
    taking.opened = [this](std::uint64_t record) { opened = record; };
    taking.done = [this](const store_status& how) { ended.push_back(how); };
    taker = system().spawn<actor_of<checkpoint_taker>>(std::move(taking));
    run();
  }

  /// Asks the source for what the script was asked for; `change`: of its answer.
  void pass_on(
      scripted_peer& script,
      const std::function<void(checkpoint_bytes&)>& change = [](checkpoint_bytes&) {}) {
    while (!script.opened.waiting.empty() || !script.pieces.waiting.empty()) {
      if (!script.opened.waiting.empty()) {
        auto asked = script.opened.take();
        asked.promise.deliver(value(ask<opened_checkpoint>(source, asked.request)));
      } else {
        auto asked = script.pieces.take();
        auto piece = value(ask<checkpoint_bytes>(source, asked.request));
        change(piece);
        asked.promise.deliver(std::move(piece));
      }
      run();
    }
  }

  [[nodiscard]] bool is_as_before() const {
    return target_store->position() == "here" && target_store->last_round().number == 2 &&
           target_store->read_event(1, true).has_value();
  }
  [[nodiscard]] bool is_taken() const {
    return target_store->position() == "there" && target_store->last_round() == source_store->last_round() &&
           target_store->read_event(40, true).has_value();
  }

  seeded_random random{1};
  std::unique_ptr<store_environment> source_disk = make_memory_environment();
  std::unique_ptr<store_environment> target_disk = make_memory_environment();
  std::shared_ptr<partition_store> source_store = open(*source_disk, "/source");
  std::shared_ptr<partition_store> target_store = open(*target_disk, "/target");
  checkpoint_source_actor source;
  checkpoint_taker_actor taker;
  bool lends = true;
  std::uint64_t opened = 0;
  std::vector<store_status> ended;
};

} // namespace

TEST_CASE("a store gets what another node's has, and the other node keeps nothing for it", "[checkpoint]") {
  checkpoint_world w;
  const auto script = std::make_shared<scripted_peer>();
  w.take(w.peer(script));
  w.pass_on(*script);
  REQUIRE(w.ended.size() == 1);
  INFO(w.ended.front().detail);
  CHECK(w.ended.front().ok());
  CHECK(w.opened == 41);
  CHECK(w.is_taken());
  CHECK(script->pieces.count > 4); // 4 MB, and small files
  REQUIRE(script->closed.waiting.size() == 1);
  const auto id = script->closed.take().request.id;
  CHECK(no(w.ask<checkpoint_bytes>(w.source, read_checkpoint{id, 1'000, 0})).code == errc::not_found);
  w.tell(w.source, close_checkpoint{id});
  CHECK(no(w.ask<checkpoint_bytes>(w.source, read_checkpoint{id, 0, 0})).detail.find("is not open") !=
        std::string::npos);
}

TEST_CASE("pieces come no faster than they may", "[checkpoint]") {
  checkpoint_world w;
  const auto script = std::make_shared<scripted_peer>();
  w.take(w.peer(script), 1'000'000);
  w.pass_on(*script);
  CHECK(w.ended.empty());
  for (int i = 0; i < 20; ++i) {
    w.advance(100ms);
    w.pass_on(*script);
  }
  CHECK(w.ended.empty()); // 2 s for 4 MB
  for (int i = 0; i < 40; ++i) {
    w.advance(100ms);
    w.pass_on(*script);
  }
  REQUIRE(w.ended.size() == 1);
  CHECK(w.is_taken());
}

TEST_CASE("what comes damaged, short or not at all leaves the store as it was", "[checkpoint]") {
  checkpoint_world w;
  const auto script = std::make_shared<scripted_peer>();
  const auto other = w.peer(script);
  const std::vector<std::function<void(checkpoint_bytes&)>> damages{
      [](checkpoint_bytes& piece) { piece.bytes.front() ^= 1; },
      [](checkpoint_bytes& piece) {
        piece.bytes.pop_back();
        piece.sha256 = sha256(piece.bytes);
      },
      [](checkpoint_bytes& piece) { piece.sha256.clear(); },
  };
  for (const auto& damage : damages) {
    w.take(other);
    w.pass_on(*script, damage);
    CHECK(w.ended.back().code == store_errc::corrupt);
    CHECK(w.is_as_before());
    w.tell(w.source, script->closed.take().request);
  }
  w.take(other);
  script->opened.take().promise.deliver(make_refusal(errc::unavailable, "the link was cut"));
  w.run();
  CHECK(w.ended.back().detail == "the link was cut");
  w.take(other);
  auto opened = script->opened.take();
  opened.promise.deliver(opened_checkpoint{7, 7, {{"../escaped", 3}}});
  w.run();
  CHECK_FALSE(w.ended.back().ok());
  w.take(other);
  opened = script->opened.take();
  opened.promise.deliver(opened_checkpoint{7, 7, {}});
  w.run();
  CHECK(w.ended.back().code == store_errc::foreign);
  w.take(other);
  CHECK(script->opened.waiting.size() == 1);
  caf::anon_send_exit(w.taker, caf::exit_reason::user_shutdown); // it need not be taken any more
  w.run();
  CHECK(w.ended.size() == 7);
  CHECK(w.ended.back().code == store_errc::away);
  CHECK(w.is_as_before());
}

TEST_CASE("so many checkpoints are open, and one that nobody reads is closed after a minute",
          "[checkpoint]") {
  checkpoint_world w;
  const auto first = value(w.ask<opened_checkpoint>(w.source, open_checkpoint{0}));
  const auto second = value(w.ask<opened_checkpoint>(w.source, open_checkpoint{0}));
  CHECK(first.record == 41);
  CHECK(first.files.size() > 3);
  CHECK(no(w.ask<opened_checkpoint>(w.source, open_checkpoint{0})).code == errc::overloaded);
  w.advance(40'000ms);
  CHECK_FALSE(value(w.ask<checkpoint_bytes>(w.source, read_checkpoint{first.id, 0, 0})).bytes.empty());
  w.advance(30'000ms);
  CHECK(no(w.ask<checkpoint_bytes>(w.source, read_checkpoint{second.id, 0, 0})).code == errc::not_found);
  CHECK_FALSE(value(w.ask<checkpoint_bytes>(w.source, read_checkpoint{first.id, 0, 0})).bytes.empty());
  CHECK(w.ask<opened_checkpoint>(w.source, open_checkpoint{0})());
}

TEST_CASE("a node that has no copy of use says so", "[checkpoint]") {
  checkpoint_world w;
  CHECK(no(w.ask<opened_checkpoint>(w.source, open_checkpoint{1})).code == errc::not_owner);
  w.lends = false;
  for (int i = 0; i < 3; ++i) // none of them stays open
    CHECK(no(w.ask<opened_checkpoint>(w.source, open_checkpoint{0})).code == errc::not_owner);
}
