#pragma once

#include <caf/error.hpp>
#include <caf/timespan.hpp>

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace vicket {

/// Sends one request to each of several actors and calls `done(std::vector<Answer>, caf::error)` once all have
/// answered: answers in the order of the actors, and the first error, if any (then the answers are not complete).
/// With no actors it is called at once.
template <class Answer, class Self, class Handle, class MakeRequest, class Done>
void gather(Self* self, const std::vector<Handle>& actors, MakeRequest make_request, Done done) {
  struct progress {
    std::vector<Answer> answers;
    caf::error first_error;
    std::size_t missing;
    Done done;
  };
  auto state = std::make_shared<progress>(
      progress{std::vector<Answer>(actors.size()), caf::error{}, actors.size(), std::move(done)});
  if (actors.empty()) {
    state->done(std::move(state->answers), std::move(state->first_error));
    return;
  }
  auto one_less = [state] {
    if (--state->missing == 0)
      state->done(std::move(state->answers), std::move(state->first_error));
  };
  for (std::size_t i = 0; i < actors.size(); ++i) {
    self->request(actors[i], caf::infinite, make_request(i))
        .then(
            [state, i, one_less](Answer& answer) {
              state->answers[i] = std::move(answer);
              one_less();
            },
            [state, one_less](caf::error& reason) {
              if (!state->first_error)
                state->first_error = std::move(reason);
              one_less();
            });
  }
}

} // namespace vicket
