#include "net/listener.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <utility>

namespace vicket::internal {

namespace asio = boost::asio;

namespace {

using error_code = boost::system::error_code;

constexpr int backlog = 1'024;
constexpr std::chrono::milliseconds pause_when_short{100};
constexpr mode_t socket_mode = 0660;

/// What is in the way of a Unix socket at that path, if it can't be put away.
std::optional<std::string> clear_path(asio::io_context& context, const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0)
    return std::nullopt;
  if (!S_ISSOCK(found.st_mode))
    return "there is a file that is no socket";
  asio::local::stream_protocol::socket probe{context};
  error_code problem;
  probe.connect(asio::local::stream_protocol::endpoint{path}, problem);
  if (problem != asio::error::connection_refused)
    return problem ? problem.message() : "another process listens there";
  ::unlink(path.c_str()); // nobody listens on it: its process has ended
  return std::nullopt;
}

std::variant<byte_stream::protocol::endpoint, std::string> endpoint_of(asio::io_context& context,
                                                                       const place& where) {
  if (where.is_unix())
    return byte_stream::protocol::endpoint{asio::local::stream_protocol::endpoint{where.unix_path}};
  asio::ip::tcp::resolver resolver{context};
  error_code problem;
  const auto found =
      resolver.resolve(where.address.host, std::to_string(where.address.port),
                       asio::ip::resolver_base::numeric_service | asio::ip::resolver_base::passive, problem);
  if (problem || found.empty())
    return problem.message();
  // "localhost": its IPv4 address, if it has one.
  for (const auto& one : found)
    if (one.endpoint().address().is_v4())
      return byte_stream::protocol::endpoint{one.endpoint()};
  return byte_stream::protocol::endpoint{found.begin()->endpoint()};
}

bool is_shortage(const error_code& problem) {
  return problem == asio::error::no_descriptors || problem == asio::error::no_memory ||
         problem == asio::error::no_buffer_space ||
         problem == boost::system::errc::too_many_files_open_in_system;
}

} // namespace

listener::listener(asio::io_context& context, place where,
                   std::function<void(const std::string&)> log_warning)
    : where_{std::move(where)}, log_warning_{std::move(log_warning)}, acceptor_{context}, timer_{context} {}

std::variant<std::shared_ptr<listener>, std::string>
listener::open(asio::io_context& context, const place& where,
               std::function<void(const std::string&)> log_warning) {
  const auto no = [&](const std::string& why) { return "can't listen on " + where.to_string() + ": " + why; };
  const auto endpoint = endpoint_of(context, where);
  if (const auto* why = std::get_if<std::string>(&endpoint))
    return no(*why);
  if (where.is_unix())
    if (const auto why = clear_path(context, where.unix_path))
      return no(*why);
  std::shared_ptr<listener> made{new listener{context, where, std::move(log_warning)}};
  auto& acceptor = made->acceptor_;
  const auto& bound_to = std::get<0>(endpoint);
  error_code problem;
  acceptor.open(bound_to.protocol(), problem);
  if (!problem &&
      !where.is_unix()) // a node that is started again finds connections of its predecessor in TIME_WAIT
    acceptor.set_option(asio::socket_base::reuse_address(true), problem);
  if (!problem && where.is_unix()) {
    // Nobody gets in before the mode is right: a socket's file takes the mode of its descriptor.
    ::fchmod(acceptor.native_handle(), socket_mode);
  }
  if (!problem)
    acceptor.bind(bound_to, problem);
  if (!problem && where.is_unix() && ::chmod(where.unix_path.c_str(), socket_mode) != 0)
    problem = {errno, boost::system::system_category()};
  if (!problem)
    acceptor.listen(backlog, problem);
  if (problem) {
    made->where_.unix_path.clear(); // what is there is not ours
    return no(problem.message());
  }
  if (!where.is_unix()) {
    const auto bound = acceptor.local_endpoint(problem);
    sockaddr_storage address{};
    std::memcpy(&address, bound.data(), std::min<std::size_t>(bound.size(), sizeof(address)));
    made->where_.address.port =
        ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                                            : reinterpret_cast<const sockaddr_in&>(address).sin_port);
  }
  return made;
}

listener::~listener() {
  close();
}

void listener::start(on_connection take) {
  take_ = std::move(take);
  accept();
}

void listener::close() {
  if (!acceptor_.is_open())
    return;
  if (where_.is_unix())
    ::unlink(where_.unix_path.c_str());
  error_code ignored;
  acceptor_.close(ignored);
  timer_.cancel();
  take_ = nullptr;
}

void listener::accept() {
  acceptor_.async_accept([self = shared_from_this()](error_code problem, byte_stream::socket_type socket) {
    if (!self->acceptor_.is_open())
      return;
    if (problem && is_shortage(problem)) {
      if (!std::exchange(self->short_of_something_, true))
        self->log_warning_("the actor port takes no connections for now: " + problem.message());
      self->pause();
      return;
    }
    // Anything else is the end of one connection that was about to come (accept(2)).
    if (!problem) {
      self->short_of_something_ = false;
      try {
        self->take_(std::move(socket));
      } catch (const std::exception& failure) {
        self->log_warning_(std::string{"a connection could not be taken: "} + failure.what());
      }
    }
    self->accept();
  });
}

void listener::pause() {
  timer_.expires_after(pause_when_short);
  timer_.async_wait([self = shared_from_this()](error_code problem) {
    if (!problem && self->acceptor_.is_open())
      self->accept();
  });
}

} // namespace vicket::internal
