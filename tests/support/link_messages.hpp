#pragma once

#include <string>
#include <vector>

namespace vicket::testing {

/// One message of each kind of `vicket.caf.1`, in the order of their numbers, as an honest client would send it.
[[nodiscard]] std::vector<std::string> valid_link_messages();

} // namespace vicket::testing
