// The partition `settings` of a node: what is put there is durable, and in the node's copy, before it is answered.

#include "tests/actors/node_fixture.hpp"

#include "policy/start_permit.hpp"
#include "storage/settings_copy.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <string>
#include <variant>
#include <vector>

using namespace vicket;
using namespace vicket::testing;

namespace {

setting_key rule_key(const std::string& id) {
  return {setting_kind::rule, id};
}

void put(node_fixture& node, const std::string& id, const std::string& bytes) {
  const auto answer = node.ask_settings<std::monostate>(put_setting{{rule_key(id), bytes}});
  if (const auto* no = std::get_if<refusal>(&answer))
    FAIL("put: " << to_string(no->code) << ": " << no->detail);
}

errc code_of(const std::variant<std::monostate, refusal>& answer) {
  const auto* no = std::get_if<refusal>(&answer);
  return no == nullptr ? errc{} : no->code;
}

std::string in_copy(const node_fixture& node, const std::string& id) {
  const auto all = node.settings();
  REQUIRE(all);
  const auto found = all->find(rule_key(id));
  return found ? found->bytes : "(none)";
}

} // namespace

TEST_CASE(
    "a setting that was put is in the node's copy, and there after a restart; one that was deleted is not") {
  node_fixture node{2};
  CHECK(node.status().settings.records == 0);
  put(node, "a", "1");
  put(node, "b", "2");
  put(node, "a", "3");
  CHECK(code_of(node.ask_settings<std::monostate>(delete_setting{rule_key("b")})) == errc{});
  CHECK(code_of(node.ask_settings<std::monostate>(delete_setting{rule_key("b")})) == errc::not_found);
  for (int life = 0; life < 2; ++life) {
    CHECK(in_copy(node, "a") == "3");
    CHECK(in_copy(node, "b") == "(none)");
    CHECK(std::get<setting>(node.ask_settings<setting>(get_setting{rule_key("a")})).bytes == "3");
    CHECK(std::get<refusal>(node.ask_settings<setting>(get_setting{rule_key("b")})).code == errc::not_found);
    const auto status = node.status();
    CHECK(status.partitions.size() == 2); // those of connectors, as before
    CHECK(status.settings.partition.number == 2);
    CHECK(status.settings.partition.accepting);
    CHECK(status.settings.records == 1);
    CHECK(status.settings.bytes == 2);
    node.restart();
  }
}

TEST_CASE("settings are listed by id, in pages that have a bound in bytes and in number") {
  node_fixture node;
  const std::string large(settings_bounds::record_bytes, 'x');
  for (int i = 10; i < 40; ++i)
    put(node, std::to_string(i).insert(0, 1, 'r'), large);
  std::vector<std::string> seen;
  list_settings request;
  for (bool more = true; more;) {
    const auto answer = node.ask_settings<settings_page>(request);
    const auto& page = std::get<settings_page>(answer);
    REQUIRE_FALSE(page.settings.empty());
    CHECK(page.settings.size() <= settings_page::max_bytes / large.size());
    for (const auto& each : page.settings)
      seen.push_back(each.key.id);
    request.after = seen.back();
    more = page.more;
    CHECK(more == (seen.size() < 30));
  }
  CHECK(seen.front() == "r10");
  CHECK(seen.back() == "r39");
  CHECK(std::is_sorted(seen.begin(), seen.end()));
  const auto few = node.ask_settings<settings_page>(list_settings{setting_kind::rule, "r20", 2});
  CHECK(std::get<settings_page>(few).settings.size() == 2);
  CHECK(std::get<settings_page>(few).settings.at(0).key.id == "r21");
  CHECK(std::get<settings_page>(node.ask_settings<settings_page>(list_settings{setting_kind{2}, "", 5}))
            .settings.empty());
}

TEST_CASE(
    "settings that the disk has no room for are refused, and those that exist can be changed and deleted") {
  node_fixture node;
  put(node, "a", "1");
  put(node, "b", "1");
  node.disk.set_volume({.free_bytes = 1u << 20, .total_bytes = 1u << 30});
  CHECK(code_of(node.ask_settings<std::monostate>(put_setting{{rule_key("c"), "1"}})) == errc::storage_full);
  CHECK_FALSE(node.status().settings.partition.accepting);
  put(node, "a", "2");
  CHECK(code_of(node.ask_settings<std::monostate>(delete_setting{rule_key("b")})) == errc{});
  node.disk.set_volume({.free_bytes = 1u << 29, .total_bytes = 1u << 30});
  node.disk.fill_disk_after(0);
  CHECK(code_of(node.ask_settings<std::monostate>(put_setting{{rule_key("a"), "3"}})) == errc::storage_full);
  CHECK(in_copy(node, "a") == "2");
  CHECK(node.failures.empty());
  node.disk.free_disk();
  node.advance_ms(3'000);
  put(node, "a", "4");
  node.restart();
  CHECK(in_copy(node, "a") == "4");
  CHECK(in_copy(node, "b") == "(none)");
}

TEST_CASE(
    "after a failed sync a setting is not answered, and what was answered is there after the next start") {
  node_fixture node;
  put(node, "a", "1");
  node.disk.fail_log_syncs_from(1);
  const auto answer = node.ask_settings<std::monostate>(put_setting{{rule_key("a"), "2"}});
  CHECK(std::get<refusal>(answer).detail == "no answer");
  REQUIRE(node.failures.size() == 1);
  CHECK(node.failures[0].starts_with("the next start recovers: partition settings: "));
  node.disk.crash();
  node.kill();
  node.disk.restart(1);
  node.start();
  CHECK(in_copy(node, "a") == "1");
}

TEST_CASE("nothing is decided by a copy that may not be the newest") {
  std::int64_t now = 5'000;
  const auto fresh = std::make_shared<start_permit>([&] { return now; });
  const auto environment = make_memory_environment();
  store_options options;
  options.folder = "/settings";
  options.environment = environment.get();
  auto opened = partition_store::open(options);
  const std::shared_ptr<partition_store> store = std::get<0>(std::move(opened));
  const settings_copy copy{store, fresh};
  CHECK(copy.current() == nullptr);
  fresh->allow(0, 5'500);
  CHECK(copy.current() != nullptr);
  now = 5'500;
  CHECK(copy.current() == nullptr);
  CHECK(settings_copy{store, nullptr}.current() != nullptr);
  CHECK(settings_copy::settle_ms > settings_copy::fresh_ms);
}
