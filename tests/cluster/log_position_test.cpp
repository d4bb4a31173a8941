#include "cluster/log_position.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

using namespace vicket;

namespace {

log_position position_of(std::optional<claim_owner> owner, bool owned, placement_copies copies = {}) {
  record_digest digest{};
  for (std::size_t i = 0; i < digest.size(); ++i)
    digest[i] = static_cast<unsigned char>(i * 7);
  return {log_history{{3, 1'000'000'007, 12, record_kind::round, 1'000'000'006}, digest, owned},
          std::move(owner), std::move(copies)};
}

} // namespace

TEST_CASE("a position in the log comes back as it was stored") {
  for (const auto owned : {false, true})
    for (const auto& owner : {std::optional<claim_owner>{}, std::optional{claim_owner{"node-a", 17}}})
      for (const auto& copies : {placement_copies{}, placement_copies{"node-a", "node-b"}}) {
        const auto stored = position_of(owner, owned, copies);
        const auto found = decode_log_position(encode(stored));
        REQUIRE(found);
        CHECK(found->history.last() == stored.history.last());
        CHECK(found->history.digest() == stored.history.digest());
        CHECK(found->history.owned() == owned);
        CHECK(found->owner == owner);
        CHECK(found->copies == copies);
      }
}

TEST_CASE("a position that was stored before there were records of copies is read") {
  const claim_owner owner{"node-a", 17};
  auto stored = encode(position_of(owner, true));
  stored[0] = 1;
  stored.erase(stored.size() - owner.node.size() - 1, 1); // the length of the name
  const auto found = decode_log_position(stored);
  REQUIRE(found);
  CHECK(found->owner == owner);
  CHECK(found->copies.empty());
}

TEST_CASE("what is no position is not taken for one") {
  const auto whole = encode(position_of(std::nullopt, true));
  CHECK(!decode_log_position(""));
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes)
    CHECK(!decode_log_position(whole.substr(0, bytes)));
  auto other = whole;
  other[0] = 3; // a version that is not known
  CHECK(!decode_log_position(other));
  other = whole;
  other[29] = 9; // a kind that there is not
  CHECK(!decode_log_position(other));
  CHECK(!decode_log_position(whole + "a,,b")); // copies that are none
}
