#include "policy/resolver_config.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <vector>

namespace vicket {

TEST_CASE("the name servers of a resolv.conf are those of its lines that can be understood") {
  struct file {
    const char* text;
    std::vector<std::string> servers;
  };
  const std::vector<std::string> own{"127.0.0.1"};
  const std::vector<file> table{
      {"", own},
      {"\n\n", own},
      {"# nameserver 10.0.0.1\n", own},
      {"; nameserver 10.0.0.1\n", own},
      {"search corp.example\noptions ndots:2\n", own},
      {"nameserver", own},
      {"nameserver\n10.0.0.1\n", own},
      {"nameserver dns.example\n", own},
      {"nameserver 10.0.0\n", own},
      {"nameserver 10.0.0.1:\n", own},
      {"nameserver 10.0.0.1:dns\n", own},
      {"nameserver %eth0\n", own},
      {"nameservers 10.0.0.1\n", own},
      {"nameserver 10.0.0.1", {"10.0.0.1"}}, // the last line lacks its end
      {"nameserver 10.0.0.1\n", {"10.0.0.1"}},
      {"nameserver\t10.0.0.1 \n", {"10.0.0.1"}},
      {"  nameserver 10.0.0.1\r\n", {"10.0.0.1"}},
      {"nameserver 10.0.0.1 # the router\n", {"10.0.0.1"}},
      {"nameserver 10.0.0.1#53\n", {"10.0.0.1"}},
      {"nameserver 10.0.0.1\nnameserver 10.0.0.2\n", {"10.0.0.1", "10.0.0.2"}},
      {"nameserver 10.0.0.1\nnameserver 10.0.0.1\n", {"10.0.0.1"}},
      {"nameserver broken\nnameserver 10.0.0.2\n", {"10.0.0.2"}},
      {"nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch .\n", {"127.0.0.53"}},
      {"nameserver 10.0.0.1:5353\n", {"10.0.0.1:5353"}},
      {"nameserver 2001:4860:4860::8888\n", {"2001:4860:4860::8888"}},
      {"nameserver [2001:4860:4860::8888]:53\n", {"[2001:4860:4860::8888]:53"}},
      {"nameserver fe80::1%eth0\n", {"fe80::1%eth0"}},
  };
  for (const auto& [text, servers] : table) {
    INFO(text);
    CHECK(name_servers_of(text) == servers);
  }
}

} // namespace vicket
