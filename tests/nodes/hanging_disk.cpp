// A library to preload into a node: while the file HANG_WHILE is there, what is written to a file or synced does not return.
// Pipes and sockets do. (The variable has no VICKET_ before it, since a node takes those for its settings.)
#include <dlfcn.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace {

void wait_while_it_hangs(int file) noexcept {
  static const char* const path = std::getenv("HANG_WHILE");
  struct stat of {};
  if (path == nullptr || ::fstat(file, &of) != 0 || !S_ISREG(of.st_mode))
    return;
  while (::access(path, F_OK) == 0) {
    const timespec a_little{0, 20'000'000};
    ::nanosleep(&a_little, nullptr);
  }
}

template <class Result, class... Values>
Result after_it(const char* name, int file, Values... values) noexcept {
  auto* const real = reinterpret_cast<Result (*)(int, Values...)>(::dlsym(RTLD_NEXT, name));
  if (real == nullptr) {
    errno = ENOSYS;
    return -1;
  }
  wait_while_it_hangs(file);
  return real(file, values...);
}

} // namespace

extern "C" ssize_t write(int file, const void* bytes, size_t size) {
  return after_it<ssize_t>("write", file, bytes, size);
}

extern "C" ssize_t pwrite(int file, const void* bytes, size_t size, off_t at) {
  return after_it<ssize_t>("pwrite", file, bytes, size, at);
}

extern "C" ssize_t pwrite64(int file, const void* bytes, size_t size, off64_t at) {
  return after_it<ssize_t>("pwrite64", file, bytes, size, at);
}

extern "C" ssize_t writev(int file, const struct iovec* parts, int count) {
  return after_it<ssize_t>("writev", file, parts, count);
}

extern "C" int fdatasync(int file) {
  return after_it<int>("fdatasync", file);
}

extern "C" int fsync(int file) {
  return after_it<int>("fsync", file);
}
