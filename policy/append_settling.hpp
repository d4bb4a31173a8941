#pragma once

#include "policy/log_history.hpp"

#include <cstdint>
#include <optional>

namespace vicket {

/// What the table said to one sending of an append: insert the record as number n, where n - 1 is the one that I know.
enum class append_reply : std::uint8_t {
  stored, ///< a row, and no warning: durable, and so is everything before it
  unknown, ///< a warning (the wait for a standby was cancelled), or the connection is gone: may be there, or yet come
  refused, ///< an error: certainly not there
  absent,  ///< no row was inserted, or there is one of that number already: a look says why
};

/// What is there, as one statement saw it after an `absent`; what it saw is durable.
struct append_look {
  std::optional<record_digest> before; ///< of number n - 1
  std::optional<record_digest> at;     ///< of number n
  std::uint64_t last = 0;              ///< 0: the log is empty
  std::uint64_t trimmed_to = 0;        ///< all below are deleted
  bool halted = false;                 ///< the partition takes no records
};

/// Settles one append whose answers may be lost, doubled or late. Pure: the caller sends, looks and waits, this says what
/// next, and at last what came of it. Only `durable` may be answered for.
///
/// What is not known is never looked up but appended again: the second insert waits for the first where that is still under
/// way, whereas a read says nothing about what is about to be committed. And a record that is seen is not yet durable: so a look
/// commits something itself, in the same statement, and counts once that is acknowledged. (To look first and to commit
/// something then is not enough: a server that fails over in between acknowledges the second without having the first.)
class append_settling {
public:
  enum class step : std::uint8_t {
    send,    ///< the same record, again on a new connection
    look,    ///< until one is answered
    durable, ///< it is, with everything before it
    refused, ///< it is not there, nor will it be: the same may be sent as a new append
    lost,    ///< another's record has its number: whoever wrote that owns the partition
    behind,  ///< what it follows is trimmed: many records were written meanwhile
    broken,  ///< what it follows is not there, or is another: the log went back
    halted,  ///< the partition takes no records
  };

  append_settling(std::uint64_t number, const record_digest& before, const record_digest& own)
      : number_{number}, before_{before}, own_{own} {}

  [[nodiscard]] step on_reply(append_reply reply);
  [[nodiscard]] step on_look(const append_look& seen) const;

private:
  std::uint64_t number_;
  record_digest before_;
  record_digest own_;
  bool may_be_there_ = false; ///< a sending of it has an end that is not known
};

} // namespace vicket
