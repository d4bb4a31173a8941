#include "transport/watched_files.hpp"

#include <sys/stat.h>

#include <utility>

namespace vicket {

watched_files::watched_files(std::vector<std::string> paths) : paths_{std::move(paths)}, seen_{look()} {}

bool watched_files::changed(time_point now) {
  if (paths_.empty() || now < next_look_)
    return false;
  next_look_ = now + look_interval;
  auto current = look();
  if (current == seen_)
    return false;
  seen_ = std::move(current);
  return true;
}

std::vector<watched_files::state> watched_files::look() const {
  std::vector<state> result;
  result.reserve(paths_.size());
  for (const auto& path : paths_)
    result.push_back(state_of(path));
  return result;
}

watched_files::state watched_files::state_of(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0)
    return {};
  constexpr std::int64_t ns_per_s = 1'000'000'000;
  return {found.st_dev, found.st_ino, found.st_mtim.tv_sec * ns_per_s + found.st_mtim.tv_nsec, found.st_size};
}

} // namespace vicket
