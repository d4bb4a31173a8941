#pragma once

#include "net/byte_stream.hpp"
#include "net/place.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <string>
#include <variant>

namespace vicket::internal {

/// One place where connections come in. Where this process is short of descriptors or memory it takes none for a moment,
/// instead of trying all the time. Of the I/O thread, but for `open`.
class listener : public std::enable_shared_from_this<listener> {
public:
  using on_connection = std::function<void(byte_stream::socket_type)>;

  /// Binds and listens. A Unix socket gets mode 0660; one that nobody listens on any more is replaced, one in use is not,
  /// and another kind of file never. Else one clear line.
  [[nodiscard]] static std::variant<std::shared_ptr<listener>, std::string>
  open(boost::asio::io_context& context, const place& where,
       std::function<void(const std::string&)> log_warning);
  ~listener();

  /// As bound: port 0 has become the one that it is.
  [[nodiscard]] const place& where() const { return where_; }

  void start(on_connection take);
  /// No more connections. A Unix socket's file goes.
  void close();

private:
  using acceptor_type = boost::asio::basic_socket_acceptor<byte_stream::protocol, byte_stream::executor_type>;

  listener(boost::asio::io_context& context, place where,
           std::function<void(const std::string&)> log_warning);
  void accept();
  void pause();

  place where_;
  std::function<void(const std::string&)> log_warning_;
  acceptor_type acceptor_;
  boost::asio::steady_timer timer_;
  on_connection take_;
  bool short_of_something_ = false; ///< and said so
};

} // namespace vicket::internal
