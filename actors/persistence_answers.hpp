#pragma once

#include "actors/persistence.hpp"

#include <utility>

namespace vicket {

/// What a round that was refused is to who waits for it.
[[nodiscard]] inline refusal refusal_of_round(const store_status& why) {
  return {why.code == store_errc::away ? errc::unavailable : errc::storage_full, why.detail};
}

/// An answer that is given when its round is durable; when it is refused instead, as `refusal_of_round`, or, for one that only
/// reads, what is true then.
template <class Answer>
class persistence::waiting_answer final : public round_reply {
public:
  waiting_answer(caf::typed_response_promise<Answer> promise,
                 std::function<void(caf::typed_response_promise<Answer>&)> answer, bool only_reads)
      : promise_{std::move(promise)}, answer_{std::move(answer)}, only_reads_{only_reads} {}

  void durable() override { answer_(promise_); }
  void refused(const store_status& why) override {
    if (only_reads_) // what it waited for is undone by now
      answer_(promise_);
    else
      promise_.deliver(make_refusal(refusal_of_round(why)));
  }

private:
  caf::typed_response_promise<Answer> promise_;
  std::function<void(caf::typed_response_promise<Answer>&)> answer_;
  bool only_reads_;
};

template <class Answer>
caf::typed_response_promise<Answer>
persistence::answer_with_round(std::function<void(caf::typed_response_promise<Answer>&)> answer,
                               bool only_reads) {
  auto promise = self_->make_response_promise<Answer>();
  rounds_.reply_with_round(std::make_unique<waiting_answer<Answer>>(promise, std::move(answer), only_reads));
  schedule_commit();
  return promise;
}

} // namespace vicket
