#include "net/step_lane.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include <catch2/catch_test_macros.hpp>

#include <memory>
#include <stdexcept>
#include <string>

using vicket::internal::step_lane;

namespace {

struct lane_in_hand {
  std::string done;
  int asked = 0;
  step_lane lane{[this] { ++asked; }};

  void join(char name) {
    lane.join([this, name] {
      done += name;
      return true;
    });
  }
};

} // namespace

TEST_CASE("a lane does one step in a turn, in the order in which they joined, and asks once for each",
          "[net]") {
  lane_in_hand it;
  it.join('a');
  it.join('b');
  it.join('c');
  CHECK(it.asked == 1);
  CHECK(it.done.empty()); // never within the call
  it.lane.take_turn();
  CHECK(it.done == "a");
  CHECK(it.asked == 2);
  it.join('d');
  CHECK(it.asked == 2);
  it.lane.take_turn();
  it.lane.take_turn();
  CHECK(it.asked == 4);
  it.lane.take_turn();
  CHECK(it.done == "abcd");
  CHECK(it.asked == 4);
  it.lane.take_turn(); // one too many is nothing
  it.join('e');
  CHECK(it.asked == 5);
}

TEST_CASE("a step that fails does not keep the lane from the next", "[net]") {
  lane_in_hand it;
  it.lane.join([]() -> bool { throw std::runtime_error{"no"}; });
  it.join('b');
  CHECK_THROWS_AS(it.lane.take_turn(), std::runtime_error);
  CHECK(it.asked == 2);
  it.lane.take_turn();
  CHECK(it.done == "b");
}

TEST_CASE("what has nothing to do any more takes no turn", "[net]") {
  lane_in_hand it;
  const auto nothing = [] { return false; };
  it.lane.join(nothing);
  it.lane.join(nothing);
  it.join('a');
  it.lane.join(nothing);
  it.join('b');
  it.lane.take_turn();
  CHECK(it.done == "a");
  CHECK(it.lane.waiting() == 2);
  it.lane.take_turn();
  CHECK(it.done == "ab");
  it.lane.join(nothing);
  it.lane.take_turn();
  CHECK(it.lane.waiting() == 0);
}

TEST_CASE("what waits in a lane is kept until it was done, or the lane is cleared", "[net]") {
  lane_in_hand it;
  const auto kept = std::make_shared<int>(1);
  it.lane.join([kept] { return true; });
  it.lane.join([kept] { return true; });
  CHECK(kept.use_count() == 3);
  it.lane.take_turn();
  CHECK(kept.use_count() == 2);
  it.lane.clear();
  CHECK(kept.use_count() == 1);
}

TEST_CASE("what a socket has comes before the rest of a lane, however many steps there are", "[net]") {
  namespace asio = boost::asio;
  asio::io_context context{1};
  std::string done;
  step_lane* turns = nullptr;
  step_lane lane{[&] { asio::post(context, [&] { turns->take_turn(); }); }};
  turns = &lane;
  asio::local::stream_protocol::socket ours{context};
  asio::local::stream_protocol::socket theirs{context};
  asio::local::connect_pair(ours, theirs);
  ours.async_wait(asio::socket_base::wait_read, [&](boost::system::error_code) { done += '!'; });
  lane.join([&] {
    done += 'a';
    asio::write(theirs, asio::buffer("x", 1)); // during the first step something comes
    return true;
  });
  for (const char name : {'b', 'c', 'd', 'e'})
    lane.join([&, name] {
      done += name;
      return true;
    });
  context.run();
  // Not 'abcde!': at most the step that had its turn already comes before it.
  CHECK((done == "a!bcde" || done == "ab!cde"));
}
