// A connector's URL: what is taken is taken again in its parts, and nothing in it can leave its header line.

#include "tests/fuzz/fuzz_target.hpp"

#include "policy/address_guard.hpp"
#include "policy/certificate_name.hpp"
#include "policy/endpoint_url.hpp"

#include <algorithm>

using namespace vicket;

VICKET_FUZZ_TARGET(url) {
  for (const auto allow_http : {false, true}) {
    const auto parsed = parse_endpoint_url(input, allow_http);
    if (const auto* complaint = std::get_if<std::string>(&parsed)) {
      EXPECT_THAT_IT_HOLDS(!complaint->empty());
      continue;
    }
    const auto& to = std::get<endpoint_url>(parsed);
    const auto is_plain = [](char c) { return c > ' ' && c < '\x7f'; };
    EXPECT_THAT_IT_HOLDS(to.tls || allow_http);
    EXPECT_THAT_IT_HOLDS(!to.host.empty() && std::all_of(to.host.begin(), to.host.end(), is_plain));
    EXPECT_THAT_IT_HOLDS(std::all_of(to.host_header.begin(), to.host_header.end(), is_plain));
    EXPECT_THAT_IT_HOLDS(to.target.starts_with('/') &&
                         std::all_of(to.target.begin(), to.target.end(), is_plain));
    EXPECT_THAT_IT_HOLDS(to.numeric == ip_address::parse(to.host).has_value());
    const auto again =
        parse_endpoint_url((to.tls ? "https://" : "http://") + to.host_header + to.target, allow_http);
    EXPECT_THAT_IT_HOLDS(std::holds_alternative<endpoint_url>(again) && std::get<endpoint_url>(again) == to);
    const auto stored = parse_stored_endpoint_url(input);
    EXPECT_THAT_IT_HOLDS(std::holds_alternative<endpoint_url>(stored) &&
                         std::get<endpoint_url>(stored) == to);
    static_cast<void>(endpoint_denied(to, address_guard{}));
    EXPECT_THAT_IT_HOLDS(to.numeric || certificate_name_covers(to.host, to.host));
  }
}
