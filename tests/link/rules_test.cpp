#include "link/caf_session.hpp"
#include "link/frames.hpp"
#include "link/handshake.hpp"
#include "link/reconnect_plan.hpp"
#include "link/roles.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

using namespace vicket;
using namespace vicket::internal;
using namespace std::chrono_literals;

namespace {

template <class Body>
std::string frame(std::uint8_t kind, std::uint64_t request, Body body) {
  return std::string{encode_frame({kind, request}, body).bytes};
}

template <class Body>
std::string body_of(Body body) {
  return frame(1, 1, std::move(body)).substr(frame_head_bytes);
}

} // namespace

TEST_CASE("the table of kinds is the wire: numbers, roles and bounds", "[link]") {
  struct row {
    std::uint8_t number;
    bool sender;
    bool operators;
    std::size_t bytes;
  };
  constexpr std::size_t small = 1'024;
  for (const auto& [number, sender, operators, bytes] :
       {row{1, true, false, 20u << 20}, row{2, true, false, (32u << 20) - 9}, row{3, true, true, 16 * small},
        row{4, true, true, 16 * small}, row{5, true, true, 16 * small}, row{6, false, true, 128 * small},
        row{7, false, true, small}, row{8, false, true, small}, row{9, false, true, small},
        row{10, false, true, small}, row{26, true, false, 20u << 20}, row{27, true, false, (32u << 20) - 9},
        row{28, false, true, small << 10}, row{29, false, true, small}, row{30, false, true, small},
        row{31, false, true, small}, row{32, false, true, 20u << 20}}) {
    CAPTURE(static_cast<int>(number));
    const auto head = frame(number, 7, nothing{});
    const auto as_sender = judge_caf_head(head, false, role_sender);
    const auto as_operator = judge_caf_head(head, false, role_operator);
    CHECK(std::holds_alternative<std::size_t>(as_sender) == sender);
    CHECK(std::holds_alternative<std::size_t>(as_operator) == operators);
    CHECK(std::get<std::size_t>(sender ? as_sender : as_operator) == bytes + 9);
    CHECK(std::holds_alternative<close_reason>(judge_caf_head(head, false, role_peer)));
  }
  for (const auto& [number, bytes] :
       {std::pair{11, (32u << 20) - 9}, std::pair{12, 129u << 10}, std::pair{13, 2048u}, std::pair{14, 2048u},
        std::pair{15, 2048u}, std::pair{16, 2048u}, std::pair{17, 17u << 10}, std::pair{18, 17u << 10},
        std::pair{19, 16u << 10}, std::pair{20, 1024u}, std::pair{21, 1024u}, std::pair{22, 258u << 10},
        std::pair{23, 1024u}, std::pair{24, 1024u}, std::pair{25, 1024u}, std::pair{34, 1024u},
        std::pair{35, 1024u}, std::pair{36, 1024u}}) {
    CAPTURE(number);
    const auto head = frame(static_cast<std::uint8_t>(number), 7, nothing{});
    CHECK(std::get<std::size_t>(judge_caf_head(head, false, role_peer)) == bytes + 9);
    const auto others = judge_caf_head(head, false, role_sender | role_operator);
    CHECK(std::get<close_reason>(others).code == 1008);
    CHECK(std::get<close_reason>(others).text ==
          "kind " + std::to_string(number) + " is not for who is sender, operator only");
  }
  CHECK(kind_of<of_partition<accept_events>> == 11);
  CHECK(kind_of<of_partition<put_connector>> == 12);
  CHECK(kind_of<of_partition<get_connector>> == 13);
  CHECK(kind_of<of_partition<delete_connector>> == 14);
  CHECK(kind_of<of_partition<list_connectors>> == 15);
  CHECK(kind_of<of_partition<get_partition_overview>> == 16);
  CHECK(kind_of<of_partition<find_partition_events>> == 17);
  CHECK(kind_of<of_partition<find_partition_run>> == 18);
  CHECK(kind_of<of_partition<read_partition_histories>> == 19);
  CHECK(kind_of<of_partition<read_partition_outcomes>> == 20);
  CHECK(kind_of<await_feed> == 21);
  CHECK(kind_of<of_partition<put_setting>> == 22);
  CHECK(kind_of<of_partition<delete_setting>> == 23);
  CHECK(kind_of<of_partition<get_setting>> == 24);
  CHECK(kind_of<of_partition<list_settings>> == 25);
  CHECK(kind_of<open_checkpoint> == 34);
  CHECK(kind_of<read_checkpoint> == 35);
  CHECK(kind_of<close_checkpoint> == 36);
  CHECK(kind_of<trigger> == 26);
  CHECK(kind_of<trigger_batch> == 27);
  CHECK(kind_of<put_rule> == 28);
  CHECK(kind_of<get_rule> == 29);
  CHECK(kind_of<delete_rule> == 30);
  CHECK(kind_of<list_rules> == 31);
  CHECK(kind_of<try_rules> == 32);
  CHECK(kind_of<make_backup> == 33);
  CHECK(kind_of<send_to_connector> == 1);
  CHECK(kind_of<send_batch> == 2);
  CHECK(kind_of<get_event> == 3);
  CHECK(kind_of<get_run> == 4);
  CHECK(kind_of<read_outcomes> == 5);
  CHECK(kind_of<put_connector> == 6);
  CHECK(kind_of<get_connector> == 7);
  CHECK(kind_of<delete_connector> == 8);
  CHECK(kind_of<list_connectors> == 9);
  CHECK(kind_of<get_status> == 10);
  const auto all = role_sender | role_operator | role_peer;
  CHECK(std::get<close_reason>(judge_caf_head(frame(0, 1, nothing{}), false, all)).code == 1002);
  CHECK(std::get<close_reason>(judge_caf_head(frame(37, 1, nothing{}), false, all)).code == 1002);
  CHECK(std::get<close_reason>(judge_caf_head(frame(0x81, 1, nothing{}), false, all)).code == 1002);
  CHECK(std::get<close_reason>(judge_caf_head("\x01\0\0\0\0\0\0\0", false, all)).code == 1002);
  CHECK(std::get<close_reason>(judge_caf_head(frame(1, 1, nothing{}), true, all)).code == 1003);
  CHECK(std::get<close_reason>(judge_caf_head(frame(6, 1, nothing{}), false, role_sender)).code == 1008);
}

