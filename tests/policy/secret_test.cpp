#include "policy/secret.hpp"

#include "policy/base64.hpp"
#include "tests/support/seeded_random.hpp"

#include <catch2/catch_get_random_seed.hpp>
#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>
#include <vector>

using namespace std::literals;

namespace vicket {

TEST_CASE("a generated secret is whsec_ and the base64 of 32 random bytes") {
  const auto seed = Catch::getSeed();
  INFO("seed " << seed);
  seeded_random random{seed};
  const auto one = generate_secret(random);
  const auto other = generate_secret(random);
  CHECK(one != other);
  for (const auto& secret : {one, other}) {
    REQUIRE(secret.value.starts_with("whsec_"));
    const auto key = base64_decode(std::string_view{secret.value}.substr(6));
    REQUIRE(key.has_value());
    CHECK(key->size() == 32);
    CHECK_FALSE(secret_complaint(secret.value).has_value());
  }
}

TEST_CASE("a secret is 1 to 512 visible ASCII characters, and the complaint does not repeat it") {
  CHECK_FALSE(secret_complaint("x").has_value());
  CHECK_FALSE(secret_complaint("!~").has_value());
  CHECK_FALSE(secret_complaint(std::string(512, 'x')).has_value());
  CHECK(secret_complaint("").value().find("0 bytes") != std::string::npos);
  CHECK(secret_complaint(std::string(513, 'x')).value().find("513 bytes") != std::string::npos);
  for (const auto secret :
       {"hunter2 "sv, "hunter2\t"sv, "hunter2\n"sv, "hunter2\0"sv, "hunter2\x7f"sv, "hunter2\xc3\xbc"sv}) {
    const auto complaint = secret_complaint(secret);
    REQUIRE(complaint.has_value());
    CHECK(complaint->find("at byte 7") != std::string::npos);
    CHECK(complaint->find("hunter2") == std::string::npos);
  }
}

TEST_CASE("base64 follows the vectors of RFC 4648") {
  struct row {
    std::string_view bytes;
    std::string_view text;
  };
  for (const auto& [bytes, text] : std::vector<row>{{"", ""},
                                                    {"f", "Zg=="},
                                                    {"fo", "Zm8="},
                                                    {"foo", "Zm9v"},
                                                    {"foob", "Zm9vYg=="},
                                                    {"fooba", "Zm9vYmE="},
                                                    {"foobar", "Zm9vYmFy"},
                                                    {"\xff\xfb\0"sv, "//sA"}}) {
    CHECK(base64_encode(bytes) == text);
    CHECK(base64_decode(text) == bytes);
  }
}

TEST_CASE("base64 that is not exactly that of some bytes is refused") {
  for (const auto text :
       {"Z"sv, "Zg"sv, "Zg="sv, "Zg==="sv, "Zh=="sv, "Zm9="sv, "Zg==Zg=="sv, "Z==="sv, "===="sv, "="sv,
        "Zm9v\n"sv, " Zm9"sv, "Zm9 "sv, "Zm-_"sv, "Zm9v\0\0\0\0"sv, "Z=9v"sv, "Zm9\xc3"sv}) {
    INFO(text);
    CHECK_FALSE(base64_decode(text).has_value());
  }
}

TEST_CASE("any bytes survive base64") {
  const auto seed = Catch::getSeed();
  INFO("seed " << seed);
  seeded_random random{seed};
  for (std::size_t length = 0; length < 300; ++length) {
    std::string bytes;
    for (std::size_t i = 0; i < length; ++i)
      bytes.push_back(static_cast<char>(random.below(256)));
    REQUIRE(base64_decode(base64_encode(bytes)) == bytes);
  }
  // Longer than one piece of the encoder.
  const std::string large(3 * 1'048'576 + 5, 'x');
  CHECK(base64_decode(base64_encode(large)) == large);
}

} // namespace vicket
