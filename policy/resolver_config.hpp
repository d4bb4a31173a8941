#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vicket {

/// The name servers of a resolv.conf(5), in its order: `ADDRESS`, or with a port `ADDRESS:PORT`, `[ADDRESS]:PORT`. As
/// resolv.conf(5) has it, the machine's own where there are none. What can't be understood is passed over.
[[nodiscard]] std::vector<std::string> name_servers_of(std::string_view resolv_conf);

} // namespace vicket
