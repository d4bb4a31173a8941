// Triggers and rules with a real node: killed on the way, with a partition on a full disk, while rules change.

#include "policy/partitioning.hpp"
#include "policy/trigger_plan.hpp"
#include "tests/system/endpoints.hpp"
#include "tests/system/node_client.hpp"
#include "tests/system/real_node.hpp"
#include "tests/system/real_time.hpp"
#include "tests/system/small_disk.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <variant>
#include <vector>

using namespace vicket;
using namespace vicket::testing;

namespace {

constexpr std::uint32_t partitions = 3;
constexpr std::size_t connectors = 12;
constexpr std::size_t rules = 64;
const std::vector<std::string> flags{"--partitions", "3"};

std::string connector_name(std::size_t number) {
  return "c-" + std::to_string(number);
}

rule rule_to(const std::string& id, const std::vector<std::string>& to) {
  rule made;
  made.id = {id};
  made.events = {"ticket.*"};
  for (const auto& each : to)
    made.actions.push_back({{each}, std::nullopt, ""});
  return made;
}

void put_connectors(node_client& client, const std::string& url) {
  std::set<std::uint32_t> used;
  for (std::size_t i = 0; i < connectors; ++i) {
    client.put(connector_to(connector_name(i), url));
    used.insert(partition_of({connector_name(i)}, partitions));
  }
  REQUIRE(used.size() == partitions);
}

/// 64 rules, to the connectors in turn.
void put_rules(node_client& client) {
  for (std::size_t i = 0; i < rules; ++i)
    client.put(rule_to("r-" + std::to_string(i), {connector_name(i % connectors)}));
}

trigger trigger_number(std::uint32_t number) {
  trigger made;
  made.event = "ticket.resolved";
  made.occurred_at = wall_now();
  made.data_json = R"({"ticket":{"id":"T-)" + std::to_string(number) + "\"}}";
  made.id = event_id{{1, 2, 3}};
  for (std::size_t i = 0; i < 4; ++i)
    made.id->bytes[15 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  return made;
}

std::vector<event_id> events_of(const trigger& value) {
  std::vector<event_id> ids;
  for (std::size_t i = 0; i < rules; ++i)
    ids.push_back(planned_id(*value.id, {"r-" + std::to_string(i)}, 0));
  return ids;
}

/// A result that has the event of each rule, accepted, and how many of them were there before.
std::size_t duplicates_of_whole(const trigger_answer& answer, const trigger& of) {
  REQUIRE(std::holds_alternative<trigger_result>(answer));
  const auto& result = std::get<trigger_result>(answer);
  CHECK(result.id == *of.id);
  auto wanted = events_of(of);
  std::vector<event_id> found;
  std::size_t duplicates = 0;
  for (const auto& each : result.events) {
    INFO((std::holds_alternative<refusal>(each.result) ? std::get<refusal>(each.result).detail : ""));
    REQUIRE(std::holds_alternative<accepted>(each.result));
    found.push_back(std::get<accepted>(each.result).id);
    duplicates += std::get<accepted>(each.result).duplicate ? 1 : 0;
  }
  std::sort(wanted.begin(), wanted.end());
  std::sort(found.begin(), found.end());
  CHECK(found == wanted);
  return duplicates;
}

/// Every event of these triggers is on the node once, delivered, and nothing else came.
void check_delivered(node_client& client, const event_receiver& receiver, const std::vector<trigger>& fired) {
  REQUIRE(receiver.wait_for_distinct(fired.size() * rules));
  CHECK(eventually([&] {
    for (std::size_t i = 0; i < connectors; ++i)
      if (client.pending({connector_name(i)}) > 0)
        return false;
    return true;
  }));
  std::size_t wrong = 0;
  for (const auto& each : fired)
    for (const auto& id : events_of(each)) {
      const auto found = client.histories(id);
      wrong +=
          found.size() == 1 && found[0].summary.state == event_state::delivered && receiver.has(id) ? 0 : 1;
    }
  REQUIRE(wrong == 0);
  CHECK(receiver.distinct() == fired.size() * rules);
}

} // namespace

