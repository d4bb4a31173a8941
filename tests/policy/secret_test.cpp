#include "policy/secret.hpp"

#include "policy/base64.hpp"
#include "tests/support/seeded_random.hpp"

#include <catch2/catch_get_random_seed.hpp>
#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>
#include <variant>
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

TEST_CASE("what follows whsec_ is base64 in any of its common forms, and its bytes are the key") {
  struct row {
    std::string_view secret;
    std::string_view key;
  };
  constexpr auto counting = "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"
                            "\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f"sv;
  const std::vector<row> table{
      {"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", counting},
      {"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", counting}, // padding lost
      {"whsec_Zg==", "f"},
      {"whsec_Zg", "f"},
      {"whsec_Zm8=", "fo"},
      {"whsec_Zm8", "fo"},
      {"whsec_Zm9v", "foo"},
      {"whsec_//sA", "\xff\xfb\0"sv},
      {"whsec___sA", "\xff\xfb\0"sv}, // RFC 4648 section 5
      {"whsec_-_-_", "\xfb\xff\xbf"},
      {"whsec_+/+/", "\xfb\xff\xbf"},
      {"whsec_-_8=", "\xfb\xff"},
      {"whsec_-_8", "\xfb\xff"},
  };
  for (const auto& [secret, key] : table) {
    INFO(secret);
    CHECK_FALSE(secret_complaint(secret).has_value());
    const auto decoded = base64_decode_any(secret.substr(6));
    REQUIRE(std::holds_alternative<std::string>(decoded));
    CHECK(std::get<std::string>(decoded) == key);
  }
}

TEST_CASE("what follows whsec_ and is no base64 is refused with its place, and not repeated") {
  struct row {
    std::string_view secret;
    std::string_view complaint;
  };
  const std::vector<row> table{
      {"whsec_", "\"whsec_\" alone"},
      {"whsec_hunter2!", "no base64 (at byte 13)"},
      {"whsec_hunter2.", "no base64 (at byte 13)"},
      {"whsec_whsec_hunter2?", "no base64 (at byte 19)"},
      {"whsec_ab+_",
       "mixes the alphabets of base64, that with '+' and '/' and that with '-' and '_' (at byte 9)"},
      {"whsec_-b/c", "mixes the alphabets"},
      {"whsec_hunte", "ends in the middle of a byte (at byte 11)"},
      {"whsec_Zh", "ends with bits that belong to no byte, as if its end were lost (at byte 7)"},
      {"whsec_Zh==", "ends with bits"},
      {"whsec_Zm9=", "ends with bits"},
      {"whsec_Zg=", "padding ('=') that does not fit (at byte 8)"},
      {"whsec_Zg===", "padding"},
      {"whsec_Zm9v=", "padding"},
      {"whsec_=", "padding"},
      {"whsec_Zg==Zg==", "padding"},
      {"whsec_Z=9v", "ends in the middle of a byte"},
  };
  for (const auto& [secret, complaint] : table) {
    INFO(secret);
    const auto given = secret_complaint(secret);
    REQUIRE(given.has_value());
    INFO(*given);
    CHECK(given->find(complaint) != std::string::npos);
    CHECK(given->find("hunte") == std::string::npos);
  }
  // Without the prefix a secret is its characters, whatever they look like.
  for (const auto* plain : {"WHSEC_x!", "whsec-x!", "x!whsec_", "!"})
    CHECK_FALSE(secret_complaint(plain).has_value());
}

TEST_CASE("a secret that some libraries can't read is remarked on, and not repeated") {
  for (const auto* odd : {"whsec_Zg", "whsec_Zm8", "whsec___sA", "whsec_-_8=", "whsec_-_8",
                          "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}) {
    INFO(odd);
    const auto remark = secret_remark(odd);
    REQUIRE(remark.has_value());
    CHECK(remark->find(std::string_view{odd}.substr(6)) == std::string::npos);
  }
  for (const auto* meant : {"WHSEC_Zg==", "Whsec_Zg==", "\"whsec_Zg==\"", "'whsec_Zg=='"}) {
    INFO(meant);
    CHECK(secret_remark(meant).value().find("very beginning") != std::string::npos);
  }
  for (const auto* plain : {"whsec-Zg==", "whsec_", "\"", "x-whsec_Zg==", "whsec_Zg==", "whsec_Zm8=",
                            "whsec_Zm9v", "whsec_//sA", "whsec_+/+/", "Zg", "hunter2", "***", ""}) {
    INFO(plain);
    CHECK_FALSE(secret_remark(plain).has_value());
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
