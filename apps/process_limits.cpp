#include "apps/process_limits.hpp"

#include "storage/data_folder.hpp"
#include "storage/open_files.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <limits>
#include <system_error>
#include <thread>

namespace vicket {

std::size_t raise_file_limit() {
  constexpr auto unlimited = std::numeric_limits<std::size_t>::max();
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return unlimited;
  if (limit.rlim_cur < limit.rlim_max) {
    auto wanted = limit;
    wanted.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &wanted) == 0)
      limit = wanted;
  }
  return limit.rlim_cur == RLIM_INFINITY ? unlimited : static_cast<std::size_t>(limit.rlim_cur);
}

void keep_out_of_dumps() noexcept {
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

std::uint32_t partitions_to_be(const std::filesystem::path& data_dir, std::uint32_t asked_for) {
  std::uint32_t found = 0;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator{data_dir, ignored})
    if (entry.path().filename().string().starts_with("partition-"))
      ++found;
  if (found > 0)
    return found;
  if (asked_for > 0)
    return asked_for;
  return std::clamp(std::thread::hardware_concurrency() / 2, 1U, data_folder::max_partitions);
}

std::size_t file_needs::store() const {
  return partitions_ * max_open_store_files + max_open_settings_files;
}

std::optional<std::string> file_needs::complaint(std::size_t limit) const {
  if (limit >= in_all())
    return std::nullopt;
  std::string sentence = "this process may open " + std::to_string(limit) + " files, and --max-in-flight " +
                         std::to_string(max_in_flight_) + " needs " + std::to_string(in_all()) +
                         ": one for each delivery, " + std::to_string(spare_dials()) +
                         " for dials of a second address, " + std::to_string(store()) + " for the store, " +
                         std::to_string(ports()) +
                         (clustered_ ? " for its ports and the cluster and " : " for the actor port and ") +
                         std::to_string(program) +
                         " for the program itself; raise the limit (ulimit -Hn, LimitNOFILE= of systemd)";
  if (const auto most = most_in_flight(limit); most > 0)
    sentence += ", or start with --max-in-flight " + std::to_string(most);
  return sentence;
}

std::size_t file_needs::most_in_flight(std::size_t limit) const {
  const auto beside = beside_deliveries();
  if (limit <= beside + 1)
    return 0;
  return std::max<std::size_t>((limit - beside) * 8 / 9, 1); // n + n / 8 <= what is left
}

} // namespace vicket
