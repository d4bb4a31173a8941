#include "policy/assertion.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace vicket {

namespace {

std::atomic<assertion_handler> current_handler{nullptr};
std::atomic<bool> invariants_on{false};

} // namespace

assertion_handler set_assertion_handler(assertion_handler handler) noexcept {
  return current_handler.exchange(handler);
}

void assertion_failed(const char* expression, const char* file, int line) {
  if (const auto handler = current_handler.load())
    handler(expression, file, line);
  std::fprintf(stderr, "vicket: %s:%d: does not hold: %s\n", file, line, expression);
  std::abort();
}

bool invariants_are_checked() noexcept {
  return invariants_on.load(std::memory_order_relaxed);
}

void check_invariants(bool on) noexcept {
  invariants_on.store(on, std::memory_order_relaxed);
}

} // namespace vicket
