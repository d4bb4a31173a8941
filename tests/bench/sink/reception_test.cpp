#include "bench/sink/reception.hpp"

#include "messages/ids.hpp"
#include "tests/bench/sink/engine_request.hpp"
#include "tests/support/process.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace vicket::bench;
using namespace vicket::testing;

namespace {

constexpr std::int64_t now_s = 1'716'475'271;

/// A reception with a log of its own, to which requests of the engine come.
class desk {
public:
  explicit desk(reception::settings how = {}) : reception_{std::move(how), log_, [] { return now_s; }} {}

  reply receive(const std::string& path, bool always_verify = false,
                std::string_view secret = engine_secret) {
    const auto text = engine_request(path, ++sent_, now_s, secret);
    return reception_.receive(request_parser{}.parse(text).value, always_verify, 1'000 + sent_);
  }

  [[nodiscard]] std::vector<unsigned> connectors() const {
    std::vector<unsigned> found;
    for (const auto& one : log_.arrivals())
      found.push_back(one.connector);
    return found;
  }

  [[nodiscard]] std::vector<int> signatures() const {
    std::vector<int> found;
    for (const auto& one : log_.arrivals())
      found.push_back(one.signature);
    return found;
  }

  [[nodiscard]] arrival_log& log() { return log_; }

private:
  temporary_folder folder_;
  arrival_log log_ = arrival_log::create(folder_.path() + "/arrivals", 100);
  reception reception_;
  unsigned sent_ = 0;
};

reception::settings with_secret(std::uint64_t verify_every, std::vector<fault> faults = {}) {
  return {engine_secret, verify_every, std::move(faults)};
}

constexpr int unchecked = arrival::not_checked;
constexpr int good = arrival::genuine;
constexpr int bad = arrival::forged;

} // namespace

TEST_CASE("each request is recorded with its id, its time, its connector and what is answered") {
  desk here;
  CHECK(here.receive("/ok/7") == reply{200, 0});
  CHECK(here.receive("/status-503/8") == reply{503, 0});
  CHECK(here.receive("/delay-250/9") == reply{200, 250});
  CHECK(here.receive("/hang/10") == reply{0, 0});
  CHECK(here.receive("/nowhere") == reply{404, 0});

  const auto arrivals = here.log().arrivals();
  REQUIRE(arrivals.size() == 5);
  const std::vector<std::pair<unsigned, unsigned>> expected{{7, 200}, {8, 503}, {9, 200}, {10, 0}, {0, 404}};
  for (unsigned i = 0; i < 5; ++i) {
    CHECK(arrivals[i].id == vicket::event_id::parse(engine_id(i + 1)).value().bytes);
    CHECK(arrivals[i].arrived_ns == 1'001 + i);
    CHECK(arrivals[i].connector == expected[i].first);
    CHECK(arrivals[i].status == expected[i].second);
    CHECK(arrivals[i].signature == arrival::not_checked);
  }
}

TEST_CASE("an endpoint behind the gate answers what the harness wants at that moment") {
  desk here;
  CHECK(here.receive("/gate/1") == reply{503, 0});
  here.log().top().gate_open = 1;
  CHECK(here.receive("/gate/1") == reply{200, 0});
  here.log().top().gate_open = 0;
  CHECK(here.receive("/gate/1") == reply{503, 0});
  CHECK(here.log().arrivals()[1].status == 200);
  CHECK(here.log().arrivals()[2].status == 503);
}

TEST_CASE("of the requests every so many-th is verified, the first among them") {
  desk here{with_secret(3)};
  for (int i = 0; i < 7; ++i)
    static_cast<void>(here.receive("/ok/1"));
  CHECK(here.signatures() == std::vector{good, unchecked, unchecked, good, unchecked, unchecked, good});
}

TEST_CASE("a request that came in by the verifying port is verified in any case") {
  desk here{with_secret(0)};
  static_cast<void>(here.receive("/ok/1"));
  static_cast<void>(here.receive("/ok/1", true));
  static_cast<void>(here.receive("/ok/1", true, "another secret"));
  CHECK(here.signatures() == std::vector{unchecked, good, bad});
}

TEST_CASE("without a secret nothing can be verified") {
  desk here{{std::nullopt, 1, {{fault::kind::forge, 1}}}};
  static_cast<void>(here.receive("/ok/1"));
  static_cast<void>(here.receive("/ok/1", true));
  CHECK(here.signatures() == std::vector{unchecked, unchecked});
}

TEST_CASE("a request that is to be lost is answered as if all were well, and not recorded") {
  desk here{with_secret(0, {{fault::kind::lose, 2}})};
  CHECK(here.receive("/ok/1") == reply{200, 0});
  CHECK(here.receive("/ok/2") == reply{200, 0});
  CHECK(here.receive("/ok/3") == reply{200, 0});
  CHECK(here.connectors() == std::vector{1u, 3u});
}

TEST_CASE("a request that is to be doubled is recorded twice") {
  desk here{with_secret(0, {{fault::kind::record_twice, 1}, {fault::kind::record_twice, 3}})};
  for (const auto* path : {"/ok/1", "/ok/2", "/ok/3"})
    CHECK(here.receive(path) == reply{200, 0});
  CHECK(here.connectors() == std::vector{1u, 1u, 2u, 3u, 3u});
}

TEST_CASE("a request that is to be forged is found forged, whether it would have been verified or not") {
  desk here{with_secret(2, {{fault::kind::forge, 1}, {fault::kind::forge, 4}})};
  for (int i = 0; i < 5; ++i)
    static_cast<void>(here.receive("/ok/1"));
  CHECK(here.signatures() == std::vector{bad, unchecked, good, bad, good});
}

TEST_CASE("a fault is written NAME:N") {
  CHECK(parse_fault("lose:1") == fault{fault::kind::lose, 1});
  CHECK(parse_fault("double:20") == fault{fault::kind::record_twice, 20});
  CHECK(parse_fault("forge:18446744073709551615") == fault{fault::kind::forge, 18'446'744'073'709'551'615u});
  for (const auto* text : {"", "lose", "lose:", "lose:0", "lose:-1", "lose:x", "lose:1x", "lose: 1", "lost:1",
                           "LOSE:1", ":1", "lose:18446744073709551616"}) {
    INFO(text);
    CHECK_FALSE(parse_fault(text));
  }
}

TEST_CASE("an id that is no UUID is recorded as zeros") {
  const auto id = std::string{"9F2c1b7e-0000-7000-8000-00000000ab0D"};
  CHECK(uuid_bytes(id) == vicket::event_id::parse(id).value().bytes);
  for (const auto& text : {std::string{}, std::string{"x"}, id + "0", id.substr(1), "{" + id.substr(2) + "}",
                           "9f2c1b7e_0000-7000-8000-00000000ab0d" + std::string{},
                           "9f2c1b7e-0000-7000-8000-00000000ab0g" + std::string{},
                           "9f2c1b7e000070008000-00000000ab0d----" + std::string{}}) {
    INFO(text);
    CHECK(uuid_bytes(text) == std::array<std::uint8_t, 16>{});
  }
}
