#include "messages/ids.hpp"

#include <catch2/catch_test_macros.hpp>

#include <functional>
#include <string>
#include <string_view>

using namespace std::literals;

namespace vicket {

TEST_CASE("an event's id is a UUID, read in either case and written in lower case") {
  const auto id = event_id::parse("9F2C1B7E-0a1b-7C3d-8e5f-A0B1C2D3E4F5");
  REQUIRE(id.has_value());
  CHECK(id->to_string() == "9f2c1b7e-0a1b-7c3d-8e5f-a0b1c2d3e4f5");
  CHECK(id->bytes[0] == 0x9f);
  CHECK(id->bytes[15] == 0xf5);
  CHECK(event_id::parse(id->to_string()) == id);
  CHECK(event_id{}.to_string() == "00000000-0000-0000-0000-000000000000");
}

TEST_CASE("what is no UUID in its 36-character form is no event id") {
  for (const auto text :
       {""sv, "9f2c1b7e"sv, "9f2c1b7e0a1b7c3d8e5fa0b1c2d3e4f5"sv, "9f2c1b7e-0a1b-7c3d-8e5f-a0b1c2d3e4f"sv,
        "9f2c1b7e-0a1b-7c3d-8e5f-a0b1c2d3e4f55"sv, "{9f2c1b7e-0a1b-7c3d-8e5f-a0b1c2d3e4f5}"sv,
        "9f2c1b7e-0a1b-7c3d-8e5f-a0b1c2d3e4fg"sv, "9f2c1b7e_0a1b_7c3d_8e5f_a0b1c2d3e4f5"sv,
        "9f2c1b7e-0a1b-7c3d8-e5f-a0b1c2d3e4f5"sv, "9f2c1b7e0-a1b-7c3d-8e5f-a0b1c2d3e4f5"sv,
        " 9f2c1b7e-0a1b-7c3d-8e5f-a0b1c2d3e4f"sv, "9f2c1b7e-0a1b-7c3d-8e5f-a0b1c2d3e4\0f"sv,
        "urn:uuid:9f2c1b7e-0a1b-7c3d-8e5f-a0b"sv, "-9f2c1b7-0a1b-7c3d-8e5f-a0b1c2d3e4f5"sv}) {
    INFO(text);
    CHECK_FALSE(event_id::parse(text).has_value());
  }
}

TEST_CASE("event ids are ordered as their text is, and equal ones have one hash") {
  const auto low = event_id::parse("00000000-0000-7000-8000-00000000ffff").value();
  const auto high = event_id::parse("00000000-0000-7000-8000-000000010000").value();
  CHECK(low < high);
  CHECK(low.to_string() < high.to_string());
  CHECK(std::hash<event_id>{}(low) == std::hash<event_id>{}(event_id::parse(low.to_string()).value()));
  CHECK(std::hash<event_id>{}(low) != std::hash<event_id>{}(high));
}

TEST_CASE("a connector's id is 1 to 64 characters of A-Za-z0-9._-") {
  for (const auto& text : {"a"s, "crm-prod"s, "A.b_c-9"s, "."s, std::string(64, 'x')}) {
    INFO(text);
    CHECK(connector_id{text}.valid());
  }
  for (const auto& text : {""s, "a b"s, "a/b"s, "ü"s, "a\n"s, "a\0"s, "a*"s, std::string(65, 'x')}) {
    INFO(text);
    CHECK_FALSE(connector_id{text}.valid());
  }
}

} // namespace vicket
