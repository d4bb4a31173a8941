#include "transport/shortage.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace vicket {

std::optional<std::string> shortage_of(int number) {
  const auto named = [number](const char* what) {
    return std::string{what} + " (" + std::generic_category().message(number) + ")";
  };
  switch (number) {
  case EMFILE:
    return named("file descriptors");
  case ENFILE:
    return named("the machine's file descriptors");
  case ENOBUFS:
  case ENOMEM:
    return named("memory");
  default:
    return std::nullopt;
  }
}

std::optional<std::string> shortage_of_descriptors() {
  const auto descriptor = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    return shortage_of(errno);
  ::close(descriptor);
  return std::nullopt;
}

} // namespace vicket
