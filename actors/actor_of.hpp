#pragma once

#include <caf/error.hpp>
#include <caf/stateful_actor.hpp>

#include <exception>
#include <utility>

namespace vicket {

/// What an actor that an exception has ended gives as its reason: the exception's own words.
[[nodiscard]] caf::error error_of(const std::exception_ptr& problem);

/// Spawns a class `C` that has `using handle = …_actor`, a constructor `C(handle::pointer self, …)` and
/// `make_behavior()`: `spawn<actor_of<C>>(…)`. Its state dies when the actor quits, so handles that actors hold of
/// each other do not keep each other alive. An exception that leaves a handler ends the actor; who monitors it learns
/// why (CAF's own handler would print it on standard output, which is not ours to write to).
template <class Class>
class actor_of : public caf::stateful_actor<Class, typename Class::handle::base> {
public:
  using super = caf::stateful_actor<Class, typename Class::handle::base>;

  template <class... Args>
  explicit actor_of(caf::actor_config& config, Args&&... args) : super(config, std::forward<Args>(args)...) {
    this->set_exception_handler([](std::exception_ptr& problem) { return error_of(problem); });
  }
};

} // namespace vicket
