#include "policy/sha256.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>

using namespace vicket;

TEST_CASE("SHA-256 is that of FIPS 180-4") {
  CHECK(sha256("abc") == std::string{"\xba\x78\x16\xbf\x8f\x01\xcf\xea\x41\x41\x40\xde\x5d\xae\x22\x23"
                                     "\xb0\x03\x61\xa3\x96\x17\x7a\x9c\xb4\x10\xff\x61\xf2\x00\x15\xad",
                                     32});
}

TEST_CASE("SHA-256 of pieces is that of the whole") {
  for (const std::size_t size : {0u, 1u, 63u, 64u, 65u, 1'000u}) {
    const std::string whole(size, 'x');
    sha256_sum sum;
    sum.add(std::string_view{whole}.substr(0, size / 3));
    sum.add({});
    sum.add(std::string_view{whole}.substr(size / 3));
    CHECK(sum.digest() == sha256(whole));
  }
}
