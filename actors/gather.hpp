#pragma once

#include "actors/urgency.hpp"

#include <caf/error.hpp>
#include <caf/timespan.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace vicket {

/// One actor's answer, or why there is none.
template <class Answer>
struct gathered {
  std::optional<Answer> answer;
  caf::error why;
};

/// Sends one request to each of several actors and calls `done(std::vector<gathered<Answer>>)` once all have answered, in
/// the order of the actors. With no actors it is called at once.
template <class Answer, class Self, class Handle, class MakeRequest, class Done>
void gather_each(Self* self, const std::vector<Handle>& actors, MakeRequest make_request, Done done) {
  struct progress {
    std::vector<gathered<Answer>> answers;
    std::size_t missing;
    Done done;
  };
  auto state = std::make_shared<progress>(
      progress{std::vector<gathered<Answer>>(actors.size()), actors.size(), std::move(done)});
  if (actors.empty()) {
    state->done(std::move(state->answers));
    return;
  }
  auto one_less = [state] {
    if (--state->missing == 0)
      state->done(std::move(state->answers));
  };
  for (std::size_t i = 0; i < actors.size(); ++i) {
    self->template request<priority_of<decltype(make_request(i))>>(actors[i], caf::infinite, make_request(i))
        .then(
            [state, i, one_less](Answer& answer) {
              state->answers[i].answer = std::move(answer);
              one_less();
            },
            [state, i, one_less](caf::error& reason) {
              state->answers[i].why = std::move(reason);
              one_less();
            });
  }
}

/// The same for who needs all of them: `done(std::vector<Answer>, caf::error)` has the answers and the first error, if any
/// (then the answers are not complete).
template <class Answer, class Self, class Handle, class MakeRequest, class Done>
void gather(Self* self, const std::vector<Handle>& actors, MakeRequest make_request, Done done) {
  gather_each<Answer>(self, actors, std::move(make_request),
                      [done = std::move(done)](std::vector<gathered<Answer>> each) mutable {
                        std::vector<Answer> answers;
                        answers.reserve(each.size());
                        caf::error first;
                        for (auto& one : each) {
                          if (one.answer)
                            answers.push_back(*std::move(one.answer));
                          else if (!first)
                            first = std::move(one.why);
                        }
                        done(std::move(answers), std::move(first));
                      });
}

} // namespace vicket