TEST_CASE("a frame is kind, number and body, and a body is the whole of the rest", "[link]") {
  const auto bytes = frame(5, 0x0102030405060708, read_outcomes{"c", 2, 3});
  CHECK(bytes.substr(0, 9) == std::string{"\x05\x01\x02\x03\x04\x05\x06\x07\x08"});
  const auto head = read_frame_head(bytes);
  REQUIRE(head);
  CHECK(head->request == 0x0102030405060708);
  CHECK_FALSE(read_frame_head(bytes.substr(0, 8)));
  const auto body = bytes.substr(9);
  read_outcomes read;
  REQUIRE(decode_body(body, read));
  CHECK(read.cursor == "c");
  CHECK(read.limit == 2);
  CHECK_FALSE(decode_body(body + "x", read));
  for (std::size_t size = 0; size < body.size(); ++size)
    CHECK_FALSE(decode_body(body.substr(0, size), read));
}

TEST_CASE("counts are looked at before anything is allocated for them", "[link]") {
  send_batch batch;
  batch.items.resize(send_batch::max_items);
  CHECK(counts_are_bounded(2, body_of(batch)));
  batch.items.emplace_back();
  CHECK_FALSE(counts_are_bounded(2, body_of(batch)));
  CHECK_FALSE(counts_are_bounded(2, "\xff\xff\xff\xff\x0f")); // 2^32 - 1
  CHECK_FALSE(counts_are_bounded(2, "\xff\xff\xff\xff\xff\xff\xff\xff"));
  CHECK_FALSE(counts_are_bounded(2, ""));

  connector value;
  value.id = {"x"};
  value.url = "https://x";
  value.headers.resize(128);
  value.secret_headers.resize(128);
  value.events.resize(256);
  CHECK(counts_are_bounded(6, body_of(put_connector{value})));
  auto more = value;
  more.headers.emplace_back();
  CHECK_FALSE(counts_are_bounded(6, body_of(put_connector{more})));
  more = value;
  more.secret_headers.emplace_back();
  CHECK_FALSE(counts_are_bounded(6, body_of(put_connector{more})));
  more = value;
  more.events.emplace_back();
  CHECK_FALSE(counts_are_bounded(6, body_of(put_connector{more})));
  value.headers.clear();
  value.secret_headers.clear();
  value.events.clear();
  of_partition<accept_events> forwarded{3, {3, {}}};
  forwarded.body.events.resize(send_batch::max_items);
  CHECK(counts_are_bounded(11, body_of(forwarded)));
  forwarded.body.events.emplace_back();
  CHECK_FALSE(counts_are_bounded(11, body_of(forwarded)));
  using namespace std::string_literals;
  CHECK_FALSE(counts_are_bounded(11, "\0\0\0\3\0\0\0\3\xff\xff\xff\xff\x0f"s));
  CHECK_FALSE(counts_are_bounded(11, "\0\0\0\3\0\0\0"s));
  CHECK_FALSE(counts_are_bounded(11, ""));
  of_partition<read_partition_histories> wanted{3, {}};
  wanted.body.wanted.resize(event_page::max_events);
  CHECK(counts_are_bounded(19, body_of(wanted)));
  wanted.body.wanted.emplace_back();
  CHECK_FALSE(counts_are_bounded(19, body_of(wanted)));
  CHECK_FALSE(counts_are_bounded(19, "\0\0\0\3\xff\xff\xff\xff\x0f"s));
  CHECK_FALSE(counts_are_bounded(12, body_of(of_partition<put_connector>{3, {more}})));
  CHECK(counts_are_bounded(12, body_of(of_partition<put_connector>{3, {value}})));

  const auto good = body_of(put_connector{value});
  CHECK_FALSE(counts_are_bounded(6, good.substr(0, 3)));
  CHECK_FALSE(counts_are_bounded(6, "\xff\xff\xff\xff\x0fx"));
}

