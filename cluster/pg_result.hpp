#pragma once

// Only for the files of this folder that talk to libpq.

#include <libpq-fe.h>

#include <memory>
#include <string>
#include <string_view>

namespace vicket::internal {

struct pg_result_deleter {
  void operator()(PGresult* result) const { PQclear(result); }
};
using pg_result_ptr = std::unique_ptr<PGresult, pg_result_deleter>;

/// What libpq says, for a log: its messages have several lines.
inline std::string one_line(std::string_view text) {
  std::string line;
  for (const auto c : text)
    line += c == '\n' || c == '\t' ? ' ' : c;
  while (line.ends_with(' '))
    line.pop_back();
  return line;
}

} // namespace vicket::internal
