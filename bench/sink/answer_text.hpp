#pragma once

#include <cstdint>
#include <string>

namespace vicket::bench {

/// What the client is told about the connection.
enum class persistence : std::uint8_t {
  implied, ///< it stays open, which HTTP/1.1 need not say
  stays,   ///< it stays open, said in so many words: for HTTP/1.0
  closes,
};

/// Appends a whole HTTP/1.1 answer: with a body of one short line where one may be and anything is to be said
/// (not for 200, 204 and 304).
void append_answer(std::string& out, std::uint16_t status, persistence connection);

} // namespace vicket::bench
