#include "policy/append_settling.hpp"

namespace vicket {

append_settling::step append_settling::on_reply(append_reply reply) {
  switch (reply) {
  case append_reply::stored:
    return step::durable;
  case append_reply::unknown:
    may_be_there_ = true;
    return step::send;
  case append_reply::refused:
    // Of an earlier sending it may come yet: that one has to be settled, however long the server refuses.
    return may_be_there_ ? step::send : step::refused;
  case append_reply::absent:
    break;
  }
  return step::look;
}

append_settling::step append_settling::on_look(const append_look& seen) const {
  if (seen.at)
    return *seen.at == own_ ? step::durable : step::lost;
  if (seen.trimmed_to >
      number_) // it is not: what is known durable alone is trimmed, and this one is not known to be
    return step::behind;
  if (seen.before && *seen.before == before_) {
    // All is as it should be but for the record: the partition is halted, or another's insert of the same number was under
    // way and came to nothing.
    return seen.halted ? step::halted : step::send;
  }
  if (!seen.before && seen.trimmed_to > number_ - 1)
    return step::behind;
  return step::broken;
}

} // namespace vicket
