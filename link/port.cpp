#include "link/port.hpp"

#include "link/caf_session.hpp"
#include "link/handshake.hpp"
#include "link/json_session.hpp"
#include "net/allowance.hpp"
#include "net/link_server.hpp"

#include <caf/actor_system.hpp>

#include <mutex>
#include <utility>

namespace vicket {

using namespace internal;

namespace {

/// Lines that strangers cause: a few at once, then one in a while that says how many there were. Thread-safe.
class rationed_log {
public:
  explicit rationed_log(std::function<void(const std::string&)> log) : log_{std::move(log)} {}

  void operator()(const std::string& line) {
    std::string text = line;
    {
      const std::lock_guard guard{mutex_};
      if (!allowed_.take(std::chrono::steady_clock::now())) {
        ++left_out_;
        return;
      }
      if (const auto others = std::exchange(left_out_, 0); others > 0)
        text += " (" + std::to_string(others) + " other lines were left out before)";
    }
    log_(text);
  }

private:
  static constexpr double at_once = 10;
  static constexpr double per_second = 0.2;

  std::function<void(const std::string&)> log_;
  std::mutex mutex_;
  allowance allowed_{at_once, per_second, std::chrono::steady_clock::now()}; ///< guarded by mutex_
  std::uint64_t left_out_ = 0;                                               ///< guarded by mutex_
};

/// The session of a connection in `vicket.caf.1` or `vicket.json.1`, and who speaks to it on the I/O thread.
template <class Session>
std::shared_ptr<web_socket_owner> open_session(caf::actor_system& system, session_rights rights,
                                               std::shared_ptr<web_socket> socket,
                                               std::function<void(const std::string&)> complain,
                                               link_session_owner::head_judge judge, bool sends_text) {
  auto inbox = std::make_shared<link_inbox>();
  auto session = system.spawn<Session>(link_session::setup{inbox, socket, std::move(rights), complain});
  return std::make_shared<link_session_owner>(
      link_session_owner::setup{std::move(inbox), std::move(session), std::move(socket), std::move(complain),
                                std::move(judge), sends_text});
}

/// A peer waits for the feed of each partition all the time; what else it asks is not to wait for that.
constexpr std::size_t long_polls_of_peer = 512;

session_rights rights_of(const node_actor& node, const peer_actor& peer, unsigned roles) {
  session_rights rights;
  if ((roles & role_sender) != 0)
    rights.gateway = node;
  if ((roles & role_operator) != 0)
    rights.operators = node;
  if ((roles & role_peer) != 0)
    rights.peer = peer;
  return rights;
}

} // namespace

struct actor_port::rep {
  std::shared_ptr<tls_contexts> tls;
  std::unique_ptr<link_server> server;
};

actor_port::actor_port(std::unique_ptr<rep> made) : rep_{std::move(made)} {}

actor_port::~actor_port() = default;

std::variant<std::unique_ptr<actor_port>, std::string>
actor_port::open(caf::actor_system& system, const node_actor& node, options with) {
  auto made = std::make_unique<rep>();
  if (with.tls) {
    auto contexts = tls_contexts::make(*with.tls);
    if (auto* why = std::get_if<std::string>(&contexts))
      return std::move(*why);
    made->tls = std::get<0>(std::move(contexts));
  }
  link_server_options serving;
  serving.listen = with.listen;
  serving.tls = made->tls;
  serving.path = link_path;
  serving.sub_protocols = {std::string{caf_protocol}, std::string{json_protocol}};
  serving.messages.message_bytes = most_message_bytes;
  if (with.peer)
    serving.messages.unanswered += long_polls_of_peer;
  // Each its own, so that links which are refused do not hide what the port itself has to say.
  const auto rationed = [&] {
    return
        [log = std::make_shared<rationed_log>(with.log_warning)](const std::string& line) { (*log)(line); };
  };
  serving.log_warning = rationed();
  if (with.change)
    with.change(serving);
  const auto complain = rationed();
  const auto limits = serving.messages;
  serving.judge = [rules = with.roles, limits, complain, local = with.local_peers](
                      const request_head& head, const peer_identity& peer, upgrade_answer so_far) {
    auto answer = judge_link(head, peer, rules, limits, std::move(so_far), local);
    if (answer.status != 101)
      complain("a link is refused to " + peer.to_string() + ": " + answer.text);
    return answer;
  };
  serving.open = [&system, node, other = with.peer, rules = with.roles, complain,
                  local = with.local_peers](const request_head& head, const std::string& sub_protocol,
                                            std::shared_ptr<web_socket> socket) {
    const auto roles = granted_roles(head, socket->peer(), rules, local);
    if (sub_protocol == json_protocol)
      return open_session<json_session>(system, rights_of(node, other, roles), std::move(socket), complain,
                                        judge_json_head, true);
    return open_session<caf_session>(
        system, rights_of(node, other, roles), std::move(socket), complain,
        [roles](std::string_view bytes, bool text) { return judge_caf_head(bytes, text, roles); }, false);
  };
  auto server = link_server::start(std::move(serving));
  if (auto* why = std::get_if<std::string>(&server))
    return std::move(*why);
  made->server = std::get<0>(std::move(server));
  return std::unique_ptr<actor_port>{new actor_port{std::move(made)}};
}

std::vector<place> actor_port::places() const {
  return rep_->server->places();
}

std::function<std::optional<std::string>()> actor_port::reloader() const {
  return [tls = rep_->tls] { return tls ? tls->reload() : std::nullopt; };
}

void actor_port::close_for_new() {
  rep_->server->close_for_new();
}

void actor_port::close_all(std::chrono::milliseconds patience) {
  rep_->server->close_all("the node is stopping", patience);
}

} // namespace vicket
