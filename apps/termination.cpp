#include "apps/termination.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <thread>

namespace vicket {

namespace {

sigset_t termination_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

} // namespace

void block_termination() {
  std::signal(SIGPIPE, SIG_IGN);
  const auto set = termination_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void block_hangup() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

const char* wait_for_termination(const std::function<void()>& on_hangup) {
  auto set = termination_signals();
  if (on_hangup)
    sigaddset(&set, SIGHUP);
  for (;;) {
    int signal = 0;
    if (sigwait(&set, &signal) != 0)
      continue;
    if (signal != SIGHUP)
      return signal == SIGINT ? "SIGINT" : "SIGTERM";
    on_hangup();
  }
}

void end_at_next_termination(unsigned deadline_s) {
  std::thread{[deadline_s] {
    const auto set = termination_signals();
    const timespec deadline{static_cast<std::time_t>(deadline_s), 0};
    int signal = 0;
    do // a thread that is stopped and continued wakes up, too: that is neither a signal of the end nor late
      signal = sigtimedwait(&set, nullptr, &deadline);
    while (signal < 0 && errno == EINTR);
    if (signal < 0)
      std::fputs("stopping took too long: ended\n", stderr);
    std::_Exit(1);
  }}.detach();
}

} // namespace vicket
