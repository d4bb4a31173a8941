#include "cluster/log_position.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

using namespace vicket;

namespace {

log_position position_of(std::optional<claim_owner> owner, bool owned) {
  record_digest digest{};
  for (std::size_t i = 0; i < digest.size(); ++i)
    digest[i] = static_cast<unsigned char>(i * 7);
  return {log_history{{3, 1'000'000'007, 12, record_kind::round, 1'000'000'006}, digest, owned},
          std::move(owner)};
}

} // namespace

TEST_CASE("a position in the log comes back as it was stored") {
  for (const auto owned : {false, true})
    for (const auto& owner : {std::optional<claim_owner>{}, std::optional{claim_owner{"node-a", 17}}}) {
      const auto stored = position_of(owner, owned);
      const auto found = decode_log_position(encode(stored));
      REQUIRE(found);
      CHECK(found->history.last() == stored.history.last());
      CHECK(found->history.digest() == stored.history.digest());
      CHECK(found->history.owned() == owned);
      CHECK(found->owner == owner);
    }
}

TEST_CASE("what is no position is not taken for one") {
  const auto whole = encode(position_of(std::nullopt, true));
  CHECK(!decode_log_position(""));
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes)
    CHECK(!decode_log_position(whole.substr(0, bytes)));
  auto other = whole;
  other[0] = 2; // a version that is not known
  CHECK(!decode_log_position(other));
  other = whole;
  other[29] = 9; // a kind that there is not
  CHECK(!decode_log_position(other));
}
