#include "policy/append_settling.hpp"
#include "policy/log_history.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

using namespace vicket;

namespace {

struct made_record {
  record_head head;
  std::string body;
  record_digest digest;
};

made_record after(const log_history& history, record_head head, const std::string& body = "body") {
  return {head, body, digest_of(history.digest(), head, body)};
}

std::string take(log_history& history, const made_record& record) {
  return history.take(record.head, record.digest, record.body);
}

/// Genesis at 5, claim at 6.
log_history claimed() {
  log_history history;
  REQUIRE(take(history, after(history, {2, 5, 1, record_kind::genesis, 4})).empty());
  REQUIRE(take(history, after(history, history.next(record_kind::claim, 5))).empty());
  return history;
}

} // namespace

TEST_CASE("a digest covers each field, and the record before") {
  const record_head head{1, 2, 3, record_kind::round, 1};
  const auto digest = digest_of({}, head, "body");
  CHECK(digest == digest_of({}, head, "body"));
  CHECK(digest != digest_of({1}, head, "body"));
  CHECK(digest != digest_of({}, head, "body."));
  for (const auto& other :
       {record_head{2, 2, 3, record_kind::round, 1}, record_head{1, 3, 3, record_kind::round, 1},
        record_head{1, 2, 4, record_kind::round, 1}, record_head{1, 2, 3, record_kind::claim, 1},
        record_head{1, 2, 3, record_kind::round, 0}})
    CHECK(digest != digest_of({}, other, "body"));
}

TEST_CASE("a digest's bytes are pinned") {
  const auto digest = digest_of({}, {1, 2, 3, record_kind::round, 1}, "body");
  std::string text;
  for (const auto byte : digest) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  // Python: hashlib.sha256(bytes(32) + struct.pack('<IQQBQ', 1, 2, 3, 3, 1) + b'body').hexdigest()
  CHECK(text == "6ba6fd838e356190f6ba7f400825097d95274e49bd07da11122e556f33d19176");
}

TEST_CASE("a log begins with a genesis, is claimed, and has rounds of its owner") {
  log_history history;
  CHECK(history.empty());
  CHECK_FALSE(take(history, after(history, {2, 1, 1, record_kind::claim, 0})).empty());
  CHECK_FALSE(take(history, after(history, {2, 0, 1, record_kind::genesis, 0})).empty());
  CHECK_FALSE(take(history, after(history, {2, 5, 1, record_kind::genesis, 5})).empty());
  CHECK(take(history, after(history, {2, 5, 1, record_kind::genesis, 4})).empty());
  CHECK_FALSE(history.owned());
  CHECK_FALSE(take(history, after(history, history.next(record_kind::round, 5))).empty()); // of whom?
  CHECK(take(history, after(history, history.next(record_kind::claim, 5))).empty());
  CHECK(history.owned());
  CHECK(history.last().epoch == 2);
  CHECK(take(history, after(history, history.next(record_kind::round, 5))).empty());
  CHECK(take(history, after(history, history.next(record_kind::copies, 7))).empty());
  CHECK(take(history, after(history, history.next(record_kind::claim, 7))).empty()); // another takes it
  CHECK(history.last().epoch == 3);
  CHECK(take(history, after(history, history.next(record_kind::yield, 9))).empty());
  CHECK_FALSE(history.owned());
  CHECK_FALSE(take(history, after(history, history.next(record_kind::round, 10))).empty());
  CHECK(history.last().number == 10);
}

TEST_CASE("nothing else follows a record than its successor") {
  const auto owned = claimed();
  const auto right = owned.next(record_kind::round, 6);
  struct wrong {
    const char* what;
    record_head head;
  };
  const wrong table[] = {
      {"another partition", {3, 7, 2, record_kind::round, 6}},
      {"the same number", {2, 6, 2, record_kind::round, 5}},
      {"a gap", {2, 8, 2, record_kind::round, 6}},
      {"an older epoch", {2, 7, 1, record_kind::round, 6}},
      {"a newer epoch without a claim", {2, 7, 3, record_kind::round, 6}},
      {"a claim of the same epoch", {2, 7, 2, record_kind::claim, 6}},
      {"a claim that leaves one out", {2, 7, 4, record_kind::claim, 6}},
      {"durable before it is appended", {2, 7, 2, record_kind::round, 7}},
      {"less durable than the one before", {2, 7, 2, record_kind::round, 4}},
      {"a kind of a later version", {2, 7, 2, static_cast<record_kind>(6), 6}},
      {"no kind", {2, 7, 2, static_cast<record_kind>(0), 6}},
  };
  for (const auto& each : table) {
    INFO(each.what);
    auto history = owned;
    CHECK_FALSE(take(history, after(history, each.head)).empty());
    CHECK(history.last() == owned.last());
    CHECK(history.digest() == owned.digest());
  }
  auto history = owned;
  auto changed = after(history, right);
  changed.body += '.';
  CHECK_FALSE(take(history, changed).empty());
  CHECK_FALSE(history.take(right, record_digest{}, "body").empty());
  CHECK(take(history, after(history, right)).empty());
}

TEST_CASE("an append is settled by what the table says") {
  using step = append_settling::step;
  const record_digest before{1}, own{2}, other{3};
  const auto fresh = append_settling{7, before, own};
  auto unknown = fresh;
  CHECK(unknown.on_reply(append_reply::unknown) == step::send);
  for (auto settling : {fresh, unknown}) {
    CHECK(settling.on_reply(append_reply::stored) == step::durable);
    CHECK(settling.on_reply(append_reply::absent) == step::look);
  }
  auto settling = fresh;
  CHECK(settling.on_reply(append_reply::refused) == step::refused);
  CHECK(unknown.on_reply(append_reply::refused) == step::send); // the earlier one may still come

  struct look {
    const char* what;
    append_look seen;
    step next;
  };
  const look table[] = {
      {"our own", {before, own, 7, 0, false}, step::durable},
      {"our own, though halted since", {before, own, 7, 0, true}, step::durable},
      {"our own, the one before trimmed", {std::nullopt, own, 9, 7, false}, step::durable},
      {"another's", {before, other, 8, 0, false}, step::lost},
      {"nobody's: an insert of another came to nothing", {before, std::nullopt, 6, 0, false}, step::send},
      {"nobody's, and halted", {before, std::nullopt, 6, 0, true}, step::halted},
      {"trimmed with ours", {std::nullopt, std::nullopt, 20, 15, false}, step::behind},
      {"the one before trimmed", {std::nullopt, std::nullopt, 7, 7, false}, step::behind},
      {"the one before is another", {other, std::nullopt, 6, 0, false}, step::broken},
      {"the log is shorter than it was", {std::nullopt, std::nullopt, 4, 0, false}, step::broken},
      {"the log is empty", {std::nullopt, std::nullopt, 0, 0, false}, step::broken},
  };
  for (const auto& each : table) {
    INFO(each.what);
    CHECK(fresh.on_look(each.seen) == each.next);
  }
}
