#include "policy/endpoint_url.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>
#include <variant>
#include <vector>

using namespace std::literals;

namespace vicket {

namespace {

struct accepted_url {
  std::string_view url;
  endpoint_url expected;
};

struct refused_url {
  std::string url;
  std::string_view reason;
};

} // namespace

TEST_CASE("a connector's URL is taken apart into what is dialled and what is sent") {
  const std::vector<accepted_url> table{
      {"https://hooks.example.com/vicket",
       {true, "hooks.example.com", 443, "/vicket", "hooks.example.com", false}},
      {"HTTPS://Hooks.EXAMPLE.com/Vicket",
       {true, "hooks.example.com", 443, "/Vicket", "hooks.example.com", false}},
      {"https://h.example", {true, "h.example", 443, "/", "h.example", false}},
      {"https://h.example?a=1", {true, "h.example", 443, "/?a=1", "h.example", false}},
      {"https://h.example/a?b=c/d?e@f:g", {true, "h.example", 443, "/a?b=c/d?e@f:g", "h.example", false}},
      {"https://h.example/@2.2.2.2/", {true, "h.example", 443, "/@2.2.2.2/", "h.example", false}},
      {"https://h.example/%2e%2E/a%20b", {true, "h.example", 443, "/%2e%2E/a%20b", "h.example", false}},
      {"https://h.example//x/../y", {true, "h.example", 443, "//x/../y", "h.example", false}},
      {"https://h.example:443/", {true, "h.example", 443, "/", "h.example", false}},
      {"https://h.example:8443/", {true, "h.example", 8443, "/", "h.example:8443", false}},
      {"https://h.example:80/", {true, "h.example", 80, "/", "h.example:80", false}},
      {"https://h.example:1/", {true, "h.example", 1, "/", "h.example:1", false}},
      {"https://h.example:65535/", {true, "h.example", 65535, "/", "h.example:65535", false}},
      {"http://h.example/", {false, "h.example", 80, "/", "h.example", false}},
      {"http://h.example:443/", {false, "h.example", 443, "/", "h.example:443", false}},
      {"https://a_b.example/", {true, "a_b.example", 443, "/", "a_b.example", false}},
      {"https://xn--bcher-kva.example/",
       {true, "xn--bcher-kva.example", 443, "/", "xn--bcher-kva.example", false}},
      {"https://intranet/", {true, "intranet", 443, "/", "intranet", false}},
      {"https://1.2.3.4.example/", {true, "1.2.3.4.example", 443, "/", "1.2.3.4.example", false}},
      {"https://1.2.3.a4/", {true, "1.2.3.a4", 443, "/", "1.2.3.a4", false}},
      {"https://0x7f.example/", {true, "0x7f.example", 443, "/", "0x7f.example", false}},
      {"https://8.8.8.8/", {true, "8.8.8.8", 443, "/", "8.8.8.8", true}},
      {"https://8.8.8.8:8443/", {true, "8.8.8.8", 8443, "/", "8.8.8.8:8443", true}},
      {"https://[2606:4700::1111]/", {true, "2606:4700::1111", 443, "/", "[2606:4700::1111]", true}},
      {"https://[2606:4700:0:0::1111]:8443/x",
       {true, "2606:4700::1111", 8443, "/x", "[2606:4700::1111]:8443", true}},
      {"https://[2001:DB8::A]/", {true, "2001:db8::a", 443, "/", "[2001:db8::a]", true}},
  };
  for (const auto& [url, expected] : table) {
    const auto parsed = parse_endpoint_url(url, true);
    INFO(url << ": " << (parsed.index() == 1 ? std::get<1>(parsed) : "accepted"));
    REQUIRE(std::holds_alternative<endpoint_url>(parsed));
    CHECK(std::get<endpoint_url>(parsed) == expected);
  }
}

TEST_CASE(
    "a URL that two parsers could read differently, or that is not https, is refused with what and where") {
  const std::string label_63(63, 'a');
  const std::vector<refused_url> table{
      {"", "must start with https://"},
      {"h.example", "must start with https://"},
      {"//h.example/", "must start with https://"},
      {"https:/h.example/", "must start with https://"},
      {"https:h.example/", "must start with https://"},
      {"https//h.example/", "must start with https://"},
      {"http://h.example/", "does not allow http"},
      {"ftp://h.example/", "must be https, not \"ftp\""},
      {"file:///etc/passwd", "must be https, not \"file\""},
      {"gopher://h.example:70/", "must be https, not \"gopher\""},
      {"javascript://h.example/", "must be https"},
      {" https://h.example/", "a space at byte 0"},
      {"https://h.example/ ", "a space at byte 18"},
      {"https://", "has no host"},
      {"https:///path", "has no host"},
      {"https://?x", "has no host"},
      {"https://:443/", "has no host"},
      // user info
      {"https://user@h.example/", "user info"},
      {"https://user:secret@h.example/", "user info"},
      {"https://@h.example/", "user info"},
      {"https://h.example@127.0.0.1/", "user info"},
      {"https://127.0.0.1:443@h.example/", "user info"},
      {"https://1.1.1.1 &@2.2.2.2# @3.3.3.3/", "a space at byte 15"},
      {"https://1.1.1.1&@2.2.2.2#@3.3.3.3/", "user info"},
      // fragment
      {"https://h.example/#x", "fragment"},
      {"https://h.example#@127.0.0.1/", "fragment"},
      {"https://h.example?x#y", "fragment"},
      // control characters, other alphabets, backslashes
      {"https://h.example/\t", "control character (0x09) at byte 18"},
      {"https://h.example/\r\nX-A: b", "control character (0x0d)"},
      {"https://h.exa\nmple/", "control character (0x0a) at byte 13"},
      {"https://h.example/\x7f", "control character (0x7f)"},
      {"https://h.example\0.evil.example/"s, "control character (0x00) at byte 17"},
      {"https://127.0.0.1\0/"s, "control character (0x00)"},
      {"https://h.example\\@127.0.0.1/", "backslash at byte 17"},
      {"https:\\\\h.example/", "backslash"},
      {"https://h.example/a\\b", "backslash"},
      {"https://b\xc3\xbc"
       "cher.example/",
       "non-ASCII character at byte 9"},
      {"https://\xe2\x91\xa0\xe2\x91\xa6.0.0.1/", "non-ASCII"},             // circled digits
      {"https://\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1/", "non-ASCII"}, // full-width digits
      {"https://127\xe3\x80\x82"
       "0.0.1/",
       "non-ASCII"}, // ideographic full stop
      {"https://127\xef\xbc\x8e"
       "0.0.1/",
       "non-ASCII"}, // full-width dot
      {"https://h.example/\xff", "non-ASCII"},
      {"https://h\xc2\xad.example/", "non-ASCII"}, // soft hyphen
      // percent escapes in the host
      {"https://%31%32%37.0.0.1/", "percent escape"},
      {"https://h%2eexample/", "percent escape"},
      {"https://h.example%00/", "percent escape"},
      {"https://h.example%2f@127.0.0.1/", "user info"},
      {"https://h.example%23/", "percent escape"},
      {"https://h.example/%", "two hexadecimal digits"},
      {"https://h.example/%2", "two hexadecimal digits"},
      {"https://h.example/?a=%zz", "two hexadecimal digits"},
      // names
      {"https://h.example./", "trailing dot"},
      {"https://127.0.0.1./", "trailing dot"},
      {"https://./", "trailing dot"},
      {"https://h..example/", "empty label"},
      {"https://.example/", "empty label"},
      {"https://-h.example/", "starts or ends with '-'"},
      {"https://h-.example/", "starts or ends with '-'"},
      {"https://h!.example/", "has the character '!'"},
      {"https://h*.example/", "has the character '*'"},
      {"https://h;x.example/", "has the character ';'"},
      {"https://h&x.example/", "has the character '&'"},
      {"https://h]/", "has the character ']'"},
      {"https://a" + label_63 + ".example/", "a label of 64 bytes"},
      {"https://" + label_63 + "." + label_63 + "." + label_63 + "." + label_63 + "/", "has 255 bytes"},
      // numbers that are addresses to some, names to others
      {"https://2130706433/", "looks like a number"},
      {"https://0x7f000001/", "looks like a number"},
      {"https://0X7F000001/", "looks like a number"},
      {"https://017700000001/", "looks like a number"},
      {"https://127.1/", "looks like a number"},
      {"https://127.0.1/", "looks like a number"},
      {"https://0/", "looks like a number"},
      {"https://0177.0.0.1/", "looks like a number"},
      {"https://0x7f.0.0.1/", "looks like a number"},
      {"https://127.0.0.0x1/", "looks like a number"},
      {"https://127.0.0.01/", "looks like a number"},
      {"https://127.0.0.256/", "looks like a number"},
      {"https://1.2.3.4.5/", "looks like a number"},
      {"https://00000127.0.0.1/", "looks like a number"},
      {"https://h.example.1/", "looks like a number"},
      {"https://h.0x/", "looks like a number"},
      // IPv6
      {"https://[::1/", "[ without ]"},
      {"https://::1/", "no host"},
      {"https://fe80::1/", "port"},
      {"https://[fe80::1%25eth0]/", "zone"},
      {"https://[fe80::1%eth0]/", "zone"},
      {"https://[127.0.0.1]/", "not an IPv6 address"},
      {"https://[h.example]/", "not an IPv6 address"},
      {"https://[]/", "not an IPv6 address"},
      {"https://[::1]x/", "between ] and the port"},
      {"https://[::1].example/", "between ] and the port"},
      {"https://[::ffff:127.1]/", "not an IPv6 address"},
      {"https://[v1.fe80::a]/", "not an IPv6 address"},
      {"https://[[::1]]/", "not an IPv6 address"},
      // ports
      {"https://h.example:/", "port \"\""},
      {"https://h.example:0/", "port \"0\""},
      {"https://h.example:65536/", "port \"65536\""},
      {"https://h.example:0443/", "port \"0443\""},
      {"https://h.example:+443/", "port \"+443\""},
      {"https://h.example:-1/", "port \"-1\""},
      {"https://h.example:0x50/", "port \"0x50\""},
      {"https://h.example:443:444/", "port \"443:444\""},
      {"https://h.example:99999999999999999999/", "port"},
      {"https://[::1]:/", "port \"\""},
      {"https://h.example/" + std::string(2048, 'a'), "has 2066 bytes; at most 2048"},
  };
  CHECK(table.size() >= 60);
  for (const auto& [url, reason] : table) {
    const auto parsed = parse_endpoint_url(url, false);
    INFO(url << ": " << (parsed.index() == 1 ? std::get<1>(parsed) : "accepted") << "; expected: " << reason);
    REQUIRE(std::holds_alternative<std::string>(parsed));
    CHECK(std::get<std::string>(parsed).find(reason) != std::string::npos);
  }
}

TEST_CASE("a URL with a character that RFC 3986 does not allow is refused, with how to write it") {
  const std::vector<refused_url> table{
      {"https://h.example/{tenant}?f=a|b^c&q=\"x\"<y>",
       "the character '{' at byte 18, which RFC 3986 does not allow there; write %7B (placeholders are not "
       "filled in)"},
      {"https://h.example/a}", "'}' at byte 19, which RFC 3986 does not allow there; write %7D"},
      {"https://h.example/?f=a|b", "'|' at byte 22, which RFC 3986 does not allow there; write %7C"},
      {"https://h.example/?f=c^2", "write %5E"},
      {"https://h.example/?q=\"x\"", "write %22"},
      {"https://h.example/<y", "write %3C"},
      {"https://h.example/y>", "write %3E"},
      {"https://h.example/`id`", "write %60"},
      {"https://h.example/?filter[state]=open",
       "'[' at byte 25, which RFC 3986 does not allow there; write %5B"},
      {"https://h.example/a]", "write %5D"},
      {"https://h.example?a={b}", "'{' at byte 20"},
      {"https://h.example:8443?a={b}", "'{' at byte 25"},
      {"https://h.example/a b", "a space at byte 19; write %20 where it is meant"},
      {"https://h.example/a\\b", "a backslash at byte 19; write / or %5C"},
      {"https://h.example/caf\xc3\xa9", "a non-ASCII character at byte 21; write %C3%A9"},
      {"https://h.example/?q=\xf0\x9f\x98\x80", "write %F0%9F%98%80"},
      {"https://caf\xc3\xa9.example/",
       "a non-ASCII character at byte 11; write host names in their xn-- form"},
      {"https://h.example/100%", "a '%' at byte 21 that two hexadecimal digits do not follow; write %25"},
      {"https://h.example/?a=%u00e9", "a '%' at byte 21"},
      {"https://h.example/?a=50%&b=1", "a '%' at byte 23"},
      {"https://h.example/#/hooks", "('#' at byte 18): it would never be sent; write %23"},
      {"https://{tenant}.h.example/", "has the character '{'"},
  };
  for (const auto& [url, reason] : table) {
    const auto parsed = parse_endpoint_url(url, false);
    INFO(url << ": " << (parsed.index() == 1 ? std::get<1>(parsed) : "accepted") << "; expected: " << reason);
    REQUIRE(std::holds_alternative<std::string>(parsed));
    CHECK(std::get<std::string>(parsed).find(reason) != std::string::npos);
  }
}

TEST_CASE("every character that RFC 3986 allows in a path and a query is accepted as it is") {
  const std::string all = "/abcXYZ019-._~!$&'()*+,;=:@/%7Btenant%7d?abcXYZ019-._~!$&'()*+,;=:@/?%20%C3%A9";
  const auto parsed = parse_endpoint_url("https://h.example" + all, false);
  INFO((parsed.index() == 1 ? std::get<1>(parsed) : "accepted"));
  REQUIRE(std::holds_alternative<endpoint_url>(parsed));
  CHECK(std::get<endpoint_url>(parsed).target == all);
}

TEST_CASE("a stored URL that earlier versions accepted goes on as it did") {
  for (const auto* target : {"/{tenant}?f=a|b^c&q=\"x\"<y>", "/?filter[state]=open", "/`"}) {
    const auto url = "https://h.example" + std::string{target};
    CHECK(std::holds_alternative<std::string>(parse_endpoint_url(url, true)));
    const auto stored = parse_stored_endpoint_url(url);
    REQUIRE(std::holds_alternative<endpoint_url>(stored));
    CHECK(std::get<endpoint_url>(stored).target == target);
  }
  CHECK(std::holds_alternative<endpoint_url>(parse_stored_endpoint_url("http://h.example/")));
  for (const auto* never : {"https://h.example/a b", "https://u@h.example/", "https://127.1/",
                            "https://h.example/#x", "https://h.example/%zz", "ftp://h.example/"})
    CHECK(std::holds_alternative<std::string>(parse_stored_endpoint_url(never)));
}

TEST_CASE("a complaint about user info does not repeat it") {
  const auto parsed = parse_endpoint_url("https://user:hunter2@h.example/", false);
  REQUIRE(std::holds_alternative<std::string>(parsed));
  CHECK(std::get<std::string>(parsed).find("hunter2") == std::string::npos);
}

TEST_CASE("the longest URL and the longest host are accepted") {
  const auto longest = "https://h.example/" + std::string(2048 - 18, 'a');
  REQUIRE(longest.size() == max_url_bytes);
  CHECK(parse_endpoint_url(longest, false).index() == 0);

  const std::string label_63(63, 'a');
  const auto host = label_63 + "." + label_63 + "." + label_63 + "." + std::string(61, 'a');
  REQUIRE(host.size() == 253);
  CHECK(parse_endpoint_url("https://" + host + "/", false).index() == 0);
}

TEST_CASE("a denied address or a name that can only be local is seen when the connector is put") {
  struct row {
    std::string_view url;
    std::string_view reason; ///< empty: nothing to say before a look-up
  };
  const std::vector<row> table{
      {"https://127.0.0.1/", "loopback"},
      {"https://10.1.2.3/", "10.0.0.0/8"},
      {"https://169.254.169.254/latest/", "link-local"},
      {"https://0.0.0.0/", "0.0.0.0/8"},
      {"https://255.255.255.255/", "reserved"},
      {"https://[::1]/", "loopback"},
      {"https://[::]/", "unspecified"},
      {"https://[0:0:0:0:0:0:0:1]/", "loopback"},
      {"https://[::ffff:127.0.0.1]/", "127.0.0.0/8"},
      {"https://[::ffff:7f00:1]/", "127.0.0.0/8"},
      {"https://[::FFFF:A9FE:A9FE]/", "169.254.0.0/16"},
      {"https://[::127.0.0.1]/", "outside 2000::/3"}, // IPv4-compatible, deprecated
      {"https://[64:ff9b::7f00:1]/", "NAT64"},
      {"https://[2002:7f00:1::]/", "6to4"},
      {"https://[fd00::1]/", "unique local"},
      {"https://[fe80::1]/", "link-local"},
      {"https://localhost/", "this machine itself"},
      {"https://LOCALHOST:8443/", "this machine itself"},
      {"https://a.b.localhost/", "this machine itself"},
      {"https://localhost.example/", ""},
      {"https://notlocalhost/", ""},
      {"https://hooks.example.com/", ""},
      {"https://8.8.8.8/", ""},
      {"https://[2606:4700::1111]/", ""},
      {"https://[::ffff:8.8.8.8]/", ""},
  };
  const address_guard guard;
  for (const auto& [url, reason] : table) {
    INFO(url);
    const auto parsed = parse_endpoint_url(url, false);
    REQUIRE(std::holds_alternative<endpoint_url>(parsed));
    const auto denied = endpoint_denied(std::get<endpoint_url>(parsed), guard);
    INFO(denied.value_or("not denied"));
    CHECK(denied.has_value() != reason.empty());
    if (denied)
      CHECK(denied->find(reason) != std::string::npos);
  }
}

TEST_CASE("localhost may be used where the operator allowed a loopback range") {
  const auto localhost = std::get<endpoint_url>(parse_endpoint_url("https://localhost/", false));
  CHECK_FALSE(
      endpoint_denied(localhost, address_guard{{ip_range::parse("127.0.0.0/8").value()}}).has_value());
  CHECK_FALSE(endpoint_denied(localhost, address_guard{{ip_range::parse("::1/128").value()}}).has_value());
  CHECK(endpoint_denied(localhost, address_guard{{ip_range::parse("10.0.0.0/8").value()}}).has_value());
}

} // namespace vicket
