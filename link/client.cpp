#include "link/client.hpp"

#include "link/connect.hpp"
#include "link/connect_peer.hpp"

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/sec.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>

#include <chrono>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace vicket {

namespace internal {

namespace {

/// Of what a frame takes beside its texts, to reserve its bytes at once.
constexpr std::size_t around_bytes = 64;

std::size_t size_hint(const send_to_connector& event) {
  return event.data_json.size() + event.event.size() + event.workflow.size() + event.run.size() +
         (event.message ? event.message->size() : 0) + 2 * around_bytes;
}

std::size_t size_hint(const send_batch& batch) {
  std::size_t sum = around_bytes;
  for (const auto& item : batch.items)
    sum += size_hint(item);
  return sum;
}

std::size_t size_hint(const of_partition<accept_events>& request) {
  std::size_t sum = around_bytes;
  for (const auto& event : request.body.events)
    sum += event.envelope.size() + event.event.size() + event.workflow.size() + event.run.size() +
           2 * around_bytes;
  return sum;
}

template <class Request>
std::size_t size_hint(const Request&) {
  return around_bytes;
}

refusal not_allowed(unsigned roles) {
  return {errc::forbidden, "this node lets this certificate be " +
                               (roles == 0 ? std::string{"nothing"} : role_names(roles)) + " only"};
}

bool may_ask(unsigned roles, std::uint8_t kind) {
  bool may = false;
  with_kind(kind, [&]<class Kind>(Kind) { may = (roles & Kind::roles) != 0; });
  return may;
}

refusal too_many_items(std::uint8_t kind) {
  if (kind == kind_of<send_batch> || kind == kind_of<of_partition<accept_events>>)
    return {errc::invalid_event,
            "a batch holds at most " + std::to_string(send_batch::max_items) + " events"};
  if (kind == kind_of<of_partition<read_partition_histories>>)
    return {errc::invalid_event,
            "at most " + std::to_string(event_page::max_events) + " histories are read at once"};
  return {errc::invalid_connector, "headers, events: there are too many of them"};
}

template <class Answer>
struct promise_of {
  using type = caf::typed_response_promise<Answer>;
};
template <>
struct promise_of<nothing> {
  using type = caf::typed_response_promise<void>;
};

} // namespace

// -- requests -------------------------------------------------------------------------------------------------------------

template <class Interface>
link_client<Interface>::link_client(typename handle::pointer self, setup with)
    : link_client_core{std::move(with)}, self_{self} {}

template <class Interface>
template <class Kind>
auto link_client<Interface>::ask(const typename Kind::request& request) {
  using answer = typename Kind::answer;
  using promise_type = typename promise_of<answer>::type;
  promise_type promise;
  if constexpr (std::is_same_v<answer, nothing>)
    promise = self_->template make_response_promise<void>();
  else
    promise = self_->template make_response_promise<answer>();
  const auto number = next_number();
  auto frame = encode_frame({Kind::number, number}, request, size_hint(request));
  if (const auto why = complaint(Kind::number, Kind::most_bytes, frame.bytes)) {
    promise.deliver(make_refusal(*why));
    return promise;
  }
  waiting entry;
  entry.bytes = frame.bytes.size();
  entry.kind = Kind::number;
  entry.answer = [promise](std::string_view body) mutable {
    answer value;
    if (!decode_body(body, value))
      return false;
    if constexpr (std::is_same_v<answer, nothing>)
      promise.deliver();
    else
      promise.deliver(std::move(value));
    return true;
  };
  entry.refuse = [promise](const refusal& why) mutable { promise.deliver(make_refusal(why)); };
  keep(number, std::move(entry), std::move(frame));
  return promise;
}

template <class Interface>
template <class... Kinds>
typename link_client<Interface>::handle::behavior_type
link_client<Interface>::behavior_of(kind_list<Kinds...>) {
  return {
      [this](const typename Kinds::request& request) { return ask<Kinds>(request); }...,
      [this](caf::tick_atom) { look(); },
  };
}

template <class Interface>
typename link_client<Interface>::handle::behavior_type link_client<Interface>::make_behavior() {
  begin(caf::weak_actor_ptr{self_->ctrl()});
  return behavior_of(typename Interface::kinds{});
}

void link_client_core::begin(caf::weak_actor_ptr self) {
  line_ = std::make_unique<link_line>(
      link_line::options{with_.nodes, with_.tls, with_.roles, inbox_, std::move(self), with_.deadlines});
}

std::optional<refusal> link_client_core::complaint(std::uint8_t kind, std::size_t most_bytes,
                                                   std::string_view message) const {
  const auto bytes = message.size();
  if (bytes > frame_head_bytes + most_bytes)
    return refusal{errc::too_large, "the message has " + std::to_string(bytes) + " bytes, and a node takes " +
                                        std::to_string(most_bytes) + " of this kind"};
  if (socket_ && !may_ask(roles_, kind))
    return not_allowed(roles_);
  if (!counts_are_bounded(kind, message.substr(frame_head_bytes)))
    return too_many_items(kind);
  return no_room_for(bytes);
}

std::optional<refusal> link_client_core::no_room_for(std::size_t bytes) const {
  if (waiting_.size() >= with_.options.max_requests)
    return refusal{errc::overloaded, std::to_string(with_.options.max_requests) +
                                         " requests have no answer yet: send again a little later"};
  if (!waiting_.empty() && held_bytes_ + bytes > with_.options.max_bytes)
    return refusal{errc::overloaded, "more than " + std::to_string(with_.options.max_bytes) +
                                         " bytes of requests have no answer yet: send again a little later"};
  return std::nullopt;
}

void link_client_core::keep(std::uint64_t number, waiting entry, owned_bytes frame) {
  held_bytes_ += entry.bytes;
  entry.sent = socket_ != nullptr;
  waiting_.emplace(number, std::move(entry));
  if (socket_)
    socket_->send(std::move(frame));
  else
    unsent_.push_back({number, std::move(frame), std::nullopt});
}

void link_client_core::refuse(std::uint64_t number, const refusal& why) {
  const auto found = waiting_.find(number);
  if (found == waiting_.end())
    return;
  auto entry = std::move(found->second);
  held_bytes_ -= entry.bytes;
  waiting_.erase(found);
  entry.refuse(why);
}

// -- what comes -----------------------------------------------------------------------------------------------------------

void link_client_core::look() {
  for (auto& item : inbox_->take()) {
    if (const auto* message = std::get_if<owned_bytes>(&item))
      take(*message);
    else if (auto* opened = std::get_if<link_inbox::opened>(&item))
      connected(std::move(*opened));
    else if (const auto* ended = std::get_if<link_inbox::ended>(&item))
      lost(*ended);
    else if (const auto* tick = std::get_if<link_inbox::tick>(&item))
      expire(tick->now);
  }
}

void link_client_core::take(const owned_bytes& message) {
  if (!socket_)
    return; // it was given up
  socket_->release({1, message.bytes.size()});
  const auto head = read_frame_head(message.bytes);
  const auto body = message.bytes.substr(std::min(message.bytes.size(), frame_head_bytes));
  const auto found = head ? waiting_.find(head->request) : waiting_.end();
  bool good = found != waiting_.end();
  if (good && head->kind == refusal_kind) {
    refusal why;
    good = decode_body(body, why);
    if (good)
      refuse(head->request, why);
  } else if (good) {
    good = head->kind == (found->second.kind | answer_bit);
    if (good) {
      auto entry = std::move(found->second);
      held_bytes_ -= entry.bytes;
      waiting_.erase(found);
      good = entry.answer(body);
      if (!good)
        entry.refuse({errc::unavailable, "the node's answer can't be understood"});
    }
  }
  if (!good)
    socket_->close(
        {close_reason::protocol_error, "an answer to no request, or one that can't be understood"});
}

void link_client_core::connected(link_inbox::opened what) {
  socket_ = std::move(what.socket);
  roles_ = what.roles;
  tell({true, what.node, {}});
  for (auto& one : std::exchange(unsent_, {})) {
    const auto found = waiting_.find(one.number);
    if (!may_ask(roles_, found->second.kind)) {
      refuse(one.number, not_allowed(roles_));
      continue;
    }
    found->second.sent = true;
    socket_->send(std::move(one.frame));
  }
}

void link_client_core::lost(const link_inbox::ended& what) {
  socket_ = nullptr;
  last_why_ = what.node + ": " + what.why;
  tell({false, what.node, what.why});
  std::vector<std::uint64_t> under_way;
  for (const auto& [number, entry] : waiting_)
    if (entry.sent)
      under_way.push_back(number);
  for (const auto number : under_way)
    refuse(number, {errc::unavailable, "the connection was lost, to " + last_why_});
}

void link_client_core::expire(time_point now) {
  while (!unsent_.empty()) {
    auto& first = unsent_.front();
    if (first.since && now - *first.since >= with_.options.wait) {
      refuse(first.number, {errc::unavailable,
                            last_why_.empty() ? "no connection in time" : "no connection, to " + last_why_});
      unsent_.pop_front();
      continue;
    }
    for (auto& one : unsent_)
      if (!one.since)
        one.since = now;
    return;
  }
}

void link_client_core::tell(link_state state) {
  if (const auto watcher = caf::actor_cast<caf::actor>(with_.options.watcher))
    caf::anon_send(watcher, std::move(state));
}

namespace {

template <class Interface>
class link_client_actor
    : public caf::stateful_actor<link_client<Interface>, typename link_client<Interface>::handle::base> {
public:
  using super = caf::stateful_actor<link_client<Interface>, typename link_client<Interface>::handle::base>;

  link_client_actor(caf::actor_config& config, link_client_core::setup with)
      : super{config, std::move(with)} {
    this->set_exception_handler([](std::exception_ptr& problem) {
      try {
        std::rethrow_exception(problem);
      } catch (const std::exception& known) {
        return caf::make_error(caf::sec::runtime_error, known.what());
      } catch (...) {
        return caf::make_error(caf::sec::runtime_error, "an exception of an unknown type");
      }
    });
  }
};

template <class Interface>
typename Interface::handle spawn_client(caf::actor_system& system, const link_options& options,
                                        unsigned roles, std::shared_ptr<tls_contexts> tls = {},
                                        const deadline_limits& deadlines = {}) {
  link_client_core::setup with;
  with.tls = std::move(tls);
  with.deadlines = deadlines;
  with.options = options;
  with.roles = role_names(roles);
  if (options.nodes.empty())
    throw std::runtime_error{"a link needs a node to connect to"};
  for (const auto& text : options.nodes) {
    auto where = parse_place(text);
    if (const auto* wrong = std::get_if<std::string>(&where))
      throw std::runtime_error{*wrong};
    with.nodes.push_back(std::get<place>(std::move(where)));
    if (!with.nodes.back().is_unix() && with.nodes.back().address.port == 0)
      throw std::runtime_error{text + ": port 0 is no port to connect to"};
  }
  if (options.tls && !with.tls) {
    auto contexts = tls_contexts::make(*options.tls);
    if (const auto* wrong = std::get_if<std::string>(&contexts))
      throw std::runtime_error{*wrong};
    with.tls = std::get<0>(std::move(contexts));
  }
  return system.spawn<link_client_actor<Interface>>(std::move(with));
}

} // namespace
} // namespace internal

gateway_actor connect(caf::actor_system& system, const link_options& options) {
  return internal::spawn_client<internal::node_interface>(system, options, internal::role_sender);
}

operator_actor connect_operator(caf::actor_system& system, const link_options& options) {
  return internal::spawn_client<internal::node_interface>(system, options, internal::role_operator);
}

peer_actor connect_peer(caf::actor_system& system, const link_options& options,
                        std::shared_ptr<internal::tls_contexts> tls) {
  // What is asked of a node that can't be reached any more has an answer elsewhere before long.
  internal::deadline_limits deadlines;
  deadlines.ping = std::chrono::milliseconds{3'000};
  deadlines.silence = deadlines.write = std::chrono::milliseconds{10'000};
  return internal::spawn_client<internal::peer_interface>(system, options, internal::role_peer,
                                                          std::move(tls), deadlines);
}

node_actor connect_node(caf::actor_system& system, const link_options& options) {
  return internal::spawn_client<internal::node_interface>(system, options, 0);
}

} // namespace vicket
