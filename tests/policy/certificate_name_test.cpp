#include "policy/certificate_name.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string_view>
#include <vector>

using namespace std::literals;

namespace vicket {

TEST_CASE("a certificate's DNS name covers the same name, and a wildcard exactly one whole first label") {
  struct row {
    std::string_view name;
    std::string_view host;
    bool covers;
  };
  const std::vector<row> table{
      {"a.example.com", "a.example.com", true},
      {"A.EXAMPLE.com", "a.example.com", true},
      {"*.example.com", "a.example.com", true},
      {"*.EXAMPLE.COM", "a.example.com", true},
      {"*.example.com", "a_b.example.com", true},
      {"*.example.com", "_.example.com", true},
      {"*.a_b.com", "x.a_b.com", true},
      {"*.example.com", "xn--bcher-kva.example.com", true},
      {"*.example.xn--p1ai", "a.example.xn--p1ai", true},
      {"*.xn--bcher-kva.com", "a.xn--bcher-kva.com", true},
      {"*.example.com", "1.example.com", true},
      {"*.b.c.example.com", "a.b.c.example.com", true},
      {"localhost", "localhost", true},
      {"a_b", "a_b", true},
      {"", "", false},
      {"", "a", false},
      {"a", "", false},
      {"*", "a", false},
      {"*.", "a.", false},
      {"*.com", "a.com", false},
      {"*.com", "a.b.com", false},
      {"*.localhost", "a.localhost", false},
      {"*.example.com", "example.com", false},
      {"*.example.com", ".example.com", false},
      {"*.example.com", "a.b.example.com", false},
      {"*.example.com", "aexample.com", false},
      {"*.example.com", "a.example.org", false},
      {"*.example.com", "a.example.com.", false},
      {"*.*.com", "a.b.com", false},
      {"a*.example.com", "ab.example.com", false},
      {"*a.example.com", "ba.example.com", false},
      {"a.*.com", "a.example.com", false},
      {"a.example.com", "b.example.com", false},
      {"a.example.com.", "a.example.com", false},
      {"a.example.com\0.evil.test"sv, "a.example.com", false},
      {"a.example.com", "a.example.com\0.evil.test"sv, false},
      {".example.com", "a.example.com", false},
      {" a.example.com", "a.example.com", false},
      {"**.example.com", "a.example.com", false},
      {"xn--*.example.com", "xn--bcher-kva.example.com", false},
      {"b\xc3\xbc"
       "cher.example.com",
       "xn--bcher-kva.example.com", false},
  };
  for (const auto& [name, host, covers] : table) {
    INFO(name << " for " << host);
    CHECK(certificate_name_covers(name, host) == covers);
  }
}

TEST_CASE("a certificate's address covers the same address, however an IPv4 one is written") {
  struct row {
    std::string_view bytes;
    std::string_view host;
    bool covers;
  };
  const std::vector<row> table{
      {"\x08\x08\x08\x08", "8.8.8.8", true},
      {"\x08\x08\x08\x08", "::ffff:8.8.8.8", true},
      {"\0\0\0\0\0\0\0\0\0\0\xff\xff\x08\x08\x08\x08"sv, "8.8.8.8", true},
      {"\x26\x06\x47\0\0\0\0\0\0\0\0\0\0\0\x11\x11"sv, "2606:4700::1111", true},
      {"\x08\x08\x08\x09", "8.8.8.8", false},
      {"\0\0\0\0\0\0\0\0\0\0\0\0\x08\x08\x08\x08"sv, "8.8.8.8", false},
      {"\x08\x08\x08", "8.8.8.8", false},
      {"", "8.8.8.8", false},
      {"\x08\x08\x08\x08\xff\xff\xff\xff", "8.8.8.8", false}, // an address and a mask, as in name constraints
      {"8.8.8.8", "8.8.8.8", false},
      {"\x26\x06\x47\0\0\0\0\0\0\0\0\0\0\0\x11\x12"sv, "2606:4700::1111", false},
  };
  for (const auto& [bytes, host, covers] : table) {
    INFO(host);
    CHECK(certificate_address_covers(bytes, ip_address::parse(host).value()) == covers);
  }
}

} // namespace vicket
