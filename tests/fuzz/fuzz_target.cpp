#include "tests/fuzz/fuzz_target.hpp"

#include <cstdio>
#include <cstdlib>

namespace vicket::fuzz {

namespace {

constexpr std::size_t max_shown_bytes = 4'096;

std::string_view current_input;

} // namespace

void target::run(std::string_view input) const {
  current_input = input;
  reader(input);
}

std::vector<target>& targets() {
  static std::vector<target> all;
  return all;
}

void fail(const char* what, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: does not hold: %s\nfor the input \"", file, line, what);
  for (const auto c : current_input.substr(0, max_shown_bytes)) {
    if (c >= ' ' && c <= '~' && c != '"' && c != '\\')
      std::fputc(c, stderr);
    else
      std::fprintf(stderr, "\\%03o", static_cast<unsigned>(static_cast<unsigned char>(c)));
  }
  std::fprintf(stderr, "\"%s\n", current_input.size() > max_shown_bytes ? " and more" : "");
  std::abort();
}

} // namespace vicket::fuzz
