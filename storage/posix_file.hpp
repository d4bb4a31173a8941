#pragma once

#include <filesystem>
#include <utility>

namespace vicket {

/// A descriptor of an open file or folder, closed with it. Below 0: there is none, as `open` says.
class file_descriptor {
public:
  explicit file_descriptor(int value) : value_{value} {}
  file_descriptor(file_descriptor&& other) noexcept : value_{std::exchange(other.value_, -1)} {}
  file_descriptor& operator=(file_descriptor&&) = delete;
  ~file_descriptor();

  [[nodiscard]] int get() const { return value_; }
  [[nodiscard]] bool valid() const { return value_ >= 0; }

private:
  int value_;
};

/// What was made, renamed or removed in the folder is on the disk. False: errno says why not.
[[nodiscard]] bool sync_folder(const std::filesystem::path& folder);

} // namespace vicket
