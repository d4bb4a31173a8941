#include "link/line.hpp"

#include "link/handshake.hpp"
#include "link/kinds.hpp"
#include "link/reconnect_plan.hpp"
#include "net/link_dialer.hpp"
#include "net/pause.hpp"

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

#include <sys/random.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

namespace vicket::internal {

namespace {

constexpr std::chrono::milliseconds tick_interval{200}; // while there is no connection
constexpr std::size_t answer_budget_bytes = 64 * MiB;

double chance() {
  std::uint32_t bits = 0;
  if (::getrandom(&bits, sizeof(bits), 0) != static_cast<ssize_t>(sizeof(bits)))
    return 0.5;
  return static_cast<double>(bits) / (static_cast<double>(std::numeric_limits<std::uint32_t>::max()) + 1);
}

link_inbox::time_point now() {
  return std::chrono::steady_clock::now();
}

web_socket_limits limits_of_answers() {
  web_socket_limits limits;
  limits.message_bytes = most_message_bytes;
  limits.unanswered = std::numeric_limits<std::size_t>::max(); // bounded by what is asked
  return limits;
}

} // namespace

/// Of the I/O thread.
class line_core : public std::enable_shared_from_this<line_core> {
public:
  line_core(link_line::options with, const io_thread& io)
      : with_{std::move(with)}, plan_{with_.nodes.size()}, dialer_{std::make_unique<link_dialer>(
                                                               io, with_.tls, with_.deadlines,
                                                               limits_of_answers(), answer_budget_bytes)},
        pause_{io}, ticks_{io} {}

  void start() {
    tick();
    dial();
  }

  void stop() {
    stopped_ = true;
    pause_.cancel();
    ticks_.cancel();
    dialer_ = nullptr;
    socket_ = nullptr;
  }

  void put(link_inbox::item item) {
    if (!with_.inbox->put(std::move(item)))
      return;
    if (const auto actor = with_.actor.lock())
      caf::anon_send(caf::actor_cast<caf::actor>(actor), caf::tick_atom_v);
  }

  void lost(const std::string& why) {
    if (stopped_)
      return;
    socket_ = nullptr;
    put(link_inbox::ended{dialled(), why});
    again(plan_.lost(now(), chance()));
    tick();
  }

private:
  [[nodiscard]] std::string dialled() const { return with_.nodes[dialled_].to_string(); }

  void again(std::chrono::milliseconds later) {
    pause_.start(later, [self = shared_from_this()] { self->dial(); });
  }

  void tick() {
    if (stopped_ || socket_)
      return; // a connection has ticks of its own
    put(link_inbox::tick{now()});
    ticks_.start(tick_interval, [self = shared_from_this()] { self->tick(); });
  }

  void dial();
  void connected(const link_dialer::dialled& found);

  const link_line::options with_;
  reconnect_plan plan_;
  std::unique_ptr<link_dialer> dialer_; ///< null once it is stopped
  pause pause_;
  pause ticks_;
  std::size_t dialled_ = 0;
  std::shared_ptr<web_socket> socket_;
  bool stopped_ = false;
};

namespace {

class line_owner : public web_socket_owner {
public:
  explicit line_owner(std::shared_ptr<line_core> core) : core_{std::move(core)} {}

  std::variant<std::size_t, close_reason> on_head(std::string_view, bool text) override {
    if (text)
      return close_reason{close_reason::wrong_data, "vicket.caf.1 has binary messages only"};
    return most_message_bytes;
  }
  void on_message(owned_bytes message) override { core_->put(std::move(message)); }
  void on_tick() override { core_->put(link_inbox::tick{now()}); }
  void on_end(const std::string& why) override { core_->lost(why); }

private:
  std::shared_ptr<line_core> core_;
};

} // namespace

void line_core::dial() {
  if (stopped_)
    return;
  dialled_ = plan_.node();
  link_dialer::request request{with_.nodes[dialled_], std::string{link_path}, std::string{caf_protocol}};
  request.fields.emplace_back("Vicket-Versions",
                              std::to_string(link_version) + "-" + std::to_string(link_version));
  if (!with_.roles.empty())
    request.fields.emplace_back("Vicket-Roles", with_.roles);
  dialer_->dial(std::move(request),
                [self = shared_from_this()](std::variant<link_dialer::dialled, std::string> result) {
                  if (self->stopped_)
                    return;
                  if (auto* why = std::get_if<std::string>(&result)) {
                    self->put(link_inbox::ended{self->dialled(), std::move(*why)});
                    self->again(self->plan_.failed(chance()));
                  } else {
                    self->connected(std::get<0>(result));
                  }
                });
}

void line_core::connected(const link_dialer::dialled& found) {
  plan_.connected(now());
  socket_ = found.handle();
  const request_head answer{{}, {}, true, found.fields()};
  put(link_inbox::opened{socket_, dialled(), roles_named(answer.value("Vicket-Roles"))});
  found.open(std::make_shared<line_owner>(shared_from_this()));
}

link_line::link_line(options with)
    : io_{[](const std::string&) {}}, core_{std::make_shared<line_core>(std::move(with), io_)} {
  io_.run([this] { core_->start(); });
}

link_line::~link_line() {
  io_.run([this] { core_->stop(); });
}

} // namespace vicket::internal
