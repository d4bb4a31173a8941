#include "policy/connector_state.hpp"
#include "policy/endpoint_hold.hpp"
#include "policy/retry_after.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>
#include <vector>

using namespace std::literals;

namespace vicket {

namespace {

constexpr timestamp_ms now{1'779'546'071'000};
constexpr std::uint32_t limit = 16;

} // namespace

TEST_CASE("without a hold the connector's own limit counts") {
  endpoint_hold hold;
  CHECK(!hold.ends_by(now));
  CHECK(hold.in_flight_limit(limit) == limit);
  CHECK(!hold.held_until());
  CHECK(!hold.remembered());
}

TEST_CASE("nothing starts while the hold lasts, then one, and each success makes room for one more") {
  endpoint_hold hold;
  hold.begin(now + 30'000);
  CHECK(hold.in_flight_limit(limit) == 0);
  CHECK(hold.held_until() == now + 30'000);
  hold.succeeded(limit); // it was in flight before
  CHECK(!hold.ends_by(now + 29'999));
  CHECK(hold.in_flight_limit(limit) == 0);
  CHECK(hold.ends_by(now + 30'000));
  CHECK(!hold.ends_by(now + 30'000)); // told once
  CHECK(!hold.held_until());
  CHECK(hold.remembered());
  CHECK(hold.in_flight_limit(limit) == 1);
  for (std::uint32_t i = 2; i < limit; ++i) {
    hold.succeeded(limit);
    CHECK(hold.in_flight_limit(limit) == i);
  }
  hold.succeeded(limit);
  CHECK(hold.in_flight_limit(limit) == limit);
  CHECK(!hold.remembered());
}

TEST_CASE("of several holds the latest counts, and one during the slow start begins it again") {
  endpoint_hold hold;
  hold.begin(now + 30'000);
  hold.begin(now + 10'000);
  CHECK(hold.held_until() == now + 30'000);
  CHECK(hold.ends_by(now + 30'000));
  hold.succeeded(limit);
  hold.begin(now + 40'000);
  CHECK(hold.in_flight_limit(limit) == 0);
  CHECK(hold.ends_by(now + 40'000));
  CHECK(hold.in_flight_limit(limit) == 1);
}

TEST_CASE("a connector that takes one at a time is done after the first success") {
  endpoint_hold hold;
  hold.begin(now);
  CHECK(hold.ends_by(now));
  CHECK(hold.in_flight_limit(1) == 1);
  hold.succeeded(1);
  CHECK(!hold.remembered());
}

TEST_CASE("an end that a clock which was ahead has stored is never further away than the longest hold") {
  endpoint_hold hold;
  hold.begin(now + 365LL * 86'400'000);
  CHECK(!hold.ends_by(now));
  CHECK(hold.held_until() == now + longest_hold_ms);
  CHECK(hold.ends_by(now + longest_hold_ms));
}

TEST_CASE("a connector's state is these bytes, and comes back as it was") {
  connector_state state;
  const auto there_and_back = [&] { return decode_connector_state(encode(state)) == state; };
  CHECK(encode(state) == "\1\0"s);
  CHECK(there_and_back());
  state.rate_taken_until_us = -2;
  CHECK(encode(state) == "\1\1\xff\xff\xff\xff\xff\xff\xff\xfe"s);
  CHECK(there_and_back());
  state.held = connector_state::hold{{258}, 5};
  CHECK(encode(state) == "\1\3\xff\xff\xff\xff\xff\xff\xff\xfe\0\0\0\0\0\0\1\2\0\0\0\0\0\0\0\5"s);
  CHECK(there_and_back());
  state.rate_taken_until_us.reset();
  CHECK(encode(state) == "\1\2\0\0\0\0\0\0\1\2\0\0\0\0\0\0\0\5"s);
  CHECK(there_and_back());
}

TEST_CASE("a connector's state that is short, overlong or of a newer program is none") {
  connector_state state;
  state.rate_taken_until_us = 1;
  state.held = connector_state::hold{{258}, 5};
  const auto bytes = encode(state);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK(!decode_connector_state(std::string_view{bytes}.substr(0, size)));
  CHECK(!decode_connector_state(bytes + "x"));
  CHECK(!decode_connector_state("\2\0"sv));
  CHECK(!decode_connector_state("\1\4"sv));
}

TEST_CASE("what one endpoint has asked for does not bind another") {
  connector_state state;
  CHECK(!hold_of(state, "https://a.example.com/"));
  state.held = make_hold(now, "https://a.example.com/");
  CHECK(hold_of(state, "https://a.example.com/") == now);
  CHECK(!hold_of(state, "https://b.example.com/"));
}

} // namespace vicket
