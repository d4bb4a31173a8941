#pragma once

#include <string>
#include <vector>

namespace vicket::testing {

/// One message of each kind of `vicket.caf.1`, in the order of their numbers, as an honest client would send it.
[[nodiscard]] std::vector<std::string> valid_link_messages();

/// The last of these numbers.
[[nodiscard]] int last_link_kind();

/// One answer to each of them, and a refusal, as a node would send it.
[[nodiscard]] std::vector<std::string> valid_link_answers();

} // namespace vicket::testing
