#include "actors/connector_pages.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <vector>

using namespace vicket;

namespace {

connector_view named(const std::string& id, std::size_t bytes = 0) {
  connector_view view;
  view.value.id = {id};
  view.value.name.assign(bytes, 'x');
  return view;
}

connector_page page_of(const std::vector<std::string>& ids, bool more) {
  connector_page page;
  for (const auto& id : ids)
    page.connectors.push_back(named(id));
  page.more = more;
  return page;
}

std::string ids_of(const connector_page& page) {
  std::string text;
  for (const auto& each : page.connectors)
    text += each.value.id.value + ' ';
  return text + (page.more ? "..." : ".");
}

} // namespace

TEST_CASE("a page of connectors ends at its number, or at its bytes, and has one at least") {
  connector_page_filler few{2};
  CHECK(few.add(named("a")));
  CHECK(few.add(named("b")));
  CHECK_FALSE(few.add(named("c")));
  CHECK(ids_of(few.take()) == "a b ...");

  const auto half = max_connector_page_bytes / 2 - page_bytes_of(named("a").value);
  connector_page_filler exact{10};
  CHECK(exact.add(named("a", half)));
  CHECK(exact.add(named("b", half)));
  CHECK_FALSE(exact.add(named("c")));
  connector_page_filler large{10};
  CHECK(large.add(named("a", 2 * max_connector_page_bytes)));
  CHECK_FALSE(large.add(named("b")));
  CHECK(ids_of(large.take()) == "a ...");
}

TEST_CASE("everything that a connector is made of counts") {
  const connector empty;
  const auto grown_by = [&](auto change) {
    auto value = empty;
    change(value);
    return page_bytes_of(value) - page_bytes_of(empty);
  };
  const std::string hundred(100, 'x');
  CHECK(grown_by([&](connector& c) { c.id.value = hundred; }) >= 100);
  CHECK(grown_by([&](connector& c) { c.name = hundred; }) >= 100);
  CHECK(grown_by([&](connector& c) { c.url = hundred; }) >= 100);
  CHECK(grown_by([&](connector& c) { c.secret = {hundred}; }) >= 100);
  CHECK(grown_by([&](connector& c) { c.headers = {{hundred, hundred}}; }) >= 200);
  CHECK(grown_by([&](connector& c) { c.secret_headers = {{hundred, {hundred}}}; }) >= 200);
  CHECK(grown_by([&](connector& c) { c.events = {hundred, hundred}; }) >= 200);
}

TEST_CASE("pages of partitions make one, which skips nothing") {
  CHECK(ids_of(merge_pages({}, 5)) == ".");
  CHECK(ids_of(merge_pages({page_of({"b", "d"}, false), page_of({"a", "c"}, false)}, 5)) == "a b c d .");
  CHECK(ids_of(merge_pages({page_of({"b", "d"}, false), page_of({"a", "c"}, false)}, 3)) == "a b c ...");
  // The first has more behind "b", of which some may come before "c".
  CHECK(ids_of(merge_pages({page_of({"a", "b"}, true), page_of({"c", "d"}, false)}, 5)) == "a b ...");
  CHECK(ids_of(merge_pages({page_of({"a", "d"}, true), page_of({"b", "c", "e"}, true)}, 5)) == "a b c d ...");
  CHECK(ids_of(merge_pages({page_of({"a"}, true), page_of({}, false)}, 5)) == "a ...");
}

TEST_CASE("one page after the other shows every connector once, however large they are") {
  std::vector<std::vector<connector_view>> partitions(3);
  for (int i = 0; i < 300; ++i)
    partitions[static_cast<std::size_t>(i * 7 % 3)].push_back(
        named(std::to_string(1'000 + i), static_cast<std::size_t>(i % 5) * 40'000));
  std::string seen;
  connector_id after;
  for (auto pages = 0;; ++pages) {
    REQUIRE(pages < 300);
    std::vector<connector_page> parts;
    for (const auto& of : partitions) {
      connector_page_filler filler{1'000};
      for (const auto& each : of)
        if (after < each.value.id && !filler.add(each))
          break;
      parts.push_back(filler.take());
    }
    const auto page = merge_pages(std::move(parts), 1'000);
    for (const auto& each : page.connectors)
      seen += each.value.id.value + ' ';
    if (!page.more)
      break;
    REQUIRE_FALSE(page.connectors.empty());
    after = page.connectors.back().value.id;
  }
  std::string all;
  for (int i = 0; i < 300; ++i)
    all += std::to_string(1'000 + i) + ' ';
  CHECK(seen == all);
}
