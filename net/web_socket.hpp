#pragma once

#include "net/peer_identity.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace vicket::internal {

struct io_core;
class ws_connection;

/// Bytes, with whatever keeps them.
struct owned_bytes {
  std::shared_ptr<const void> owner;
  std::string_view bytes;

  [[nodiscard]] static owned_bytes of(std::string text) {
    auto kept = std::make_shared<const std::string>(std::move(text));
    const std::string_view bytes{*kept};
    return {std::move(kept), bytes};
  }
};

/// How `on_end` begins where frames were none: Beast has closed the connection with a code alone (RFC 6455 section 7.4).
inline constexpr std::string_view broke_protocol = "it broke the WebSocket protocol: ";

/// Why a WebSocket is closed: the code (RFC 6455 section 7.4) and a sentence of at most 123 bytes.
struct close_reason {
  static constexpr std::uint16_t normal = 1000;
  static constexpr std::uint16_t going_away = 1001;
  static constexpr std::uint16_t protocol_error = 1002;
  static constexpr std::uint16_t wrong_data = 1003;
  static constexpr std::uint16_t policy = 1008;
  static constexpr std::uint16_t too_big = 1009;

  std::uint16_t code = normal;
  std::string text;
};

/// What is released when a message has been dealt with: how many of those that came, and their bytes.
struct credit {
  std::size_t messages = 0;
  std::size_t bytes = 0;
};

/// An open WebSocket, as others than the I/O thread hold it. Any thread may call; after the connection's end nothing
/// happens. Does not keep the connection.
class web_socket {
public:
  web_socket(std::weak_ptr<io_core> core, std::weak_ptr<ws_connection> connection, peer_identity peer)
      : core_{std::move(core)}, connection_{std::move(connection)}, peer_{std::move(peer)} {}

  /// Messages leave in the order of the calls of one thread.
  void send(owned_bytes message, credit done = {}) const;
  void release(credit done) const;
  /// What was sent before is written first.
  void close(close_reason why) const;

  [[nodiscard]] const peer_identity& peer() const { return peer_; }

private:
  std::weak_ptr<io_core> core_;
  std::weak_ptr<ws_connection> connection_;
  peer_identity peer_;
};

/// Who gets what comes on an open WebSocket. Called on the I/O thread; exceptions end the connection. Destroyed there or,
/// where the thread has ended before, by who ended it.
class web_socket_owner {
public:
  virtual ~web_socket_owner() = default;

  /// Whether what it sends goes out as text messages; then it is valid UTF-8. Else they are binary.
  [[nodiscard]] virtual bool sends_text() const { return false; }

  /// The first bytes of a message, at least `head_bytes` of them unless it is shorter. How long it may be in all, or why it
  /// closes the connection. `text`: it is a text message.
  [[nodiscard]] virtual std::variant<std::size_t, close_reason> on_head(std::string_view bytes,
                                                                        bool text) = 0;
  /// It is whole. Counts against the limits until its credit is given back with `send` or `release`.
  virtual void on_message(owned_bytes message) = 0;
  /// Once a second or so.
  virtual void on_tick() = 0;
  /// The last call. One clause.
  virtual void on_end(const std::string& why) = 0;

  static constexpr std::size_t head_bytes = 16;
};

/// The bounds of a connection, the same for all of a port.
struct web_socket_limits {
  std::size_t message_bytes = 32u << 20;
  std::size_t unanswered = 256; ///< messages without credit; beyond it nothing is read on
  double pings = 64;            ///< and pongs, at once; and then a few each second
  double pings_per_second = 4;
};

} // namespace vicket::internal
