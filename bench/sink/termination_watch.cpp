#include "bench/sink/termination_watch.hpp"

#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <stdexcept>

namespace vicket::bench {

namespace {

bool has_another_end(int number) {
  struct stat found {};
  return ::fstat(number, &found) == 0 && (S_ISFIFO(found.st_mode) || S_ISSOCK(found.st_mode));
}

} // namespace

termination_watch::termination_watch() {
  std::signal(SIGPIPE, SIG_IGN); // OpenSSL writes without MSG_NOSIGNAL
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  if (::sigprocmask(SIG_BLOCK, &signals, nullptr) == 0)
    signals_ = descriptor{::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC)};
  if (signals_.number() < 0)
    throw std::runtime_error("signals can't be waited for");
  watched_.push_back(signals_.number());
  if (has_another_end(STDIN_FILENO))
    watched_.push_back(STDIN_FILENO);
}

bool termination_watch::ended(int descriptor) const {
  if (descriptor == signals_.number())
    return true;
  std::array<char, 1'024> dropped{};
  return ::read(descriptor, dropped.data(), dropped.size()) <= 0; // it can be read: this does not wait
}

} // namespace vicket::bench
