#pragma once

#include <string>

namespace vicket::bench {

/// What the figures belong to, in words; what can't be found out is left out.
[[nodiscard]] std::string machine_text(); ///< "2 × <model>, 24 GiB, Linux 6.1.0, Debian GNU/Linux 12"
[[nodiscard]] std::string tools_text();   ///< "nginx/1.22.1, wrk 4.1.0, valgrind-3.19.0"
/// Of the checkout that this was built from, "-dirty" when it differs; empty if that isn't there any more.
[[nodiscard]] std::string commit_text();

} // namespace vicket::bench
