#include "transport/system_addresses.hpp"

#include "tests/support/used_up_descriptors.hpp"

#include <catch2/catch_test_macros.hpp>

namespace vicket {

TEST_CASE("this machine has its loopback address, and not those that nobody may have", "[transport]") {
  const system_addresses own;
  CHECK(own.has(ip_address::parse("127.0.0.1").value()));
  CHECK_FALSE(own.has(ip_address::parse("203.0.113.7").value()));
  CHECK_FALSE(own.has(ip_address::parse("2001:db8::7").value()));
}

TEST_CASE("what was known of this machine stays while there is no descriptor to ask with", "[transport]") {
  const system_addresses own{std::chrono::seconds{0}};
  REQUIRE(own.has(ip_address::parse("127.0.0.1").value()));
  bool is_known = false;
  {
    const testing::used_up_descriptors none;
    is_known = own.has(ip_address::parse("127.0.0.1").value());
  }
  CHECK(is_known);
}

} // namespace vicket
