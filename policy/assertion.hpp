#pragma once

namespace vicket {

/// What an assertion that does not hold calls, with the expression and its place. Must not return. The default prints
/// one line on standard error and aborts; the simulation puts its own there, to print the plan that led to it.
using assertion_handler = void (*)(const char* expression, const char* file, int line);

/// Exchanges the handler; null: the default. For composition roots, before other threads are started.
assertion_handler set_assertion_handler(assertion_handler handler) noexcept;

[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);

/// Whether classes check the invariants that stand above their members after each of their handlers. Off in a node,
/// since some of the checks walk over all that a partition holds; on in the simulation and the tests of actors.
[[nodiscard]] bool invariants_are_checked() noexcept;
void check_invariants(bool on) noexcept;

/// Checks the invariants of an object (`check()`) when it goes out of scope, if they are checked: the first line of a
/// handler.
template <class Object>
class checked_after {
public:
  explicit checked_after(const Object& object) noexcept : object_{object} {}
  checked_after(const checked_after&) = delete;
  checked_after& operator=(const checked_after&) = delete;
  ~checked_after() {
    if (invariants_are_checked())
      object_.check();
  }

private:
  const Object& object_;
};

} // namespace vicket

/// What must hold, in every build: a node that has gone wrong ends, and its next start recovers from the disk.
/// For conditions that cost no more than a comparison.
#define VICKET_ASSERT(condition)                                                                             \
  ((condition) ? static_cast<void>(0) : ::vicket::assertion_failed(#condition, __FILE__, __LINE__))
