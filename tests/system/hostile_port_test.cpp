// A node whose actor port is flooded, with an engine beside it that is to be served throughout.

#include "tests/support/raw_peer.hpp"
#include "tests/system/node_client.hpp"
#include "tests/system/real_node.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <sys/resource.h>

#include <cstddef>
#include <string>
#include <vector>

using namespace vicket;
using namespace vicket::testing;

namespace {

constexpr std::size_t flood = 1'500;
constexpr std::uint64_t most_growth_bytes = 50u << 20;
constexpr const char* caf_protocol = "vicket.caf.1";
constexpr const char* json_protocol = "vicket.json.1";

void let_us_open_many() {
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  limit.rlim_cur = limit.rlim_max;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
  REQUIRE(limit.rlim_cur >= flood + 500);
}

bool serves(node_client& client) {
  return !client.status().version.empty();
}

} // namespace

TEST_CASE("1,500 connections that do nothing, or stop half-way, keep no engine from its node") {
  let_us_open_many();
  const temporary_folder folder;
  real_node node{folder.path() + "/data", {"--max-in-flight", "50", "--partitions", "1"}};
  node_client early{node.port()};
  CHECK(serves(early));
  const auto before = node.memory_bytes("VmRSS");

  SECTION("with descriptors for all that the port may have") {
    std::vector<raw_peer> peers;
    for (std::size_t i = 0; i < flood; ++i) {
      peers.push_back(raw_peer::tcp(node.port()));
      if (i % 3 == 1)
        peers.back().send("GET /v1/link HTT");
      if (i % 3 == 2)
        peers.back().send(upgrade_request(caf_protocol).substr(0, 60));
    }
    CHECK(serves(early));
    node_client late{node.port()}; // who arrives honestly gets through
    CHECK(serves(late));
  }
  SECTION("when the process has descriptors for some of them only") {
    node.let_open_only(40);
    std::vector<raw_peer> peers;
    for (std::size_t i = 0; i < flood / 2; ++i)
      peers.push_back(raw_peer::tcp(node.port()));
    CHECK(serves(early));
    peers.clear();
    node_client late{node.port()};
    CHECK(serves(late));
  }
  SECTION("when they are upgraded, up to the last place") {
    std::vector<raw_peer> peers;
    std::size_t refused = 0;
    for (std::size_t i = 0; i < 300; ++i) {
      peers.push_back(raw_peer::tcp(node.port()));
      peers.back().send(upgrade_request(caf_protocol));
      refused += peers.back().read_head().starts_with("HTTP/1.1 503") ? 1 : 0;
    }
    CHECK(refused >= 300 - 144);
    CHECK(serves(early));
    peers.clear();
  }
  if (memory_is_ours)
    CHECK(node.memory_bytes("VmRSS") < before + most_growth_bytes);
  node.terminate();
  CHECK(node.wait() == 0);
}

TEST_CASE("100,000 frames of nonsense, text, pings and half messages: the node lives and does not grow") {
  const auto* const sub_protocol = GENERATE(caf_protocol, json_protocol);
  CAPTURE(sub_protocol);
  const temporary_folder folder;
  real_node node{folder.path() + "/data", {"--max-in-flight", "50", "--partitions", "1"}};
  node_client honest{node.port()};
  CHECK(serves(honest));
  const auto before = node.memory_bytes("VmRSS");
  constexpr std::size_t frames = 100'000;
  std::size_t sent = 0;
  std::uint32_t chance = 1;
  while (sent < frames) {
    auto peer = raw_peer::tcp(node.port());
    peer.send(upgrade_request(sub_protocol));
    REQUIRE(peer.read_head().starts_with("HTTP/1.1 101")); // what follows at once would be refused unread
    std::string many;
    for (std::size_t i = 0; i < 500; ++i, ++sent) {
      chance = chance * 1'664'525 + 1'013'904'223;
      const auto size = chance >> 8 & 0xff;
      const unsigned opcodes[]{2, 9, 10, 1, 0};
      many +=
          client_frame(opcodes[chance >> 20 & 3], std::string(size % 120, static_cast<char>(chance >> 24)),
                       (chance & 0x4000'0000) != 0);
    }
    peer.send(many);
  }
  CHECK(serves(honest));
  if (memory_is_ours)
    CHECK(node.memory_bytes("VmRSS") < before + most_growth_bytes);
  node.terminate();
  CHECK(node.wait() == 0);
}

TEST_CASE("100,000 requests in JSON by links that hang up before all are answered: the node lives and does "
          "not grow") {
  const temporary_folder folder;
  real_node node{folder.path() + "/data", {"--max-in-flight", "50", "--partitions", "1"}};
  node_client honest{node.port()};
  CHECK(serves(honest));
  const auto before = node.memory_bytes("VmRSS");
  constexpr std::size_t requests = 100'000;
  constexpr std::size_t of_a_link = 2'000;
  const std::string event =
      R"({"connector":"nobody","event":"x","occurred_at":"2026-05-23T14:21:11.412Z","data":{}})";
  const std::vector<std::string> asked{R"(,"send":[)" + event + "," + event + "]}",
                                       R"(,"outcomes":{"wait_ms":30000}})",
                                       R"(,"run":"r"})",
                                       R"(,"run":["r"]})",
                                       R"(,"event":"01970000-0000-7000-8000-000000000001"})",
                                       R"(,"nothing":{}})"};
  for (std::size_t sent = 0; sent < requests; sent += of_a_link) {
    auto peer = raw_peer::tcp(node.port());
    peer.send(upgrade_request(json_protocol));
    REQUIRE(peer.read_head().starts_with("HTTP/1.1 101"));
    std::string many;
    for (std::size_t i = 0; i < of_a_link; ++i)
      many += client_frame(1, R"({"request":)" + std::to_string(i) + asked[i % asked.size()]);
    peer.send(many);
    std::size_t answers = 0;
    while (answers < of_a_link / 2 && read_message(peer))
      ++answers;
    CHECK(answers == of_a_link / 2); // and hangs up, long polls and all
  }
  CHECK(serves(honest));
  if (memory_is_ours)
    CHECK(node.memory_bytes("VmRSS") < before + most_growth_bytes);
  node.terminate();
  CHECK(node.wait() == 0);
}
