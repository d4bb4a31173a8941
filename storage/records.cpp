#include "storage/records.hpp"

#include <algorithm>
#include <utility>

namespace vicket {

history_weight stored_attempt::weight(std::size_t record_bytes) const {
  auto result = history_weight{};
  if (const auto bytes = answer_bytes(); bytes >= min_answer_bytes)
    result.answer_bytes = bytes;
  if (state_after != event_state::pending)
    result.attempt_bytes = (record_bytes - std::min(record_bytes, result.answer_bytes)) * value.number;
  return result;
}

std::size_t stored_attempt::answer_bytes() const {
  return value.answer_bytes() - (same_body_as ? value.response_body.size() : 0);
}

void stored_attempt::drop_answer() {
  if (!same_body_as && answer_bytes() < min_answer_bytes)
    return;
  value.response_truncated = value.response_truncated || same_body_as || !value.response_body.empty();
  value.response_body.clear();
  value.response_headers.clear();
  same_body_as.reset();
}

void stored_attempt::drop() {
  attempt left;
  left.number = value.number;
  left.started_at = value.started_at;
  left.duration_us = value.duration_us;
  value = std::move(left);
  same_body_as.reset();
  dropped = true;
}

} // namespace vicket
