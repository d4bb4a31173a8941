#pragma once

#include "link/frames.hpp"
#include "link/inbox.hpp"
#include "link/line.hpp"
#include "link/link_options.hpp"
#include "link/roles.hpp"
#include "messages/actors.hpp"
#include "messages/link_state.hpp"
#include "messages/peer_actor.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace vicket::internal {

/// What an actor that stands for a node is to who has it, and what it sends.
struct node_interface {
  using handle = node_actor;
  using kinds = node_kinds;
  static constexpr auto name = "link_client";
};
struct peer_interface {
  using handle = peer_actor;
  using kinds = peer_kinds;
  static constexpr auto name = "peer_link_client";
};

/// The actor that stands for a node on the other side of a link, but for the types of its requests.
///
/// Invariants: `waiting_` has what was taken and not answered, `held_bytes_` its messages' bytes; `unsent_` is empty while
/// there is a connection.
class link_client_core {
public:
  struct setup {
    link_options options;
    std::vector<place> nodes;
    std::shared_ptr<tls_contexts> tls;
    std::string roles;
    deadline_limits deadlines = {};
  };

  explicit link_client_core(setup with) : with_{std::move(with)} {}

protected:
  struct waiting {
    std::size_t bytes = 0;
    bool sent = false;
    std::uint8_t kind = 0;
    std::function<bool(std::string_view)> answer; ///< false: it is none
    std::function<void(const refusal&)> refuse;
  };

  /// Connects from here on, and tells `self` of it.
  void begin(caf::weak_actor_ptr self);
  /// There is something in the inbox.
  void look();

  [[nodiscard]] std::uint64_t next_number() { return ++last_number_; }
  /// Why a message can't be sent.
  [[nodiscard]] std::optional<refusal> complaint(std::uint8_t kind, std::size_t most_bytes,
                                                 std::string_view message) const;
  /// Sends, or keeps it for a while.
  void keep(std::uint64_t number, waiting entry, owned_bytes frame);

private:
  using time_point = link_inbox::time_point;
  struct unsent {
    std::uint64_t number;
    owned_bytes frame;
    std::optional<time_point> since; ///< of the first tick after it
  };

  [[nodiscard]] std::optional<refusal> no_room_for(std::size_t bytes) const;
  void take(const owned_bytes& message);
  void connected(link_inbox::opened what);
  void lost(const link_inbox::ended& what);
  void expire(time_point now);
  void refuse(std::uint64_t number, const refusal& why);
  void tell(link_state state);

  setup with_;
  std::shared_ptr<link_inbox> inbox_ = std::make_shared<link_inbox>();
  std::shared_ptr<web_socket> socket_; ///< null: there is no connection
  unsigned roles_ = 0;                 ///< that the node has given, while there is a connection
  std::string last_why_;               ///< there is none
  std::uint64_t last_number_ = 0;
  std::size_t held_bytes_ = 0;
  std::unordered_map<std::uint64_t, waiting> waiting_;
  std::deque<unsent> unsent_;
  std::unique_ptr<link_line> line_;
};

/// And with them.
template <class Interface>
class link_client : public link_client_core {
public:
  using handle = typename Interface::handle::template extend<
      /// Its line → it: there is something in the inbox.
      caf::result<void>(caf::tick_atom)>;

  static constexpr auto name = Interface::name;

  link_client(typename handle::pointer self, setup with);

  typename handle::behavior_type make_behavior();

private:
  template <class... Kinds>
  typename handle::behavior_type behavior_of(kind_list<Kinds...>);
  /// Answers through the promise.
  template <class Kind>
  auto ask(const typename Kind::request& request);

  typename handle::pointer self_;
};

} // namespace vicket::internal
