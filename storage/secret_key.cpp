#include "storage/secret_key.hpp"
#include "storage/posix_file.hpp"

#include <openssl/rand.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace vicket {

namespace {

namespace fs = std::filesystem;

constexpr ::mode_t file_mode = 0600;
constexpr ::mode_t others = 0077;

store_status refused(const fs::path& file, const std::string& why) {
  return {store_errc::failed, "secret key file " + file.string() + " " + why};
}

store_status failed(const fs::path& file, std::string_view what, int error) {
  const auto is_full = error == ENOSPC || error == EDQUOT;
  return {is_full ? store_errc::full : store_errc::failed,
          "secret key file " + file.string() + ": " + std::string{what} + ": " + std::strerror(error)};
}

std::string mode_text(::mode_t mode) {
  std::string digits = "0";
  for (const int shift : {6, 3, 0})
    digits += static_cast<char>('0' + ((mode >> shift) & 7));
  return digits;
}

fs::path folder_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path{"."};
}

/// Under a name of its own, so that there is a whole one or none.
store_status write_key(const fs::path& file, const secret_bytes& key) {
  const file_descriptor made{::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, file_mode)};
  if (!made.valid())
    return failed(file, "can't be created", errno);
  errno = ENOSPC; // what is meant when less is written than was given
  if (::write(made.get(), key.view().data(), key.size()) != static_cast<::ssize_t>(key.size()))
    return failed(file, "can't be written", errno);
  if (::fsync(made.get()) != 0)
    return {store_errc::failed,
            "secret key file " + file.string() + ": a sync failed: " + std::strerror(errno)};
  return {};
}

} // namespace

std::variant<secret_bytes, store_status> read_secret_key(const fs::path& file) {
  const file_descriptor opened{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (!opened.valid())
    return failed(file, "can't be read", errno);
  struct ::stat found {};
  if (::fstat(opened.get(), &found) != 0)
    return failed(file, "can't be read", errno);
  if (!S_ISREG(found.st_mode))
    return refused(file, "is no regular file");
  if ((found.st_mode & others) != 0)
    return refused(file, "may be read or written by others than its owner (mode " + mode_text(found.st_mode) +
                             "): chmod 600 it");
  if (found.st_size != static_cast<::off_t>(secret_box::key_bytes))
    return refused(file, "has " + std::to_string(found.st_size) + " bytes; a key has " +
                             std::to_string(secret_box::key_bytes) +
                             ", as `head -c 32 /dev/urandom` writes them");
  auto key = secret_bytes::of_size(secret_box::key_bytes);
  errno = EIO; // what is meant when less is read than there is
  if (::pread(opened.get(), key.data(), key.size(), 0) != static_cast<::ssize_t>(key.size()))
    return failed(file, "can't be read", errno);
  return key;
}

store_status make_secret_key(const fs::path& file) {
  auto key = secret_bytes::of_size(secret_box::key_bytes);
  if (RAND_bytes(reinterpret_cast<unsigned char*>(key.data()), static_cast<int>(key.size())) != 1)
    return refused(file, "can't be made: OpenSSL has no random bytes");
  auto unfinished = file;
  unfinished += ".new";
  ::unlink(unfinished.c_str()); // of a start that was cut off
  if (auto status = write_key(unfinished, key); !status.ok())
    return status;
  // Not by rename(2), which would replace a key that came meanwhile.
  const auto made = ::link(unfinished.c_str(), file.c_str()) == 0 || errno == EEXIST;
  const auto error = errno;
  ::unlink(unfinished.c_str());
  if (!made)
    return failed(file, "can't be created", error);
  if (!sync_folder(folder_of(file)))
    return {store_errc::failed,
            "secret key file " + file.string() + ": a sync of its folder failed: " + std::strerror(errno)};
  return {};
}

std::variant<std::shared_ptr<const secret_box>, store_status>
open_secret_box(data_folder& folder, const fs::path& key_file, random_source* nonces) {
  const auto file = key_file.empty() ? folder.default_key_file() : key_file;
  const auto wanted = folder.key_fingerprint();
  const auto encrypted = wanted ? "the secrets in data folder " + folder.path().string() +
                                      " are encrypted with the key " + *wanted
                                : std::string{};
  auto error = std::error_code{};
  if (const auto exists = fs::exists(file, error); !exists && !error) {
    if (wanted)
      return refused(file, "is not there, and " + encrypted +
                               ": put that one back, or name it with --secret-key-file");
    if (!key_file.empty())
      return refused(file, "is not there: make it with `(umask 77; head -c 32 /dev/urandom > " +
                               file.string() + ")`, and keep a copy");
    if (auto status = make_secret_key(file); !status.ok())
      return status;
  }
  auto key = read_secret_key(file);
  if (auto* status = std::get_if<store_status>(&key))
    return std::move(*status);
  auto box = std::make_shared<const secret_box>(std::get<secret_bytes>(std::move(key)), nonces);
  if (wanted && *wanted != box->fingerprint())
    return refused(file, "has the key " + box->fingerprint() + ", and " + encrypted +
                             ": name that one with --secret-key-file");
  if (!wanted)
    if (auto status = folder.take_key(box->fingerprint()); !status.ok())
      return status;
  return box;
}

} // namespace vicket