TEST_CASE("a trigger over 64 rules and three partitions: the node is killed before and after each sync of "
          "its way, and "
          "sent again it is whole, each event once") {
  if constexpr (VICKET_SANITIZED != 0)
    SKIP("a sanitizer's own library has to be preloaded first");
  // Of three partitions' rounds, and of their attempts', with two more syncs where the first one begins a log.
  const std::vector<int> steps{1, 2, 3, 4, 5, 6, 8, 10, 12, 13, 14, 15, 16};
  const temporary_folder folder;
  const auto data = folder.path() + "/data";
  const event_receiver receiver;
  {
    real_node node{data, flags};
    node_client client{node.port()};
    put_connectors(client, receiver.url());
    put_rules(client);
  }
  std::vector<trigger> fired;
  std::size_t unanswered = 0;
  std::size_t in_part = 0;
  for (const auto step : steps) {
    INFO("killed at step " << step);
    const auto value = trigger_number(static_cast<std::uint32_t>(step));
    const auto begin = folder.path() + "/from-" + std::to_string(step);
    {
      auto command = node_command(data);
      command.insert(command.end(), flags.begin(), flags.end());
      process node{
          command,
          {"LD_PRELOAD=" KILL_AT_SYNC_PATH, "KILL_FROM=" + begin, "KILL_AT=" + std::to_string(step)}};
      node_client client{port_in(node.line_with("vicketd ready actors="))};
      std::ofstream{begin} << "now";
      const auto answer = client.fire(value);
      if (const auto* no = std::get_if<refusal>(&answer)) {
        CHECK(no->code == errc::unavailable);
        ++unanswered;
      } else {
        CHECK(duplicates_of_whole(answer, value) == 0);
      }
      CHECK(node.wait() == 128 + SIGKILL); // also what was answered is delivered, which syncs
    }
    real_node node{data, flags};
    node_client client{node.port()};
    const auto before = duplicates_of_whole(client.fire(value), value);
    in_part += before > 0 && before < rules ? 1 : 0;
    REQUIRE(duplicates_of_whole(client.fire(value), value) == rules);
    fired.push_back(value);
    check_delivered(client, receiver, fired);
  }
  CHECK(unanswered >= 2 * partitions); // three syncs are less than an answer takes
  WARN(unanswered << " of " << steps.size() << " triggers were not answered; of " << in_part
                  << " a part was there when they were sent again; " << receiver.requests()
                  << " requests for " << receiver.distinct() << " events");
}

TEST_CASE("triggers that were answered are delivered, though the node is killed before most of it was sent") {
  const temporary_folder folder;
  const auto data = folder.path() + "/data";
  const event_receiver receiver;
  std::vector<trigger> fired;
  {
    real_node node{data, flags};
    node_client client{node.port()};
    for (std::size_t i = 0; i < connectors; ++i) {
      auto held = connector_to(connector_name(i), receiver.url());
      held.rate = rate_limit{1, 3'600'000, 1};
      client.put(held);
    }
    put_rules(client);
    for (std::uint32_t number = 1; number <= 5; ++number) {
      fired.push_back(trigger_number(number));
      CHECK(duplicates_of_whole(client.fire(fired.back()), fired.back()) == 0);
    }
    CHECK(receiver.distinct() <= connectors);
    node.kill();
  }
  real_node node{data, flags};
  node_client client{node.port()};
  put_connectors(client, receiver.url());
  check_delivered(client, receiver, fired);
  CHECK(duplicates_of_whole(client.fire(fired.front()), fired.front()) == rules);
}

