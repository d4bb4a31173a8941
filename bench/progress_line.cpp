#include "bench/progress_line.hpp"

#include "bench/harness/real_time.hpp"

#include <unistd.h>

#include <cstdio>

namespace vicket::bench {

progress_line::progress_line() : terminal_{::isatty(STDERR_FILENO) == 1}, started_ns_{now_ns()} {}

progress_line::~progress_line() {
  if (terminal_)
    std::fputs("\r\x1b[K", stderr);
}

void progress_line::begin(const std::string& scenario) {
  scenario_ = scenario;
  say("starting");
}

void progress_line::say(const std::string& what) {
  std::fprintf(stderr, "%s[%4.0f s] %s: %s%s", terminal_ ? "\r\x1b[K" : "", seconds(now_ns() - started_ns_),
               scenario_.c_str(), what.c_str(), terminal_ ? "" : "\n");
  std::fflush(stderr);
}

} // namespace vicket::bench
