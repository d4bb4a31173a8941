#include "policy/dial_order.hpp"

#include <catch2/catch_test_macros.hpp>

#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace vicket {

namespace {

std::vector<ip_address> addresses_of(const std::string& texts) {
  std::vector<ip_address> result;
  std::istringstream words{texts};
  for (std::string word; words >> word;)
    result.push_back(ip_address::parse(word).value());
  return result;
}

std::string text_of(const std::vector<ip_address>& addresses) {
  std::string result;
  for (const auto& address : addresses)
    result += (result.empty() ? "" : " ") + address.to_string();
  return result;
}

} // namespace

TEST_CASE("the families are dialled in turn, IPv6 first, from the address that is to be the first") {
  struct order {
    const char* given;
    const char* first; ///< empty: none
    const char* dialled;
  };
  const std::vector<order> table{
      {"", "", ""},
      {"", "1.1.1.1", ""},
      {"1.1.1.1", "", "1.1.1.1"},
      {"1.1.1.1", "1.1.1.1", "1.1.1.1"},
      {"1.1.1.1", "2.2.2.2", "1.1.1.1"},
      {"2.2.2.2 1.1.1.1", "", "2.2.2.2 1.1.1.1"}, // the name server's order is its owner's
      {"1.1.1.1 2600::1", "", "2600::1 1.1.1.1"},
      {"1.1.1.1 2.2.2.2 2600::1", "", "2600::1 1.1.1.1 2.2.2.2"},
      {"1.1.1.1 2600::1 2600::2 2600::3", "", "2600::1 1.1.1.1 2600::2 2600::3"},
      {"2600::1 2600::2 1.1.1.1 2.2.2.2", "", "2600::1 1.1.1.1 2600::2 2.2.2.2"},
      {"1.1.1.1 2.2.2.2 3.3.3.3", "2.2.2.2", "2.2.2.2 3.3.3.3 1.1.1.1"},
      {"1.1.1.1 2.2.2.2 3.3.3.3", "1.1.1.1", "1.1.1.1 2.2.2.2 3.3.3.3"},
      {"1.1.1.1 2.2.2.2 3.3.3.3", "4.4.4.4", "1.1.1.1 2.2.2.2 3.3.3.3"}, // the name has moved
      {"2600::1 1.1.1.1", "1.1.1.1", "1.1.1.1 2600::1"},
      {"2600::1 2600::2 1.1.1.1 2.2.2.2", "2.2.2.2", "2.2.2.2 2600::1 1.1.1.1 2600::2"},
  };
  for (const auto& [given, first, dialled] : table) {
    INFO(given << ", first " << first);
    auto addresses = addresses_of(given);
    put_in_dial_order(addresses, ip_address::parse(first));
    CHECK(text_of(addresses) == dialled);
  }
}

} // namespace vicket
