// A library to preload into a node: once the file KILL_FROM is there, each fdatasync and fsync is two steps, one before
// it and one after it, and at step KILL_AT the process is killed. (The variables have no VICKET_ before them, since a node
// takes those for its settings.)
#include <dlfcn.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>

namespace {

using sync_function = int (*)(int);

void step() noexcept {
  static std::atomic<long> steps{0};
  static const char* const from = std::getenv("KILL_FROM");
  static const char* const at = std::getenv("KILL_AT");
  if (from == nullptr || at == nullptr || ::access(from, F_OK) != 0)
    return;
  if (steps.fetch_add(1) + 1 == std::strtol(at, nullptr, 10))
    ::kill(::getpid(), SIGKILL);
}

int with_steps(const char* name, int file) noexcept {
  auto* const real = reinterpret_cast<sync_function>(::dlsym(RTLD_NEXT, name));
  if (real == nullptr) {
    errno = ENOSYS;
    return -1;
  }
  step();
  const auto result = real(file);
  const auto error = errno;
  step();
  errno = error;
  return result;
}

} // namespace

extern "C" int fdatasync(int file) {
  return with_steps("fdatasync", file);
}

extern "C" int fsync(int file) {
  return with_steps("fsync", file);
}
