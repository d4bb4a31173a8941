#include "bench/harness/delivery_ledger.hpp"

#include "policy/envelope.hpp"

#include <catch2/catch_test_macros.hpp>

#include <stdexcept>
#include <string>
#include <variant>

namespace vicket::bench {

namespace {

constexpr std::uint32_t events = 100;

arrival delivery_of(const event_source& source, std::uint32_t index) {
  arrival request;
  request.id = source.id(index).bytes;
  request.status = 200;
  request.signature = arrival::genuine;
  return request;
}

/// All were promised and delivered once.
struct filled_ledger {
  event_source source{7, {{"c-0"}, {"c-1"}}};
  delivery_ledger ledger{source};

  filled_ledger() {
    for (std::uint32_t i = 0; i < events; ++i) {
      ledger.promised(i);
      if (i != 42) // for the tests
        ledger.arrived(delivery_of(source, i));
    }
  }
};

} // namespace

TEST_CASE("A run in which every event is delivered once is without violations", "[ledger]") {
  filled_ledger run;
  run.ledger.arrived(delivery_of(run.source, 42));
  CHECK(run.ledger.violations().empty());
  CHECK(run.ledger.delivered_count() == events);
  CHECK(run.ledger.checked_count() == events);
}

TEST_CASE("An event that was accepted and never came is a violation that names it", "[ledger]") {
  filled_ledger run;
  auto failed = delivery_of(run.source, 42);
  failed.status = 500; // an attempt is no delivery
  run.ledger.arrived(failed);
  REQUIRE(run.ledger.violations().size() == 1);
  CHECK(run.ledger.violations()[0].find(run.source.id(42).to_string()) != std::string::npos);
}

TEST_CASE("An event that came twice is a violation, unless a fault was injected", "[ledger]") {
  filled_ledger run;
  run.ledger.arrived(delivery_of(run.source, 42));
  run.ledger.arrived(delivery_of(run.source, 42));
  CHECK(run.ledger.violations().size() == 1);
  CHECK(run.ledger.violations(true).empty());
}

TEST_CASE("A wrong signature, an unknown id and an event that nobody accepted are violations", "[ledger]") {
  filled_ledger run;
  auto forged = delivery_of(run.source, 42);
  forged.signature = arrival::forged;
  run.ledger.arrived(forged);
  CHECK(run.ledger.violations().size() == 1);
  const event_source other{8, {{"c-0"}}};
  run.ledger.arrived(delivery_of(other, 1));
  CHECK(run.ledger.violations().size() == 2);
  run.ledger.arrived(delivery_of(run.source, events));
  CHECK(run.ledger.violations().size() == 3);
}

TEST_CASE("An event's index is found in its id, whichever way ids are made", "[event-source]") {
  for (const auto kind : {id_kind::time_ordered, id_kind::random}) {
    const event_source source{9, {{"c-0"}}, kind};
    for (const std::uint32_t index : {0u, 1u, 63u, 64u, 65'536u, 4'294'967'295u})
      CHECK(source.index_of(source.id(index)) == index);
  }
}

TEST_CASE("An event's envelope has the length that its source was made for", "[event-source]") {
  for (const std::size_t bytes : {std::size_t{500}, std::size_t{4'096}, std::size_t{256} << 10}) {
    const event_source source{9, {{"c-0"}}, id_kind::time_ordered, 0, bytes};
    for (const std::uint32_t index : {0u, 1u, 4'294'967'295u}) {
      const auto composed = compose_envelope(source.event(index), source.id(index), bytes);
      REQUIRE(std::holds_alternative<std::string>(composed));
      CHECK(std::get<std::string>(composed).size() == bytes);
    }
  }
}

TEST_CASE("A source of events shorter than what they carry is refused", "[event-source]") {
  CHECK_THROWS_AS((event_source{9, {{"c-0"}}, id_kind::time_ordered, 0, 100}), std::logic_error);
}

} // namespace vicket::bench
