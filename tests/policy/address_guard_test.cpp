#include "policy/address_guard.hpp"

#include <catch2/catch_test_macros.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

using namespace std::literals;

namespace vicket {

namespace {

ip_address address(std::string_view text) {
  const auto parsed = ip_address::parse(text);
  INFO("address " << text);
  REQUIRE(parsed.has_value());
  return *parsed;
}

ip_range range(std::string_view text) {
  const auto parsed = ip_range::parse(text);
  INFO("range " << text);
  REQUIRE(parsed.has_value());
  return *parsed;
}

struct verdict {
  std::string_view text;
  std::string_view reason; ///< empty: may be dialled
};

} // namespace

TEST_CASE("an address is read in its canonical text only") {
  SECTION("these are addresses") {
    for (const auto text : {"0.0.0.0"sv, "1.2.3.4"sv, "255.255.255.255"sv, "::"sv, "::1"sv, "2001:db8::1"sv,
                            "1:2:3:4:5:6:7:8"sv, "fe80::1:2"sv}) {
      INFO(text);
      const auto parsed = ip_address::parse(text);
      REQUIRE(parsed.has_value());
      CHECK(parsed->to_string() == text);
      CHECK(parsed->v6 == (text.find(':') != std::string_view::npos));
    }
    CHECK(address("2001:DB8:0:0::1").to_string() == "2001:db8::1");
    CHECK(address("::FFFF:7F00:1").to_string() == "::ffff:127.0.0.1");
  }
  SECTION("these are not") {
    for (const auto text : {""sv,
                            "1"sv,
                            "1.2.3"sv,
                            "1.2.3.4.5"sv,
                            "1.2.3.256"sv,
                            "01.2.3.4"sv,
                            "1.2.3.04"sv,
                            "1.2.3.4 "sv,
                            " 1.2.3.4"sv,
                            "+1.2.3.4"sv,
                            "0x7f.0.0.1"sv,
                            "1..2.3"sv,
                            ".1.2.3"sv,
                            "1.2.3."sv,
                            "1.2.3.4\0"sv,
                            "1.2.3.1000"sv,
                            "fe80::1%eth0"sv,
                            "[::1]"sv,
                            ":::"sv,
                            "::1\0"sv,
                            "::1\0junk"sv,
                            "1::2::3"sv,
                            "12345::"sv,
                            "::1.2.3"sv,
                            "1:2:3:4:5:6:7"sv,
                            "::01.2.3.4"sv,
                            "1:2:3:4:5:6:7:8:9"sv,
                            "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"sv}) {
      INFO(text);
      CHECK_FALSE(ip_address::parse(text).has_value());
    }
  }
}

TEST_CASE("a range without a prefix, with too long a prefix or with bits behind it is refused") {
  for (const auto text :
       {"10.0.0.0/8"sv, "0.0.0.0/0"sv, "1.2.3.4/32"sv, "::/0"sv, "fc00::/7"sv, "::1/128"sv}) {
    INFO(text);
    CHECK(ip_range::parse(text).has_value());
  }
  for (const auto text :
       {"10.0.0.0"sv, "10.0.0.0/"sv, "10.0.0.0/33"sv, "10.0.0.1/8"sv, "::1/127"sv, "::/129"sv,
        "10.0.0.0/08"sv, "10.0.0.0/8 "sv, "/8"sv, "10.0.0.0/-1"sv, "10.128.0.0/8"sv, ""sv}) {
    INFO(text);
    CHECK_FALSE(ip_range::parse(text).has_value());
  }
}

TEST_CASE("a range holds its addresses and no others") {
  CHECK(range("172.16.0.0/12").contains(address("172.16.0.0")));
  CHECK(range("172.16.0.0/12").contains(address("172.31.255.255")));
  CHECK_FALSE(range("172.16.0.0/12").contains(address("172.32.0.0")));
  CHECK_FALSE(range("172.16.0.0/12").contains(address("172.15.255.255")));
  CHECK(range("0.0.0.0/0").contains(address("8.8.8.8")));
  CHECK_FALSE(range("0.0.0.0/0").contains(address("::")));
  CHECK_FALSE(range("::/0").contains(address("8.8.8.8")));
  CHECK(range("2001:db8::/33").contains(address("2001:db8:7fff::1")));
  CHECK_FALSE(range("2001:db8::/33").contains(address("2001:db8:8000::1")));
}

TEST_CASE("deliveries reach no private, local or special address") {
  const address_guard guard;
  const std::vector<verdict> table{
      {"0.0.0.0", "0.0.0.0/8"},
      {"0.255.255.255", "0.0.0.0/8"},
      {"1.0.0.0", ""},
      {"9.255.255.255", ""},
      {"10.0.0.0", "a private address (10.0.0.0/8)"},
      {"10.255.255.255", "a private address (10.0.0.0/8)"},
      {"11.0.0.0", ""},
      {"100.63.255.255", ""},
      {"100.64.0.0", "100.64.0.0/10"},
      {"100.127.255.255", "100.64.0.0/10"},
      {"100.128.0.0", ""},
      {"126.255.255.255", ""},
      {"127.0.0.1", "127.0.0.1 is a loopback address (127.0.0.0/8)"},
      {"127.255.255.254", "a loopback address"},
      {"128.0.0.1", ""},
      {"168.63.129.15", ""},
      {"168.63.129.16", "168.63.129.16/32"},
      {"168.63.129.17", ""},
      {"169.253.255.255", ""},
      {"169.254.169.254", "a link-local address (169.254.0.0/16)"},
      {"169.255.0.0", ""},
      {"172.15.255.255", ""},
      {"172.16.0.0", "172.16.0.0/12"},
      {"172.31.255.255", "172.16.0.0/12"},
      {"172.32.0.0", ""},
      {"191.255.255.255", ""},
      {"192.0.0.0", "192.0.0.0/24"},
      {"192.0.0.255", "192.0.0.0/24"},
      {"192.0.1.0", ""},
      {"192.0.2.7", "a documentation address (192.0.2.0/24)"},
      {"192.0.3.0", ""},
      {"192.88.98.255", ""},
      {"192.88.99.1", "192.88.99.0/24"},
      {"192.88.100.0", ""},
      {"192.167.255.255", ""},
      {"192.168.0.1", "192.168.0.0/16"},
      {"192.169.0.0", ""},
      {"198.17.255.255", ""},
      {"198.18.0.0", "198.18.0.0/15"},
      {"198.19.255.255", "198.18.0.0/15"},
      {"198.20.0.0", ""},
      {"198.51.100.1", "198.51.100.0/24"},
      {"203.0.113.255", "203.0.113.0/24"},
      {"203.0.114.0", ""},
      {"223.255.255.255", ""},
      {"224.0.0.1", "a multicast address (224.0.0.0/4)"},
      {"239.255.255.255", "224.0.0.0/4"},
      {"240.0.0.1", "240.0.0.0/4"},
      {"255.255.255.255", "240.0.0.0/4"},
      {"8.8.8.8", ""},
      {"::", "the unspecified address"},
      {"::1", "a loopback address"},
      {"::127.0.0.1", "not a global unicast address (outside 2000::/3)"},
      {"::ffff:127.0.0.1", "::ffff:127.0.0.1 is a loopback address (127.0.0.0/8)"},
      {"::ffff:a9fe:a9fe", "169.254.0.0/16"},
      {"::ffff:8.8.8.8", ""},
      {"::ffff:0:127.0.0.1", "outside 2000::/3"},
      {"64:ff9b::7f00:1", "64:ff9b::7f00:1 is 127.0.0.1 behind NAT64, a loopback address (127.0.0.0/8)"},
      {"64:ff9b::a9fe:a9fe", "a link-local address (169.254.0.0/16)"},
      {"64:ff9b::10.0.0.1", "a private address (10.0.0.0/8)"},
      {"64:ff9b::c0a8:1", "192.168.0.1 behind NAT64"},
      {"64:ff9b::6440:1", "a carrier-grade NAT address"},
      {"64:ff9b::", "0.0.0.0 behind NAT64"},
      {"64:ff9b::224.0.0.1", "a multicast address"},
      {"64:ff9b::a83f:8110", "168.63.129.16/32"},
      {"64:ff9b::808:808", ""},
      {"64:ff9b::1.1.1.1", ""},
      {"64:ff9b::1:808:808", "outside 2000::/3"},
      {"64:ff9a::808:808", "outside 2000::/3"},
      {"64:ff9b:1::1", "a NAT64 address"},
      {"100::1", "outside 2000::/3"},
      {"1fff:ffff::", "outside 2000::/3"},
      {"2000::", ""},
      {"2001::1", "2001::/23"},
      {"2001:1ff:ffff::1", "2001::/23"},
      {"2001:200::1", ""},
      {"2001:db8::1", "2001:db8::/32"},
      {"2001:db9::1", ""},
      {"2002:7f00:1::", "a 6to4 address (2002::/16)"},
      {"2003::1", ""},
      {"2606:4700:4700::1111", ""},
      {"3fff::1", "3fff::/20"},
      {"3fff:fff::1", "3fff::/20"},
      {"3fff:1000::1", ""},
      {"3ffe::1", ""},
      {"4000::1", "outside 2000::/3"},
      {"fc00::1", "a unique local address"},
      {"fd12:3456::1", "a unique local address"},
      {"fe80::1", "a link-local address"},
      {"fec0::1", "outside 2000::/3"},
      {"ff02::1", "a multicast address"},
  };
  for (const auto& [text, reason] : table) {
    const auto denied = guard.denied(address(text));
    INFO(text << ": " << denied.value_or("allowed"));
    CHECK(denied.has_value() != reason.empty());
    if (denied)
      CHECK(denied->find(reason) != std::string::npos);
  }
}

TEST_CASE("the operator's allowed range lets its addresses through, mapped ones by their v4 address") {
  const address_guard guard{{range("127.0.0.0/8"), range("fd00::/8")}};
  CHECK_FALSE(guard.denied(address("127.0.0.1")).has_value());
  CHECK_FALSE(guard.denied(address("::ffff:127.0.0.1")).has_value());
  CHECK_FALSE(guard.denied(address("fd00::1")).has_value());
  CHECK(guard.denied(address("::1")).has_value());
  CHECK(guard.denied(address("10.0.0.1")).has_value());
  CHECK(guard.denied(address("fc00::1")).has_value());

  // A range of v6 says nothing about v4, however it is written.
  const address_guard v6_only{{range("::/0")}};
  CHECK_FALSE(v6_only.denied(address("::1")).has_value());
  CHECK(v6_only.denied(address("::ffff:127.0.0.1")).has_value());
  CHECK(v6_only.denied(address("127.0.0.1")).has_value());
}

TEST_CASE(
    "a range that the operator denies is denied, whatever is allowed, by the v4 address in one as well") {
  const address_guard guard{{range("127.0.0.0/8"), range("::/0")},
                            {range("127.0.0.2/32"), range("198.41.0.0/24"), range("64:ff9b::/96")}};
  CHECK_FALSE(guard.denied(address("127.0.0.1")));
  CHECK(guard.denied(address("127.0.0.2")) == "127.0.0.2 is in a range that the operator denies");
  CHECK(guard.denied(address("198.41.0.4")));
  CHECK_FALSE(guard.denied(address("198.41.1.4")));
  CHECK(guard.denied(address("::ffff:198.41.0.4")));
  CHECK(guard.denied(address("64:ff9b::808:808"))); // a range of v6 is meant as it is written
}

TEST_CASE("this machine's addresses are denied like private ones") {
  struct one_address final : own_addresses {
    bool has(const ip_address& asked) const override {
      return asked == address("198.41.0.4") || asked == address("2606:4700::1");
    }
  };
  const auto own = std::make_shared<one_address>();
  const address_guard guard{{}, {}, own};
  CHECK(guard.denied(address("198.41.0.4")) == "198.41.0.4 is an address of this machine");
  CHECK(guard.denied(address("::ffff:198.41.0.4")));
  CHECK(guard.denied(address("2606:4700::1")));
  CHECK_FALSE(guard.denied(address("198.41.0.5")));
  const address_guard allowing{{range("198.41.0.0/24")}, {}, own};
  CHECK_FALSE(allowing.denied(address("198.41.0.4")));
  CHECK(allowing.denied(address("2606:4700::1")));
}

TEST_CASE("a NAT64 address is judged by the v4 address in it, whatever range is allowed") {
  for (const auto opened : {"64:ff9b::/96"sv, "64:ff9b::/64"sv, "::/0"sv, "64:ff9b::7f00:0/104"sv}) {
    INFO(opened);
    const address_guard guard{{range(opened)}};
    CHECK(guard.denied(address("64:ff9b::7f00:1")).has_value());
    CHECK(guard.denied(address("64:ff9b::a9fe:a9fe")).has_value());
    CHECK(guard.denied(address("64:ff9b::a00:1")).has_value());
    CHECK_FALSE(guard.denied(address("64:ff9b::808:808")).has_value());
  }
  const address_guard v4_allowed{{range("10.0.0.0/8")}};
  CHECK_FALSE(v4_allowed.denied(address("64:ff9b::a00:1")).has_value());
  CHECK(v4_allowed.denied(address("64:ff9b::c0a8:1")).has_value());
  // A prefix of the network's own (RFC 8215) may hold the v4 address anywhere: it stays the operator's decision.
  CHECK(address_guard{}.denied(address("64:ff9b:1::808:808")).has_value());
  CHECK_FALSE(address_guard{{range("64:ff9b:1::/48")}}.denied(address("64:ff9b:1::808:808")).has_value());
}

} // namespace vicket
