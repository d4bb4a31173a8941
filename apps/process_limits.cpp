#include "apps/process_limits.hpp"

#include <sys/resource.h>

namespace vicket {

namespace {

// Store files, idle connections to endpoints, actor connections and the programs's own: a round guess on the
// safe side.
constexpr std::size_t other_files = 6'000;

} // namespace

std::optional<std::string> raise_file_limit(std::size_t max_in_flight) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return std::nullopt;
  if (limit.rlim_cur < limit.rlim_max) {
    auto wanted = limit;
    wanted.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &wanted) == 0)
      limit = wanted;
  }
  const auto needed = max_in_flight + other_files;
  if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= needed)
    return std::nullopt;
  return "this process may open " + std::to_string(limit.rlim_cur) + " files, --max-in-flight " +
         std::to_string(max_in_flight) + " may need " + std::to_string(needed) +
         ": raise the limit (ulimit -n, LimitNOFILE=) or lower the flag";
}

} // namespace vicket
