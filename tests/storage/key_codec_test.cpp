// The bytes on disk, pinned: a failure here means that an existing data folder can't be read any more.

#include "store_fixture.hpp"

#include "storage/key_codec.hpp"

#include <catch2/catch_get_random_seed.hpp>
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <limits>
#include <random>
#include <string>
#include <vector>

using namespace vicket;
using namespace vicket::codec;
using vicket::test::hex;

namespace {

constexpr timestamp_ms noon{1'779'537'600'000};

stored_event golden_event() {
  return {258,     event_id::parse("9f2c1b7e-0102-4304-8506-0708090a0b0c").value(),
          {"crm"}, "a.b",
          "w",     "r",
          noon,    std::make_shared<const std::string>(R"({"id":1})")};
}

stored_attempt golden_attempt() {
  auto result = stored_attempt{};
  result.sequence = 259;
  result.event_sequence = 258;
  result.state_after = event_state::pending;
  auto& value = result.value;
  value.number = 300;
  value.started_at = noon;
  value.duration_us = 12'400;
  value.phases = {1, 2, 3, 4};
  value.result = outcome::http_status;
  value.status = std::uint16_t{500};
  value.error = "e";
  value.response_body = "body";
  value.response_body_bytes = 70'000;
  value.response_truncated = true;
  value.next_attempt_at = noon + 5'000;
  return result;
}

/// With everything that attempts have had since format 3.
stored_attempt explained_attempt() {
  auto result = golden_attempt();
  result.value.response_headers = {{"L", "/a"}, {"A", ""}};
  result.value.retry_after = retry_hint{"3", noon + 3'000, noon + 3'000};
  return result;
}

std::string repeated(std::string_view text, int times) {
  auto result = std::string{};
  while (times-- > 0)
    result += text;
  return result;
}

connector golden_connector() {
  auto result = connector{};
  result.id = {"crm"};
  result.name = "n";
  result.url = "u";
  result.secret = {"\1" + std::string(28, 's')};
  result.headers = {{"h", "v"}};
  result.secret_headers = {{"k", {"\1" + std::string(29, 'v')}}};
  result.events = {"a.*"};
  result.rate = rate_limit{100, 1'000, 10};
  return result;
}

connector filtering_connector() {
  auto result = golden_connector();
  result.rate.reset();
  result.filter_json = R"({"event":{"eq":"a"}})";
  return result;
}

/// As formats up to 5 had it.
connector plain_connector() {
  auto result = golden_connector();
  result.secret = {"s"};
  result.secret_headers.clear();
  return result;
}

} // namespace

TEST_CASE("keys on disk are these bytes") {
  CHECK(hex(u64_bytes(258)) == "0000000000000102");
  CHECK(hex(i64_bytes(0)) == "8000000000000000");
  CHECK(hex(i64_bytes(-1)) == "7fffffffffffffff");
  CHECK(connector_key({"crm"}) == "connector/crm");
  CHECK(state_key({"crm"}) == "state/crm");
  CHECK(hex(encode_setting_key({setting_kind::rule, "crm"})) == "73657474696e672f"
                                                                "01"
                                                                "63726d");
  CHECK(parse_setting_key(encode_setting_key({setting_kind{200}, "a"})) ==
        setting_key{setting_kind{200}, "a"});
  CHECK_FALSE(parse_setting_key("setting/"));
  CHECK_FALSE(parse_setting_key("setting/\1"));
  CHECK_FALSE(parse_setting_key(std::string{"setting/\0a", 10}));
  CHECK_FALSE(parse_setting_key("setting/\1a/b"));
  CHECK_FALSE(parse_setting_key("state/crm"));
  CHECK(hex(event_attempt_key(258, 3)) == "000000000000010200000003");
  CHECK(account_of({"crm"}) == 0xf5a2ee190cae94b7);
  CHECK(hex(history_key(258)) == "686973746f72792f0000000000000102");
  CHECK(parse_history_key(history_key(258)) == 258);
  CHECK_FALSE(parse_history_key("history/"));
  CHECK(hex(encode_due_key({"crm"}, {{1}, 258})) == "63726d0080000000000000010000000000000102");
  CHECK(hex(due_begin({"crm"})) == "63726d00");
  CHECK(hex(due_end({"crm"})) == "63726d01");
  CHECK(hex(run_key("run-42", 258)) == "0a8d1175a2f5ee030000000000000102");
  CHECK(run_hash("") == 0xcbf29ce484222325); // FNV-1a, 64 bits
  CHECK(run_hash("foobar") == 0x85944171f73967e8);
  CHECK(hex(id_prefix(golden_event().id)) == "9f2c1b7e01024304850607"
                                             "08090a0b0c");
  CHECK(hex(id_key{golden_event().id, {"crm"}}.view()) == "9f2c1b7e01024304850607"
                                                          "08090a0b0c"
                                                          "63726d");
  CHECK(hex(encode_id_entry({258, false})) == "0000000000000102");
  CHECK(hex(encode_id_entry({258, true})) == "000000000000010201");
  CHECK(hex(carried_key(258, 3)) == "000000000000010200000003");
  CHECK(hex(encode_late_key({{1}, 258})) == "80000000000000010000000000000102");
}

TEST_CASE("records on disk are these bytes") {
  CHECK(hex(encode_format(1)) == "7669636b65742d706172746974696f6e00000001");
  CHECK(hex(encode(feed_lineage::from_entries({{1, 0x9f2c1b7e}, {258, 5}}).value())) == "01"
                                                                                        "02"
                                                                                        "0000000000000001"
                                                                                        "9f2c1b7e"
                                                                                        "0000000000000102"
                                                                                        "00000005");
  CHECK(hex(encode(round_header{1, 2, 258, 257, 256})) == "01"
                                                          "0000000000000001"
                                                          "0000000000000002"
                                                          "0000000000000102"
                                                          "0000000000000101"
                                                          "0000000000000100");
  CHECK(hex(encode_head(golden_event())) == "01"
                                            "9f2c1b7e01024304850607"
                                            "08090a0b0c"
                                            "8000019e54b4de00"
                                            "0363726d"
                                            "03612e62"
                                            "0177"
                                            "0172");
  CHECK(hex(encode_head(golden_attempt())) == "01"
                                              "0000000000000102"
                                              "01"
                                              "ac02"
                                              "8000019e54b4de00"
                                              "e0c101"
                                              "02"
                                              "7f"
                                              "02040608"
                                              "f403"
                                              "8000019e54b4f188"
                                              "0165"
                                              "f0a204");
  auto same_body = golden_attempt();
  same_body.same_body_as = 299;
  CHECK(hex(encode_head(same_body)) == "01"
                                       "0000000000000102"
                                       "01"
                                       "ac02"
                                       "8000019e54b4de00"
                                       "e0c101"
                                       "02"
                                       "ff01"
                                       "02040608"
                                       "f403"
                                       "8000019e54b4f188"
                                       "ab02"
                                       "0165"
                                       "f0a204");
  CHECK(hex(encode_head(explained_attempt())) == "01"
                                                 "0000000000000102"
                                                 "01"
                                                 "ac02"
                                                 "8000019e54b4de00"
                                                 "e0c101"
                                                 "02"
                                                 "ff1e"
                                                 "02040608"
                                                 "f403"
                                                 "8000019e54b4f188"
                                                 "02"
                                                 "014c"
                                                 "022f61"
                                                 "0141"
                                                 "00"
                                                 "0133"
                                                 "8000019e54b4e9b8"
                                                 "8000019e54b4e9b8"
                                                 "0165"
                                                 "f0a204");
  CHECK(hex(encode_carried({258, {}})) == "010000000000000102");
  CHECK(hex(encode_carried({258, "record"})) == "0200000000000001027265636f7264");
  CHECK(hex(encode(golden_connector())) == "02"
                                           "016e"
                                           "0175"
                                           "1d01" +
                                               repeated("73", 28) +
                                               "01"
                                               "0168"
                                               "0176"
                                               "01"
                                               "016b"
                                               "1e01" +
                                               repeated("76", 29) +
                                               "01"
                                               "03612e2a"
                                               "07"
                                               "64"
                                               "e807"
                                               "0a"
                                               "10"
                                               "904e"
                                               "904e"
                                               "4000000000000000"
                                               "80dccc14"
                                               "00"
                                               "80d098f701");
  CHECK(hex(encode(filtering_connector())) == "02"
                                              "016e"
                                              "0175"
                                              "1d01" +
                                                  repeated("73", 28) +
                                                  "01"
                                                  "0168"
                                                  "0176"
                                                  "01"
                                                  "016b"
                                                  "1e01" +
                                                  repeated("76", 29) +
                                                  "01"
                                                  "03612e2a"
                                                  "0e"
                                                  "10"
                                                  "904e"
                                                  "904e"
                                                  "4000000000000000"
                                                  "80dccc14"
                                                  "00"
                                                  "80d098f701"
                                                  "147b226576656e74223a7b226571223a2261227d7d");
  CHECK(hex(encode_plain(plain_connector())) == "01"
                                                "016e"
                                                "0175"
                                                "0173"
                                                "01"
                                                "0168"
                                                "0176"
                                                "01"
                                                "03612e2a"
                                                "07"
                                                "64"
                                                "e807"
                                                "0a"
                                                "10"
                                                "904e"
                                                "904e"
                                                "4000000000000000"
                                                "80dccc14"
                                                "00"
                                                "80d098f701");
  CHECK(hex(encode(history_ledger::account{9, 7, 1'000, {{7, 0, 300}, {900, 2, 1}}})) == "01"
                                                                                         "0000000000000009"
                                                                                         "0000000000000007"
                                                                                         "00000000000003e8"
                                                                                         "02"
                                                                                         "0000000000000007"
                                                                                         "00"
                                                                                         "ac02"
                                                                                         "0000000000000384"
                                                                                         "02"
                                                                                         "01");
  CHECK(hex(encode(feed_drops::from_entries({{5, 4}, {9, 2}}).value())) == "01"
                                                                           "02"
                                                                           "0000000000000005"
                                                                           "0000000000000004"
                                                                           "0000000000000009"
                                                                           "0000000000000002");
  auto accounted = golden_attempt();
  accounted.account = 0x0102030405060708;
  auto expected = hex(encode_head(golden_attempt()));
  expected.replace(0, 2, "02").insert(20, "0102030405060708");
  CHECK(hex(encode_head(accounted)) == expected);
  auto dropped = accounted;
  dropped.drop();
  CHECK(hex(encode_head(dropped)) == "03" + expected.substr(2, 60)); // to the duration
  CHECK(hex(encode(due_entry{})) == "00");
  CHECK(hex(encode(due_entry{300, std::nullopt})) == "ac02"); // as older programs wrote it
  CHECK(hex(encode(due_entry{300, timestamp_ms{1}})) == "ac028000000000000001");
}

TEST_CASE("what was encoded is decoded to the same") {
  const auto event = golden_event();
  const auto event_bytes = encode_head(event) + *event.envelope;
  const auto found = decode_event(258, event_bytes, true).value();
  CHECK(found.id == event.id);
  CHECK(found.connector == event.connector);
  CHECK(found.event == event.event);
  CHECK(found.workflow == event.workflow);
  CHECK(found.run == event.run);
  CHECK(found.accepted_at == event.accepted_at);
  CHECK(*found.envelope == *event.envelope);
  CHECK(decode_event(258, event_bytes, false).value().envelope == nullptr);
  CHECK(decode_accepted_at(event_bytes) == noon);

  const auto attempt = golden_attempt();
  const auto attempt_bytes = encode_head(attempt) + attempt.value.response_body;
  CHECK(decode_attempt(259, attempt_bytes).value().value == attempt.value);
  CHECK(decode_attempt(259, attempt_bytes).value().state_after == event_state::pending);
  CHECK(decode_ended_at(attempt_bytes) == noon + 12);
  const auto explained = explained_attempt();
  CHECK(decode_attempt(259, encode_head(explained) + "body").value().value == explained.value);
  auto cut = explained;
  cut.value.response_headers_truncated = true;
  CHECK(decode_attempt(259, encode_head(cut) + "body").value().value == cut.value);
  auto unheeded = attempt;
  unheeded.value.retry_after = retry_hint{"soon", {}, {}};
  CHECK(decode_attempt(259, encode_head(unheeded) + "body").value().value == unheeded.value);
  auto same_body = attempt;
  same_body.same_body_as = 299;
  CHECK(decode_attempt(259, encode_head(same_body)).value().same_body_as == 299);
  same_body.same_body_as = 300; // of itself
  CHECK(!decode_attempt(259, encode_head(same_body)));
  auto accounted = explained;
  accounted.account = 0x0102030405060708;
  const auto accounted_bytes = encode_head(accounted) + accounted.value.response_body;
  CHECK(decode_attempt(259, accounted_bytes).value().value == accounted.value);
  CHECK(decode_attempt(259, accounted_bytes).value().account == accounted.account);
  CHECK(decode_account_of_attempt(accounted_bytes) == accounted.account);
  CHECK(decode_account_of_attempt(attempt_bytes) == 0);
  CHECK(decode_ended_at(accounted_bytes) == noon + 12);
  CHECK(decode_event_of_attempt(accounted_bytes) == accounted.event_sequence);
  CHECK_FALSE(is_settling_attempt(accounted_bytes));
  CHECK_FALSE(is_dropped_attempt(accounted_bytes));
  CHECK_FALSE(dropped_record(attempt_bytes)); // it has no account
  const auto dropped_bytes = dropped_record(accounted_bytes).value();
  CHECK(is_dropped_attempt(dropped_bytes));
  CHECK_FALSE(dropped_record(dropped_bytes));
  const auto dropped = decode_attempt(259, dropped_bytes).value();
  CHECK(dropped.dropped);
  CHECK(dropped.value.number == accounted.value.number);
  CHECK(dropped.value.response_body.empty());
  CHECK(decode_account_of_attempt(dropped_bytes) == accounted.account);
  CHECK(decode_event_of_attempt(dropped_bytes) == accounted.event_sequence);
  CHECK(decode_ended_at(dropped_bytes) == noon + 12);
  CHECK_FALSE(decode_attempt(259, dropped_bytes + '\0'));
  const auto drops = feed_drops::from_entries({{5, 4}, {9, 2}}).value();
  CHECK(decode_drops(encode(drops)) == drops);
  CHECK_FALSE(decode_drops(encode(drops) + '\0'));
  const auto account = history_ledger::account{9, 7, 1'000, {{7, 0, 300}, {900, 2, 1}}};
  CHECK(decode_account(encode(account)) == account);
  CHECK(decode_account(encode(history_ledger::account{})) == history_ledger::account{});
  const auto carried_bytes = encode_carried({258, attempt_bytes});
  CHECK(decode_carried(carried_bytes).value().record == attempt_bytes);
  CHECK(decode_carried(encode_carried({258, {}})).value().sequence == 258);
  CHECK(decode_id_entry(encode_id_entry({258, true})).value().carried);
  CHECK(parse_event_attempt_key(carried_key(258, 3)).value().number == 3);
  CHECK(parse_late_key(encode_late_key({noon, 258})).value().settled_at == noon);

  CHECK(decode_connector({"crm"}, encode(golden_connector())) == golden_connector());
  CHECK(decode_connector({"crm"}, encode(filtering_connector())) == filtering_connector());
  CHECK(decode_plain_connector({"crm"}, encode_plain(plain_connector())) == plain_connector());
  CHECK(decode_connector({}, encode(connector{})) == connector{});
  CHECK(decode_commit(encode(round_header{1, 2, 258, 257, 256})) == round_header{1, 2, 258, 257, 256});
  const auto lineage = feed_lineage::from_entries({{0, 0}, {1, 7}, {258, 5}}).value();
  CHECK(decode_lineage(encode(lineage)) == lineage);
  CHECK(decode_format(encode_format(7)) == 7);
  for (const auto value : {std::int64_t{0}, std::int64_t{-1}, std::numeric_limits<std::int64_t>::min(),
                           std::numeric_limits<std::int64_t>::max()})
    CHECK(parse_i64(i64_bytes(value)) == value);
  for (const auto& entry : {due_entry{}, due_entry{0xffffffff, std::nullopt}, due_entry{7, timestamp_ms{-5}}})
    CHECK(decode_due_entry(encode(entry)) == entry);
  const auto entry_bytes = encode(due_entry{7, timestamp_ms{5}});
  CHECK_FALSE(decode_due_entry(""));
  CHECK_FALSE(decode_due_entry(entry_bytes.substr(0, entry_bytes.size() - 1)));
  CHECK_FALSE(decode_due_entry(entry_bytes + '\0'));
  CHECK_FALSE(decode_due_entry('\0' + entry_bytes.substr(1))); // a time without an attempt
  const auto due = parse_due_key(encode_due_key({"crm"}, {noon, 258})).value();
  CHECK(due.connector.value == "crm");
  CHECK(due.position == due_position{noon, 258});
}

TEST_CASE("the order of the due index is the order of due times, then of acceptance, per connector") {
  auto keys = std::vector<std::string>{};
  for (const auto* connector : {"a", "a-b", "a.b", "a0", "aa", "b"})
    for (const auto due : {std::numeric_limits<std::int64_t>::min(), std::int64_t{-1}, std::int64_t{0},
                           std::int64_t{256}, std::int64_t{1'000'000'000'000}})
      for (const auto sequence : {std::uint64_t{1}, std::uint64_t{256}})
        keys.push_back(encode_due_key({connector}, {{due}, sequence}));
  CHECK(std::is_sorted(keys.begin(), keys.end()));
  for (const auto& key : keys) {
    const auto id = parse_due_key(key).value().connector;
    CHECK(due_begin(id) < key);
    CHECK(key < due_end(id));
  }
}

TEST_CASE("damaged records are refused or decoded to something, but never read past their end") {
  // Copied into a heap block of exactly their size, so that a sanitizer sees every byte read too far.
  auto random = std::mt19937_64{Catch::getSeed()};
  const auto records = std::vector<std::string>{encode_head(golden_event()) + "{}",
                                                encode_head(golden_attempt()),
                                                encode_head(explained_attempt()),
                                                encode(golden_connector()),
                                                encode_plain(plain_connector()),
                                                encode(round_header{}),
                                                encode(feed_lineage{})};
  const auto decode_all = [](const std::string& bytes) {
    const auto exact = std::vector<char>{bytes.begin(), bytes.end()};
    const auto view = std::string_view{exact.data(), exact.size()};
    static_cast<void>(decode_event(1, view, true));
    static_cast<void>(decode_attempt(1, view));
    static_cast<void>(decode_account_of_attempt(view));
    static_cast<void>(without_answer(view));
    static_cast<void>(decode_account(view));
    static_cast<void>(decode_drops(view));
    static_cast<void>(dropped_record(view));
    static_cast<void>(decode_event_of_attempt(view));
    static_cast<void>(is_dropped_attempt(view));
    static_cast<void>(is_settling_attempt(view));
    static_cast<void>(decode_connector({}, view));
    static_cast<void>(decode_plain_connector({}, view));
    static_cast<void>(decode_commit(view));
    static_cast<void>(decode_lineage(view));
    static_cast<void>(decode_accepted_at(view));
    static_cast<void>(decode_due_entry(view));
    static_cast<void>(parse_due_key(view));
    static_cast<void>(parse_run_key(view));
    static_cast<void>(decode_carried(view));
    static_cast<void>(decode_ended_at(view));
    static_cast<void>(decode_id_entry(view));
    static_cast<void>(parse_event_attempt_key(view));
    static_cast<void>(parse_late_key(view));
  };
  for (const auto& record : records) {
    for (auto size = std::size_t{0}; size <= record.size(); ++size)
      decode_all(record.substr(0, size));
    for (auto i = 0; i < 2'000; ++i) {
      auto damaged = record;
      for (auto flips = random() % 3 + 1; flips > 0; --flips)
        damaged[random() % damaged.size()] = static_cast<char>(random());
      decode_all(damaged);
    }
  }
  SUCCEED();
}

TEST_CASE("strictly: what is short, overlong, of another version or out of range is no record") {
  const auto event = encode_head(golden_event());
  for (auto size = std::size_t{0}; size < event.size(); ++size)
    CHECK(!decode_event(1, std::string_view{event}.substr(0, size), true));
  const auto attempt = encode_head(golden_attempt());
  for (auto size = std::size_t{0}; size < attempt.size(); ++size)
    CHECK(!decode_attempt(1, std::string_view{attempt}.substr(0, size)));
  const auto explained = encode_head(explained_attempt());
  for (auto size = std::size_t{0}; size < explained.size(); ++size)
    CHECK(!decode_attempt(1, std::string_view{explained}.substr(0, size)));
  auto held_without_a_hint = explained;
  held_without_a_hint[25] = 0x1a; // of the flags ff 1e
  CHECK(!decode_attempt(1, held_without_a_hint));
  const auto configured = encode(golden_connector());
  for (auto size = std::size_t{0}; size < configured.size(); ++size)
    CHECK(!decode_connector({}, std::string_view{configured}.substr(0, size)));

  CHECK(!decode_connector({}, configured + "x"));
  CHECK(!decode_plain_connector({}, configured)); // nor the other way round
  CHECK(!decode_connector({}, encode_plain(plain_connector())));
  auto in_the_clear = configured;
  in_the_clear[in_the_clear.find("\x1d\1") + 1] = 'w';
  CHECK(!decode_connector({}, in_the_clear));
  CHECK(!decode_commit(encode(round_header{}) + "x"));
  CHECK(!decode_lineage(encode(feed_lineage{}) + "x"));
  CHECK(!decode_lineage(std::string("\1\0", 2))); // no entries
  const auto rising = encode(feed_lineage::from_entries({{1, 1}, {2, 2}}).value());
  auto falling = rising;
  std::swap_ranges(falling.begin() + 2, falling.begin() + 14, falling.begin() + 14);
  CHECK(!decode_lineage(falling));
  CHECK(!decode_commit(encode(round_header{1, 1, 5, 6, 1}))); // settled beyond the end
  CHECK(!decode_event(1, "\x02" + event.substr(1), true));
  auto unknown_state = attempt;
  unknown_state[9] = 4;
  CHECK(!decode_attempt(1, unknown_state));
  using namespace std::string_view_literals;
  CHECK(!decode_due_entry("\x80\x00"sv));                                 // longer than need be
  CHECK(!decode_due_entry("\xff\xff\xff\xff\x1f"sv));                     // over 32 bits
  CHECK(!decode_due_entry("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"sv)); // over 64 bits
  CHECK(!decode_format("another-partition\0\0\0\1"sv));
  CHECK(!parse_due_key("crm\0"sv));
  CHECK(!parse_u64("1234567"));
  CHECK(!parse_u64("123456789"));
}
