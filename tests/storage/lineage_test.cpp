// Each opening writes under a tag of its own, so that copies of one folder can be told apart.

#include "store_fixture.hpp"

#include <filesystem>

using namespace vicket;
using namespace vicket::test;

namespace {

store_options tagged(const std::filesystem::path& folder, std::uint32_t tag) {
  auto result = small_options(nullptr, folder);
  result.lineage_tag = tag;
  return result;
}

std::vector<lineage_entry> entries_of(const partition_store& store) {
  return store.lineage().entries();
}

} // namespace

TEST_CASE("an opening's tag is stored with the first that it writes, and not by one that writes nothing") {
  const auto folder = scratch_folder{};
  const auto path = folder.path() / "p";
  auto store = open_store(tagged(path, 0xa));
  CHECK(entries_of(*store) == std::vector<lineage_entry>{{0, 0}, {1, 0xa}});
  CHECK(store->committed_end() == 0);

  // given one that stored a connector only
  auto batch = write_batch{};
  batch.put_connector({});
  REQUIRE(store->commit(batch, 1).ok());
  store.reset();

  // then the next one takes its place
  store = open_store(tagged(path, 0xb));
  CHECK(entries_of(*store) == std::vector<lineage_entry>{{0, 0}, {1, 0xb}});
  for (auto i = 0; i < 3; ++i)
    accept(*store, true);
  CHECK(store->committed_end() == 3);
  store.reset();

  // and one that wrote something is followed by the next
  for (const auto tag : {0xcu, 0xdu}) {
    store = open_store(tagged(path, tag));
    CHECK(store->committed_end() == 3);
    CHECK(entries_of(*store) == std::vector<lineage_entry>{{0, 0}, {1, 0xb}, {4, tag}});
    store.reset();
  }
}

TEST_CASE("copies of a folder never give out one tag for different things") {
  const auto folder = scratch_folder{};
  const auto original = folder.path() / "p";
  const auto copy = folder.path() / "copy";
  auto store = open_store(tagged(original, 0xa));
  accept(*store, true);
  store.reset();
  std::filesystem::copy(original, copy, std::filesystem::copy_options::recursive);

  // given both written on, the copy much further
  store = open_store(tagged(original, 0xb));
  accept(*store, true);
  const auto seen = store->committed_end();
  const auto tag = store->lineage().tag_of(seen);
  store.reset();
  store = open_store(tagged(copy, 0xc));
  for (auto i = 0; i < 10; ++i)
    accept(*store, true);

  // then the copy knows that it is not what a reader of the original has seen, also after more openings
  for (const auto next_tag : {0xdu, 0xeu, 0xfu}) {
    CHECK_FALSE(store->lineage().common_up_to(seen, tag, store->committed_end()));
    CHECK(store->lineage().common_up_to(1, 0xa, store->committed_end()) == 1);
    store.reset();
    store = open_store(tagged(copy, next_tag));
    accept(*store, true);
  }
}

TEST_CASE("numbers that were taken for what never came to the disk are no positions of an older tag") {
  const auto folder = scratch_folder{};
  const auto path = folder.path() / "p";
  auto store = open_store(tagged(path, 0xa));
  accept(*store, true);
  store.reset();

  // given an opening that took numbers, and committed only something else
  store = open_store(tagged(path, 0xb));
  static_cast<void>(store->allocate_sequence());
  auto batch = write_batch{};
  batch.put_connector({});
  REQUIRE(store->commit(batch, 1).ok());
  store.reset();

  // then they are under its tag
  store = open_store(tagged(path, 0xc));
  CHECK(store->committed_end() == 2);
  CHECK(store->lineage().tag_of(2) == 0xb);
}

TEST_CASE("an older tag is known as long as a reader of it may have missed nothing, whatever is kept") {
  const auto folder = scratch_folder{};
  const auto path = folder.path() / "p";
  auto store = open_store(tagged(path, 0xa));
  const auto event = accept(*store, true);
  auto batch = write_batch{};
  const auto attempt = store->allocate_sequence();
  batch.add_attempt({"crm-prod"}, attempt_of(attempt, event, 1), {}, false);
  REQUIRE(store->commit(batch, store->next_sequence()).ok());
  store.reset();

  // given numbers that were taken for nothing, and a retention that has passed them and the attempt
  store = open_store(tagged(path, 0xb));
  static_cast<void>(store->allocate_sequence());
  batch.clear();
  batch.put_lineage(store->lineage());
  batch.put_lost(attempt);
  auto header = store->last_round();
  ++header.number;
  header.next_sequence = header.settled_below = header.oldest_kept = store->next_sequence();
  REQUIRE(store->apply(sealed_round{std::move(batch), header}, partition_store::durability::synced).ok());
  REQUIRE(store->last_lost_attempt() == attempt);
  store.reset();

  // then a reader that has seen the attempt is still at home
  store = open_store(tagged(path, 0xc));
  CHECK(store->lineage().common_up_to(attempt, 0xa, store->committed_end()) == attempt);
}