TEST_CASE("roles come from the names of a certificate, once there is a rule", "[link]") {
  const std::vector<role_rule> rules{std::get<role_rule>(parse_role_rule("*.engines.test=sender")),
                                     std::get<role_rule>(parse_role_rule("ops.test=operator")),
                                     std::get<role_rule>(parse_role_rule("spiffe://x/node=peer"))};
  const auto of = [&](std::vector<std::string> names, bool certified = true) {
    peer_identity peer;
    peer.certified = certified;
    peer.names = std::move(names);
    return roles_of(peer, rules);
  };
  CHECK(of({"a.engines.test"}) == role_sender);
  CHECK(of({"ops.test", "a.engines.test"}) == (role_sender | role_operator));
  CHECK(of({"spiffe://x/node"}) == role_peer);
  CHECK(of({"engines.test", "other"}) == 0);
  CHECK(of({}) == 0);
  CHECK(of({}, false) == (role_sender | role_operator)); // local
  peer_identity any;
  any.certified = true;
  CHECK(roles_of(any, {}) == (role_sender | role_operator));
  // Who comes in locally is a node of the cluster only where the port is told so; a certificate needs a rule.
  const peer_identity local;
  CHECK(roles_of(local, {}, true) == (role_sender | role_operator | role_peer));
  CHECK(roles_of(local, rules, true) == (role_sender | role_operator | role_peer));
  CHECK(roles_of(any, {}, true) == (role_sender | role_operator));
  CHECK(roles_of(any, rules, true) == 0);

  for (const auto* bad :
       {"", "x", "x=", "x=admin", "=sender", "*=sender", "a b=sender", "x=sender,operator"}) {
    CAPTURE(bad);
    CHECK(std::holds_alternative<std::string>(parse_role_rule(bad)));
  }
}

TEST_CASE("an upgrade gets the roles that it wants and may have, and the limits", "[link]") {
  const std::vector<role_rule> rules{{"e.test", role_sender}};
  peer_identity engine;
  engine.certified = true;
  engine.names = {"e.test"};
  const auto judge = [&](const peer_identity& peer, const std::string& versions, const std::string& roles) {
    request_head head;
    if (!versions.empty())
      head.fields.emplace_back("Vicket-Versions", versions);
    if (!roles.empty())
      head.fields.emplace_back("Vicket-Roles", roles);
    return judge_link(head, peer, rules, {}, {101, {}, "vicket.caf.1"});
  };
  const auto good = judge(engine, "1-1", "sender");
  CHECK(good.status == 101);
  CHECK(good.fields == std::vector<std::pair<std::string, std::string>>{{"Vicket-Version", "1"},
                                                                        {"Vicket-Roles", "sender"},
                                                                        {"Vicket-Max-Message", "33554432"},
                                                                        {"Vicket-Max-Requests", "256"}});
  CHECK(judge(engine, "", "").status == 101);
  CHECK(judge(engine, "0-7", "sender").status == 101);
  for (const auto* versions : {"2-3", "0-0", "1", "a-b", "-1", "1-", "1-1-1"})
    CHECK(judge(engine, versions, "sender").status == 400);
  CHECK(judge(engine, "1-1", "operator").status == 403);
  CHECK(judge(engine, "1-1", "sender, operator").status == 403);
  CHECK(judge(engine, "1-1", "king").status == 403);
  peer_identity stranger;
  stranger.certified = true;
  CHECK(judge(stranger, "1-1", "").status == 403);
  const peer_identity local;
  CHECK(judge(local, "1-1", "sender, operator").status == 101);
}

TEST_CASE("nodes are dialled in turn, then after a pause that grows", "[link]") {
  reconnect_plan plan{3};
  CHECK(plan.node() == 0);
  CHECK(plan.failed(0) == 0ms);
  CHECK(plan.node() == 1);
  CHECK(plan.failed(0) == 0ms);
  CHECK(plan.node() == 2);
  CHECK(plan.failed(0) == 50ms); // all were tried
  CHECK(plan.node() == 0);
  for (const auto expected : {100ms, 200ms, 400ms, 800ms, 1'600ms, 2'500ms, 2'500ms}) {
    CHECK(plan.failed(0) == 0ms);
    CHECK(plan.failed(0) == 0ms);
    CHECK(plan.failed(0) == expected);
  }
  const reconnect_plan::time_point start{};
  plan.connected(start);
  CHECK(plan.lost(start + 4'999ms, 0.5) == 3'750ms); // it was none
  plan.connected(start);
  CHECK(plan.lost(start + 5s, 0.5) == 75ms);
  CHECK(plan.lost(start + 5s, 0.999) < 200ms + 1ms);
}
