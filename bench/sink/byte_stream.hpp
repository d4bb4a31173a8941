#pragma once

#include "bench/sink/descriptor.hpp"
#include "bench/sink/server_tls.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace vicket::bench {

/// A connection's bytes, over TLS or bare. Never waits.
class byte_stream {
public:
  enum class state : std::uint8_t {
    done,
    wait_to_read,  ///< nothing happened; when the socket can be read, try again
    wait_to_write, ///< the same, when it can be written
    ended,         ///< in order or not: only closing is left to do
  };
  struct result {
    state what = state::ended;
    std::size_t bytes = 0; ///< of `done`, 1 or more
  };

  /// `tls`: none for a bare one.
  byte_stream(descriptor socket, tls_session tls) noexcept;
  ~byte_stream();
  byte_stream(const byte_stream&) = delete;
  byte_stream& operator=(const byte_stream&) = delete;

  /// Does the handshake first, too.
  [[nodiscard]] result read(std::span<char> into);
  /// After `wait_to_write`, the same bytes have to be tried again, wherever they lie then and whatever
  /// follows them.
  [[nodiscard]] result write(std::string_view bytes);

  /// Something was taken from the socket that read() has not handed out: the socket need not become readable
  /// for more.
  [[nodiscard]] bool holds_more() const;

  /// Tells the other side that no more comes.
  void finish();

  [[nodiscard]] int number() const noexcept { return socket_.number(); }

private:
  [[nodiscard]] result tls_result(int code, std::size_t bytes);

  descriptor socket_;
  tls_session tls_;
  bool broken_ = false; ///< after a fatal error TLS allows no more words, not even of farewell
};

} // namespace vicket::bench
