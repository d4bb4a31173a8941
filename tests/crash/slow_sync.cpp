// A library to preload into a node: every fdatasync and fsync takes SLOW_SYNC_MS milliseconds longer. What is written
// but not yet synced, and what is synced but not yet followed by what belongs to it, then lasts long enough for a kill
// to meet it. (The variable has no VICKET_ before it, since a node takes those for its settings.)
#include <dlfcn.h>
#include <time.h>

#include <cerrno>
#include <cstdlib>

namespace {

using sync_function = int (*)(int);

long delay_ms() noexcept {
  static const long parsed = [] {
    const char* text = std::getenv("SLOW_SYNC_MS");
    return text == nullptr ? 0L : std::strtol(text, nullptr, 10);
  }();
  return parsed;
}

int slowly(const char* name, int file) noexcept {
  auto* const real = reinterpret_cast<sync_function>(::dlsym(RTLD_NEXT, name));
  if (real == nullptr) {
    errno = ENOSYS;
    return -1;
  }
  timespec left{delay_ms() / 1'000, delay_ms() % 1'000 * 1'000'000};
  while (::nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
  return real(file);
}

} // namespace

extern "C" int fdatasync(int file) {
  return slowly("fdatasync", file);
}

extern "C" int fsync(int file) {
  return slowly("fsync", file);
}
