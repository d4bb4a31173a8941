#pragma once

#include <string_view>
#include <vector>

namespace vicket::fuzz {

/// One entry point for bytes that come from outside: it returns, whatever they are. What it expects of what was made of
/// them it says with `EXPECT_THAT_IT_HOLDS`, which ends the process, as a sanitizer does.
struct target {
  const char* name; ///< also that of its folder of the corpus
  void (*reader)(std::string_view input);

  /// Remembers the input, so that a failure can show it.
  void run(std::string_view input) const;
};

/// All that are linked: one in a fuzzer, each of them in `test-fuzz`.
std::vector<target>& targets();

struct registered {
  registered(const char* name, void (*reader)(std::string_view)) { targets().push_back({name, reader}); }
};

/// Says what did not hold and for which input (with C's escapes), then aborts.
[[noreturn]] void fail(const char* what, const char* file, int line);

} // namespace vicket::fuzz

#define VICKET_FUZZ_TARGET(name)                                                                             \
  static void run_##name(std::string_view input);                                                            \
  static const ::vicket::fuzz::registered name##_is_registered{#name, run_##name};                           \
  static void run_##name([[maybe_unused]] std::string_view input)

#define EXPECT_THAT_IT_HOLDS(...)                                                                            \
  static_cast<void>((__VA_ARGS__) || (::vicket::fuzz::fail(#__VA_ARGS__, __FILE__, __LINE__), false))
