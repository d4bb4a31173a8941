// The form in which rounds travel, and the order in which a store takes them.

#include "store_fixture.hpp"

#include "storage/round_log.hpp"

#include <string>

using namespace vicket;
using namespace vicket::test;

namespace {

stored_event small_event(log_sequence sequence) {
  auto event = stored_event{};
  event.sequence = sequence;
  event.id = event_id::parse("9f2c1b7e-0102-4304-8506-0708090a0b0c").value();
  event.connector = {"crm"};
  event.event = "a.b";
  event.accepted_at = noon;
  event.envelope = std::make_shared<const std::string>("{}");
  return event;
}

sealed_round round_with(log_sequence sequence, round_header header) {
  auto batch = write_batch{};
  batch.add_event(small_event(sequence), false);
  return {std::move(batch), header};
}

constexpr auto synced = partition_store::durability::synced;

} // namespace

TEST_CASE("a round travels as these bytes") {
  const auto round = round_with(258, {7, 2, 259, 258, 1});
  CHECK(hex(round.bytes()) == "0000000000000000" // RocksDB's sequence number, set when it is applied
                              "03000000"         // three writes
                              "0501"             // put into family 1, events
                              "080000000000000102"
                              "25"
                              "01"
                              "9f2c1b7e01024304850607"
                              "08090a0b0c"
                              "8000019e54b4de00"
                              "0363726d"
                              "03612e62"
                              "00"
                              "00"
                              "7b7d"
                              "0505" // family 5, ids
                              "13"
                              "9f2c1b7e01024304850607"
                              "08090a0b0c"
                              "63726d"
                              "080000000000000102"
                              "01" // family 0: the commit record
                              "06636f6d6d6974"
                              "29"
                              "01"
                              "0000000000000007"
                              "0000000000000002"
                              "0000000000000103"
                              "0000000000000102"
                              "0000000000000001");
}

TEST_CASE("a round that was read out is applied elsewhere, and what it built is the same") {
  auto environment = make_memory_environment();
  auto owner = open_store(small_options(environment.get(), "/owner"));
  auto copy = open_store(small_options(environment.get(), "/copy"));
  auto log = local_log{*owner};
  for (auto i = 0; i < 3; ++i) {
    auto header = owner->last_round();
    ++header.number;
    const auto sequence = header.next_sequence++;
    header.settled_below = header.next_sequence;
    auto batch = write_batch{};
    batch.add_event(event_of(sequence), true);
    const auto round = sealed_round{std::move(batch), header};
    auto status = store_status{store_errc::failed, "no answer"};
    log.append(round, [&](const store_status& came) { status = came; });
    REQUIRE(status.ok());
    auto read_out = sealed_round::parse(std::string{round.bytes()});
    REQUIRE(read_out.has_value());
    CHECK(read_out->header() == header);
    REQUIRE(copy->apply(*read_out, partition_store::durability::unsynced).ok());
    CHECK(copy->last_round() == owner->last_round());
    require_same(copy->read_event(sequence, true).value(), owner->read_event(sequence, true).value());
  }
  CHECK(all_waiting(*copy, "crm-prod").size() == 3);
}

TEST_CASE("a round is taken only after the one before it") {
  auto environment = make_memory_environment();
  auto store = open_store(small_options(environment.get()));
  const auto last = store->last_round();
  const auto next = [&] {
    auto header = last;
    ++header.number;
    header.next_sequence += 1;
    return header;
  };
  struct refusal_case {
    const char* what;
    round_header header;
  };
  auto again = next();
  again.number = last.number;
  auto skips = next();
  ++skips.number;
  auto deposed = next();
  deposed.epoch = last.epoch - 1;
  auto back = next();
  back.next_sequence = last.next_sequence - 1;
  for (const auto& [what, header] : {refusal_case{"the same number again", again},
                                     {"a number left out", skips},
                                     {"an older epoch", deposed},
                                     {"a log that goes back", back}}) {
    INFO(what);
    CHECK(store->apply(round_with(last.next_sequence, header), synced).code == store_errc::foreign);
    CHECK(store->last_round() == last);
    CHECK(!store->read_event(last.next_sequence, false));
  }
  CHECK(store->apply(round_with(last.next_sequence, next()), synced).ok());
  CHECK(store->last_round() == next());
}

TEST_CASE("bytes that are no round are not taken for one") {
  const auto bytes = std::string{round_with(258, {7, 2, 259, 258, 1}).bytes()};
  for (auto size = std::size_t{0}; size < bytes.size(); ++size)
    CHECK(!sealed_round::parse(bytes.substr(0, size)));
  CHECK(!sealed_round::parse(bytes + "x"));
  auto unknown_family = bytes;
  unknown_family[13] = 77;
  CHECK(!sealed_round::parse(unknown_family));
}
