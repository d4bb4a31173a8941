#include "storage/posix_file.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace vicket {

file_descriptor::~file_descriptor() {
  if (value_ >= 0)
    ::close(value_);
}

bool sync_folder(const std::filesystem::path& folder) {
  const file_descriptor opened{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  return opened.valid() && ::fsync(opened.get()) == 0;
}

} // namespace vicket
