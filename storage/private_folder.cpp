#include "storage/private_folder.hpp"
#include "storage/posix_file.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace vicket {

namespace {

namespace fs = std::filesystem;

constexpr ::mode_t folder_mode = 0700;

} // namespace

store_status make_private_folder(const fs::path& path) {
  auto error = std::error_code{};
  if (fs::exists(path, error) && !(fs::is_directory(path, error) && fs::is_empty(path, error)))
    return {store_errc::foreign, path.string() + " is there already: name a folder that is not, or is empty"};
  if (const auto parent = fs::absolute(path, error).parent_path(); !error)
    fs::create_directories(parent, error);
  if (error || (::mkdir(path.c_str(), folder_mode) != 0 && errno != EEXIST))
    return {store_errc::failed, path.string() + " can't be created: " +
                                    (error ? error.message() : std::generic_category().message(errno))};
  // One that is there already has an owner and a mode of its own, and nobody else is to read what comes into it.
  const file_descriptor folder{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
  struct stat found {};
  if (!folder.valid() || ::fstat(folder.get(), &found) != 0 || found.st_uid != ::geteuid() ||
      ::fchmod(folder.get(), folder_mode) != 0)
    return {store_errc::foreign,
            path.string() + " is not a folder of this user's alone: name one that is not there yet"};
  return {};
}

} // namespace vicket
