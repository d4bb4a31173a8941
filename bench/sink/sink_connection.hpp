#pragma once

#include "bench/sink/byte_stream.hpp"
#include "bench/sink/reception.hpp"
#include "bench/sink/request_parser.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vicket::bench {

/// What all connections share, one after the other: there is one thread.
struct sink_workspace {
  reception& desk;
  std::array<char, 16 * 1'024> received; ///< what was read just now: as much as a TLS record holds
  std::string answers;                   ///< to what was read just now, in one write
};

/// One client: reads its requests, answers each in its turn. Of a connection that waits nothing is kept but
/// this object, the TLS session, and the bytes of a request that isn't complete.
///
/// Invariants: `output_` not empty: nothing is read. A request waits for its answer: nothing behind it is
/// looked at.
class sink_connection {
public:
  /// What the connection needs next. All false: it is over, close it.
  struct need {
    bool readable = false;
    bool writable = false;
    bool another_turn = false; ///< whatever the socket says: it was interrupted so that others get their turn
  };

  /// `verify_all`: it came in by the port where every request is verified.
  sink_connection(descriptor socket, tls_session tls, bool verify_all) noexcept;

  /// To be called when what it needed is there.
  [[nodiscard]] need serve(sink_workspace& space);

  /// How long the request at hand is to wait for its answer, once: asking takes it away.
  [[nodiscard]] std::uint32_t take_delay_ms();
  /// To be called after that long.
  [[nodiscard]] need answer_delayed(sink_workspace& space);

  /// A request is read that will never be answered.
  [[nodiscard]] bool hangs() const noexcept { return waits_ == waiting::forever; }
  /// Nothing was read from it yet: if it is one over TLS, its handshake may not be over.
  [[nodiscard]] bool is_new() const noexcept { return new_; }

private:
  enum class waiting : std::uint8_t { no, a_while, forever };

  /// Of what keeps it from reading on; absent: nothing does.
  [[nodiscard]] std::optional<need> obstacle();
  void take(std::string_view bytes, sink_workspace& space);
  [[nodiscard]] std::size_t answer_complete(std::string_view bytes, sink_workspace& space);
  void receive(const request& value, sink_workspace& space);
  void answer(std::uint16_t status, sink_workspace& space);
  void write(std::string& bytes);

  byte_stream stream_;
  request_parser parser_;
  std::string input_;  ///< of requests that are not complete, or whose turn has not come
  std::string output_; ///< what the socket had no room for
  std::uint32_t delay_ms_ = 0;
  std::uint16_t delayed_status_ = 0;
  waiting waits_ = waiting::no;
  bool verify_all_;
  bool new_ = true;
  bool http_1_0_ = false;    ///< the request at hand
  bool keep_alive_ = true;   ///< the request at hand wants it
  bool last_answer_ = false; ///< it is given, or lies in `output_`: then the connection is closed
  bool over_ = false;        ///< nothing more can come or go
};

} // namespace vicket::bench
