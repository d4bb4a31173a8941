#include "cluster/record_codec.hpp"
#include "cluster/schema.hpp"

#include <catch2/catch_test_macros.hpp>

#include <memory>
#include <string>

using namespace vicket;

namespace {

record_codec codec_of(char key, const std::string& uuid = "0191c0de-0000-7000-8000-000000000000") {
  return {std::make_shared<secret_box>(secret_bytes{std::string(secret_box::key_bytes, key)}), uuid};
}

constexpr record_head head{3, 17, 5, record_kind::round, 16};
constexpr record_digest before{1, 2, 3};

} // namespace

TEST_CASE("a record's body comes back as it was") {
  const auto codec = codec_of('k');
  std::string every_byte;
  for (auto i = 0; i < 256; ++i)
    every_byte += static_cast<char>(i);
  for (const auto& body : {std::string{}, std::string{"x"}, every_byte, std::string(1u << 20, 'a')}) {
    const auto sealed = codec.seal(head, before, body);
    CHECK(codec.open(head, before, sealed) == body);
    if (body.size() > 100)
      CHECK(sealed.find(body.substr(0, 20)) == std::string::npos);
  }
  CHECK(codec.seal(head, before, std::string(1u << 20, 'a')).size() < 1'000);
}

TEST_CASE("a record's body opens nowhere but in its place") {
  const auto codec = codec_of('k');
  const auto sealed = codec.seal(head, before, "body");
  auto other = head;
  other.partition = 4;
  CHECK_FALSE(codec.open(other, before, sealed));
  other = head;
  other.number = 18;
  CHECK_FALSE(codec.open(other, before, sealed));
  other = head;
  other.epoch = 6;
  CHECK_FALSE(codec.open(other, before, sealed));
  other = head;
  other.kind = record_kind::claim;
  CHECK_FALSE(codec.open(other, before, sealed));
  CHECK_FALSE(codec.open(head, record_digest{1, 2, 4}, sealed));
  CHECK_FALSE(codec_of('l').open(head, before, sealed));
  CHECK_FALSE(codec_of('k', "0191c0de-0000-7000-8000-000000000001").open(head, before, sealed));
  for (std::size_t at = 0; at < sealed.size(); ++at) {
    auto damaged = sealed;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    CHECK_FALSE(codec.open(head, before, damaged));
    CHECK_FALSE(codec.open(head, before, sealed.substr(0, at)));
  }
}

TEST_CASE("a schema's name is an identifier that needs no quotes") {
  CHECK(is_schema_name("vicket"));
  CHECK(is_schema_name("v2_" + std::string(60, 'x')));
  for (const auto* name : {"", "Vicket", "2v", "_v", "v-1", "v\"; DROP", "pg_v", "v$"})
    CHECK_FALSE(is_schema_name(name));
  CHECK_FALSE(is_schema_name(std::string(64, 'v')));
}
