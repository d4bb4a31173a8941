// A node that lost one of the actors that it cannot be without.

#include "tests/system/real_node.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <csignal>
#include <string>

using namespace vicket;
using namespace vicket::testing;

TEST_CASE("a node whose gateway died ends by itself with exit code 70 and says so on standard error") {
  const temporary_folder folder;
  process node{{FAULTY_NODE_PATH, folder.path() + "/data", "headless", "0"}};
  static_cast<void>(node.line_with("faulty ready"));
  node.signal(SIGUSR1);
  CHECK(node.wait() == 70);
  CHECK_THAT(node.errors(), Catch::Matchers::ContainsSubstring("gateway"));
}
