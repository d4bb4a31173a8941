#include "bench/harness/sync_probe.hpp"

#include "bench/harness/real_time.hpp"
#include "bench/sink/descriptor.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>

namespace vicket::bench {

namespace {

/// Not a file of zeros, which some disks do not store.
std::string probe_text() {
  std::string text;
  text.reserve(probe_bytes);
  std::uint64_t x = 20260523;
  while (text.size() < probe_bytes) {
    x = x * 6364136223846793005ULL + 1442695040888963407ULL; // Knuth's constants of MMIX
    text += static_cast<char>(x >> 56);
  }
  return text;
}

/// Afterwards: some file systems spare themselves the syncing of a file that has no name any more.
struct removal {
  const std::filesystem::path& file;
  ~removal() {
    std::error_code ignored;
    std::filesystem::remove(file, ignored);
  }
};

[[noreturn]] void fail(const std::filesystem::path& file, const std::string& what) {
  const auto why = std::generic_category().message(errno);
  throw std::runtime_error("can't " + what + " " + file.string() + ": " + why);
}

} // namespace

std::vector<std::int64_t> sync_times_ns(const std::filesystem::path& file, int count) {
  const descriptor open{::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600)};
  if (open.number() < 0)
    fail(file, "make");
  const removal afterwards{file};
  const auto text = probe_text();
  std::vector<std::int64_t> times;
  for (int i = 0; i < count; ++i) {
    const auto from_ns = now_ns();
    if (::write(open.number(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
      fail(file, "write to");
    if (::fdatasync(open.number()) != 0)
      fail(file, "sync");
    times.push_back(now_ns() - from_ns);
  }
  return times;
}

} // namespace vicket::bench
