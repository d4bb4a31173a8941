#include "bench/harness/node_session.hpp"

#include <catch2/catch_test_macros.hpp>

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace vicket;
using namespace vicket::bench;

namespace {

node_status page_of(const std::vector<std::string>& connectors, bool more) {
  node_status page;
  page.more = more;
  page.connectors_configured = 7;
  page.partitions.push_back({});
  for (const auto& id : connectors) {
    connector_status one;
    one.id = {id};
    page.connectors.push_back(std::move(one));
  }
  return page;
}

/// Answers with these pages, and notes what was asked for.
struct scripted_node {
  std::vector<node_status> pages;
  std::vector<std::string> asked_after; ///< "" for the first page

  node_status operator()(const connector_id& after) {
    asked_after.push_back(after.value);
    return pages.at(asked_after.size() - 1);
  }
};

std::vector<std::string> ids_in(const node_status& status) {
  std::vector<std::string> ids;
  for (const auto& one : status.connectors)
    ids.push_back(one.id.value);
  return ids;
}

} // namespace

TEST_CASE("A status of one page is that page") {
  scripted_node node{{page_of({"a", "b"}, false)}, {}};
  const auto status = whole_status(std::ref(node));
  CHECK(ids_in(status) == std::vector<std::string>{"a", "b"});
  CHECK(status.connectors_configured == 7);
  CHECK(status.partitions.size() == 1); // totals are in every page, and are not added up
}

TEST_CASE("A status of several pages has the connectors of all, each page asked for after the one before") {
  scripted_node node{{page_of({"a", "b"}, true), page_of({"c"}, true), page_of({"d"}, false)}, {}};
  const auto status = whole_status(std::ref(node));
  CHECK(ids_in(status) == std::vector<std::string>{"a", "b", "c", "d"});
  CHECK(node.asked_after == std::vector<std::string>{"", "b", "c"});
  CHECK(status.partitions.size() == 1);
}

TEST_CASE("A page without connectors ends a status, whatever it says: there is nothing to go on after") {
  scripted_node node{{page_of({"a"}, true), page_of({}, true)}, {}};
  CHECK(ids_in(whole_status(std::ref(node))) == std::vector<std::string>{"a"});
  CHECK(node.asked_after == std::vector<std::string>{"", "a"});
}
