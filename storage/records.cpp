#include "storage/records.hpp"

namespace vicket {

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

} // namespace vicket
