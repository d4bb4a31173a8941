#include "tests/system/small_disk.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <vector>

namespace vicket::testing {

namespace {

std::string last_error(const std::string& call) {
  return call + ": " + std::strerror(errno);
}

std::optional<std::string>& refusal_slot() {
  static std::optional<std::string> reason = "separate_mounts() was not called";
  return reason;
}

std::optional<std::string> become_namespace_root() {
  const auto user = std::to_string(::getuid());
  const auto group = std::to_string(::getgid());
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
    return last_error("unshare(CLONE_NEWUSER)");
  std::ofstream{"/proc/self/setgroups"} << "deny";
  std::ofstream{"/proc/self/uid_map"} << "0 " + user + " 1";
  std::ofstream{"/proc/self/gid_map"} << "0 " + group + " 1";
  return std::nullopt;
}

std::optional<std::string> try_separate_mounts() {
  if (::geteuid() != 0) {
    if (auto why = become_namespace_root())
      return why;
  } else if (::unshare(CLONE_NEWNS) != 0) {
    return last_error("unshare(CLONE_NEWNS)");
  }
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return last_error("mount --make-rprivate /");
  return std::nullopt;
}

std::string size_option(std::uint64_t bytes) {
  return "size=" + std::to_string(bytes);
}

void append_until_full(int file, std::size_t piece_bytes) {
  const std::vector<char> piece(piece_bytes, 'b');
  while (::write(file, piece.data(), piece.size()) > 0) {
  }
}

} // namespace

std::optional<std::string> separate_mounts() {
  return refusal_slot() = try_separate_mounts();
}

const std::optional<std::string>& mounts_refused() {
  return refusal_slot();
}

small_disk::small_disk(std::uint64_t total_bytes) {
  auto pattern = (std::filesystem::temp_directory_path() / "vicket-disk-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr)
    throw std::runtime_error{last_error("mkdtemp")};
  path_ = pattern;
  if (::mount("tmpfs", path_.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, size_option(total_bytes).c_str()) != 0) {
    const auto why = last_error("mount -t tmpfs");
    ::rmdir(path_.c_str());
    throw std::runtime_error{why};
  }
}

small_disk::~small_disk() {
  ::umount2(path_.c_str(), MNT_DETACH);
  ::rmdir(path_.c_str());
}

std::uint64_t small_disk::free_bytes() const {
  return std::filesystem::space(path_).available;
}

void small_disk::resize(std::uint64_t total_bytes) const {
  if (::mount("tmpfs", path_.c_str(), "tmpfs", MS_REMOUNT | MS_NOSUID | MS_NODEV,
              size_option(total_bytes).c_str()) != 0)
    throw std::runtime_error{last_error("mount -o remount")};
}

void small_disk::fill(std::uint64_t left_bytes) const {
  const int file = ::open((path_ / "ballast").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0)
    throw std::runtime_error{last_error("ballast")};
  if (left_bytes == 0) {
    append_until_full(file, 64 * 1024);
    append_until_full(file, 1);
  } else {
    const auto size = ::lseek(file, 0, SEEK_END);
    const auto free = free_bytes();
    if (free > left_bytes && ::posix_fallocate(file, size, static_cast<off_t>(free - left_bytes)) != 0) {
      ::close(file);
      throw std::runtime_error{"ballast: can't take the space"};
    }
  }
  ::close(file);
}

void small_disk::remove_ballast() const {
  std::filesystem::remove(path_ / "ballast");
}

} // namespace vicket::testing
