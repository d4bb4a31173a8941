#pragma once

#include <cstdint>
#include <string>

namespace vicket::bench {

/// What is going on, on standard error: one line that is written over on a terminal, a line each elsewhere.
class progress_line {
public:
  progress_line();
  ~progress_line();
  progress_line(const progress_line&) = delete;
  progress_line& operator=(const progress_line&) = delete;

  void begin(const std::string& scenario);
  void say(const std::string& what);

private:
  bool terminal_;
  std::int64_t started_ns_;
  std::string scenario_;
};

} // namespace vicket::bench
