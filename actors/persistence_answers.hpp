#pragma once

#include "actors/persistence.hpp"

#include <utility>

namespace vicket {

/// An answer that is given when its round is durable.
template <class Answer>
class persistence::waiting_answer final : public round_reply {
public:
  waiting_answer(caf::typed_response_promise<Answer> promise,
                 std::function<void(caf::typed_response_promise<Answer>&)> answer)
      : promise_{std::move(promise)}, answer_{std::move(answer)} {}

  void durable() override { answer_(promise_); }
  void refused(const store_status& why) override {
    promise_.deliver(make_refusal(errc::storage_full, why.detail));
  }

private:
  caf::typed_response_promise<Answer> promise_;
  std::function<void(caf::typed_response_promise<Answer>&)> answer_;
};

template <class Answer>
caf::typed_response_promise<Answer>
persistence::answer_with_round(std::function<void(caf::typed_response_promise<Answer>&)> answer) {
  auto promise = self_->make_response_promise<Answer>();
  rounds_.reply_with_round(std::make_unique<waiting_answer<Answer>>(promise, std::move(answer)));
  schedule_commit();
  return promise;
}

} // namespace vicket
