#include "bench/harness/workspace.hpp"

#include "tests/support/certificates.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace vicket::bench {

namespace {

void write(const std::filesystem::path& file, const std::string& text) {
  std::ofstream out{file, std::ios::binary};
  out << text;
  if (!out.flush())
    throw std::runtime_error("can't write " + file.string());
}

} // namespace

workspace::workspace(const std::filesystem::path& parent, const std::filesystem::path& certificates,
                     bool keep)
    : certificates_{certificates}, secret_{"whsec_dmlja2V0LWJlbmNoLXNlY3JldC1vZi0zMi1ieXRlcyE="}, keep_{
                                                                                                      keep} {
  std::filesystem::create_directories(parent);
  auto pattern = (parent / "vicket-bench-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr)
    throw std::runtime_error("can't make a folder in " + parent.string() + " (choose another with --folder)");
  folder_ = pattern;
  if (certificates_.empty())
    certificates_ = folder_;
  std::filesystem::create_directories(certificates_);
  if (!std::filesystem::exists(ca_file()))
    make_certificates();
}

void workspace::make_certificates() const {
  const testing::certificate_authority authority{"Vicket bench root"};
  const auto own = authority.good();
  write(cert_file(), own.pem);
  write(key_file(), own.key_pem);
  write(ca_file(), authority.pem()); // last: where it is, the others are
}

workspace::~workspace() {
  std::error_code ignored;
  if (!keep_)
    std::filesystem::remove_all(folder_, ignored);
}

std::uint64_t workspace::free_bytes() const {
  return std::filesystem::space(folder_).available;
}

std::uint64_t folder_bytes(const std::filesystem::path& folder) {
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator{folder}) {
    struct ::stat found {}; // blocks, not length: a preallocated log is not what the events take
    if (entry.is_regular_file() && ::stat(entry.path().c_str(), &found) == 0)
      bytes += static_cast<std::uint64_t>(found.st_blocks) * 512;
  }
  return bytes;
}

} // namespace vicket::bench