TEST_CASE("a partition on a full disk: a trigger is unavailable with its id after ten seconds, what the "
          "others have "
          "is delivered, and sent again when there is room it is whole") {
  constexpr std::uint64_t mib = 1u << 20;
  if (mounts_refused())
    SKIP("needs a mount of its own: " + *mounts_refused());
  const small_disk disk{128 * mib};
  const temporary_folder folder;
  const auto data = folder.path() + "/data";
  const event_receiver receiver;
  {
    real_node node{data, flags};
    node_client client{node.port()};
    put_connectors(client, receiver.url());
    put_rules(client);
    node.terminate();
    CHECK(node.wait() == 0);
  }
  const auto on_disk = disk.path() / "partition-1";
  std::filesystem::copy(data + "/partition-1", on_disk, std::filesystem::copy_options::recursive);
  std::filesystem::remove_all(data + "/partition-1");
  std::filesystem::create_directory_symlink(on_disk, data + "/partition-1");
  std::size_t elsewhere = 0;
  for (std::size_t i = 0; i < rules; ++i)
    elsewhere += partition_of({connector_name(i % connectors)}, partitions) == 1 ? 0 : 1;

  real_node node{data, flags};
  node_client client{node.port()};
  disk.fill(8 * mib); // less than the node keeps for the attempts of pending events
  const auto value = trigger_number(1);
  const auto began_us = steady_us();
  const auto answer = client.fire(value);
  const auto took_us = steady_us() - began_us;
  REQUIRE(std::holds_alternative<refusal>(answer));
  const auto& no = std::get<refusal>(answer);
  INFO(no.detail);
  CHECK(no.code == errc::unavailable);
  CHECK(no.detail.find(value.id->to_string()) != std::string::npos);
  CHECK(took_us >= 9'500'000);
  CHECK(receiver.wait_for_distinct(elsewhere));
  for (std::size_t i = 0; i < rules; ++i) {
    const auto found = client.histories(planned_id(*value.id, {"r-" + std::to_string(i)}, 0));
    CHECK(found.size() == (partition_of({connector_name(i % connectors)}, partitions) == 1 ? 0 : 1));
  }

  disk.remove_ballast();
  trigger_answer again;
  CHECK(eventually([&] {
    again = client.fire(value);
    return std::holds_alternative<trigger_result>(again);
  }));
  CHECK(duplicates_of_whole(again, value) >= elsewhere);
  check_delivered(client, receiver, {value});
}

TEST_CASE("rules change while triggers run: each result is of the rules before or after a change, and of "
          "those that a "
          "put or a delete has been answered for") {
  constexpr std::uint32_t changes = 60;
  const temporary_folder folder;
  const event_receiver receiver;
  real_node node{folder.path() + "/data", flags};
  node_client client{node.port()};
  put_connectors(client, receiver.url());

  // In version v of the rule there are three actions, to connectors that tell it from its neighbours; in every fourth it is
  // not there.
  const auto connectors_of = [](std::uint32_t version) {
    std::vector<std::string> to;
    if (version % 4 != 0)
      for (const auto each : {version, version + 4, version + 8})
        to.push_back(connector_name(each % connectors));
    return to;
  };
  std::atomic<std::uint32_t> answered{0}; ///< the last change that was
  std::atomic<std::uint32_t> asked{0};
  std::atomic<std::uint32_t> triggers{0}; ///< answered
  std::atomic<bool> over{false};
  std::string failed;
  std::thread changer{[&] {
    try {
      node_client operators{node.port()};
      for (std::uint32_t version = 1; version <= changes; ++version) {
        asked = version;
        if (const auto to = connectors_of(version); to.empty())
          operators.remove({"changing"});
        else
          operators.put(rule_to("changing", to));
        answered = version;
        for (const auto since = triggers.load(); triggers == since && !over;) // each version is met
          std::this_thread::sleep_for(std::chrono::microseconds{100});
      }
    } catch (const std::exception& why) {
      failed = why.what();
    }
    over = true;
  }};
  std::set<std::uint32_t> seen;
  std::size_t events = 0;
  std::string wrong;
  for (std::uint32_t number = 1; !over; ++number) {
    const auto least = answered.load();
    const auto answer = client.fire(trigger_number(number));
    const auto most = asked.load();
    ++triggers;
    const auto* result = std::get_if<trigger_result>(&answer);
    if (result == nullptr) {
      wrong = std::get<refusal>(answer).detail;
      break;
    }
    std::vector<std::string> got;
    for (const auto& each : result->events) {
      got.push_back(each.connector.value);
      if (!std::holds_alternative<accepted>(each.result))
        wrong = "an event was refused: " + std::get<refusal>(each.result).detail;
    }
    events += got.size();
    auto version = least;
    while (version <= most && connectors_of(version) != got)
      ++version;
    if (version > most)
      wrong = "trigger " + std::to_string(number) + " has " + std::to_string(got.size()) +
              " events that are of no version from " + std::to_string(least) + " to " + std::to_string(most);
    seen.insert(version);
    if (!wrong.empty())
      break;
  }
  over = true;
  changer.join();
  CHECK(failed.empty());
  CHECK(wrong.empty());
  CHECK(seen.size() > changes / 2);
  CHECK(receiver.wait_for_distinct(events));
  CHECK(receiver.distinct() == events);
}
