#pragma once

#include "net/deadlines.hpp"
#include "net/host_lookup.hpp"
#include "net/io_thread.hpp"
#include "net/place.hpp"
#include "net/tls_contexts.hpp"
#include "net/web_socket.hpp"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace vicket::internal {

struct ws_surroundings;
class ws_connection;

/// One side of connections that are dialled.
class link_dialer {
public:
  struct request {
    place where;
    std::string path;
    std::string sub_protocol;
    std::vector<std::pair<std::string, std::string>> fields = {}; ///< of the upgrade
  };
  /// A connection that is upgraded and does not read yet.
  class dialled {
  public:
    dialled(std::shared_ptr<ws_connection> connection,
            std::vector<std::pair<std::string, std::string>> fields)
        : connection_{std::move(connection)}, fields_{std::move(fields)} {}
    [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }
    [[nodiscard]] std::shared_ptr<web_socket> handle() const;
    void open(std::shared_ptr<web_socket_owner> owner) const;

  private:
    std::shared_ptr<ws_connection> connection_;
    std::vector<std::pair<std::string, std::string>> fields_; ///< of the answer
  };
  using on_done = std::function<void(std::variant<dialled, std::string>)>;

  /// `tls` null: plain. Beyond `budget_bytes` of answers in memory none is read on.
  link_dialer(const io_thread& io, std::shared_ptr<tls_contexts> tls, deadline_limits deadlines,
              web_socket_limits messages, std::size_t budget_bytes);

  /// With it go dials that are still looking a name up; on the I/O thread, or when that has ended.
  ~link_dialer() = default;

  /// Looks the name up, connects to one address after the other, speaks TLS where there are files for it, upgrades: each
  /// within its deadline. `done` is called once, on the I/O thread, with one clause where it came to nothing; not at all
  /// where the thread ends before. On the I/O thread.
  void dial(request what, on_done done);

private:
  boost::asio::io_context& context_;
  std::unique_ptr<host_lookup> names_;
  std::shared_ptr<tls_contexts> tls_;
  std::shared_ptr<ws_surroundings> around_;
};

} // namespace vicket::internal
