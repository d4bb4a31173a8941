#pragma once

#include "messages/actors.hpp"
#include "messages/peer.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vicket::internal {

/// What a connection may be. A set of bits.
enum link_role : unsigned {
  role_sender = 1,
  role_operator = 2,
  role_peer = 4, ///< another node of the cluster
};

/// The answer to a request without one.
struct nothing {
  template <class Inspector>
  friend bool inspect(Inspector& f, nothing& x) {
    return f.object(x).fields();
  }
};

/// A row of the table of `vicket.caf.1`: the number of a request, its one type, its answer's, who may send it, and the most
/// bytes of its body.
template <std::uint8_t Number, class Request, class Answer, unsigned Roles, std::size_t MostBytes>
struct link_kind {
  static constexpr std::uint8_t number = Number;
  static constexpr unsigned roles = Roles;
  static constexpr std::size_t most_bytes = MostBytes;
  using request = Request;
  using answer = Answer;
};

template <class... Kinds>
struct kind_list {};

inline constexpr std::size_t KiB = 1'024;
inline constexpr std::size_t MiB = 1'024 * KiB;

/// The most bytes of any message.
inline constexpr std::size_t most_message_bytes = 32 * MiB;
/// `kind | request` in front of a body.
inline constexpr std::size_t frame_head_bytes = 9;

/// All that engines, operators and the command line ask through an actor port. Numbers are the wire: append only.
using node_kinds = kind_list<
    link_kind<1, send_to_connector, accepted, role_sender, 20 * MiB>,
    link_kind<2, send_batch, batch_result, role_sender, most_message_bytes - frame_head_bytes>,
    link_kind<3, get_event, event_page, role_sender | role_operator, 16 * KiB>,
    link_kind<4, get_run, run_page, role_sender | role_operator, 16 * KiB>,
    link_kind<5, read_outcomes, outcome_page, role_sender | role_operator, 16 * KiB>,
    link_kind<6, put_connector, connector_view, role_operator, 128 * KiB>,
    link_kind<7, get_connector, connector_view, role_operator, 1 * KiB>,
    link_kind<8, delete_connector, nothing, role_operator, 1 * KiB>,
    link_kind<9, list_connectors, connector_page, role_operator, 1 * KiB>,
    link_kind<10, get_status, node_status, role_operator, 1 * KiB>,
    link_kind<26, trigger, trigger_result, role_sender, 20 * MiB>,
    link_kind<27, trigger_batch, trigger_batch_result, role_sender, most_message_bytes - frame_head_bytes>,
    link_kind<28, put_rule, rule, role_operator, 1 * MiB>,
    link_kind<29, get_rule, rule, role_operator, 1 * KiB>,
    link_kind<30, delete_rule, nothing, role_operator, 1 * KiB>,
    link_kind<31, list_rules, rule_page, role_operator, 1 * KiB>,
    link_kind<32, try_rules, trial_page, role_operator, 20 * MiB>,
    link_kind<33, make_backup, backup_made, role_operator, 8 * KiB>>;

/// And the nodes of a cluster among each other. What they pass on has to fit, with the partition before it.
using peer_kinds =
    kind_list<link_kind<11, of_partition<accept_events>, batch_result, role_peer,
                        most_message_bytes - frame_head_bytes>,
              link_kind<12, of_partition<put_connector>, connector_view, role_peer, 129 * KiB>,
              link_kind<13, of_partition<get_connector>, connector_view, role_peer, 2 * KiB>,
              link_kind<14, of_partition<delete_connector>, nothing, role_peer, 2 * KiB>,
              link_kind<15, of_partition<list_connectors>, connector_page, role_peer, 2 * KiB>,
              link_kind<16, of_partition<get_partition_overview>, partition_overview, role_peer, 2 * KiB>,
              link_kind<17, of_partition<find_partition_events>, found_events, role_peer, 17 * KiB>,
              link_kind<18, of_partition<find_partition_run>, found_events, role_peer, 17 * KiB>,
              link_kind<19, of_partition<read_partition_histories>, partition_histories, role_peer, 16 * KiB>,
              link_kind<20, of_partition<read_partition_outcomes>, partition_outcomes, role_peer, 1 * KiB>,
              link_kind<21, await_feed, feed_awaited, role_peer, 1 * KiB>,
              link_kind<22, of_partition<put_setting>, nothing, role_peer, 258 * KiB>,
              link_kind<23, of_partition<delete_setting>, nothing, role_peer, 1 * KiB>,
              link_kind<24, of_partition<get_setting>, setting, role_peer, 1 * KiB>,
              link_kind<25, of_partition<list_settings>, settings_page, role_peer, 1 * KiB>,
              link_kind<34, open_checkpoint, opened_checkpoint, role_peer, 1 * KiB>,
              link_kind<35, read_checkpoint, checkpoint_bytes, role_peer, 1 * KiB>,
              link_kind<36, close_checkpoint, nothing, role_peer, 1 * KiB>>;

template <class... First, class... Second>
kind_list<First..., Second...> both(kind_list<First...>, kind_list<Second...>);
using link_kinds = decltype(both(node_kinds{}, peer_kinds{}));

/// Whether the answer may come at any time: the work that it tells the end of is as long as what is stored.
template <class Request>
constexpr bool takes_any_time(const Request&) {
  return false;
}
inline bool takes_any_time(const delete_connector& request) {
  return request.force;
}
inline bool takes_any_time(const make_backup&) {
  return true;
}
inline bool takes_any_time(const of_partition<delete_connector>& request) {
  return request.body.force;
}
constexpr bool takes_any_time(const open_checkpoint&) {
  return true;
}

/// An answer has its request's kind with this bit, a refusal this bit alone; its body is a `refusal`.
inline constexpr std::uint8_t answer_bit = 0x80;
inline constexpr std::uint8_t refusal_kind = answer_bit;

template <class Visitor, class... Kinds>
bool visit_kind(kind_list<Kinds...>, std::uint8_t number, Visitor visit) {
  return ((Kinds::number == number && (visit(Kinds{}), true)) || ...);
}

/// Calls `visit` with the row of that number; false: there is none.
template <class Visitor>
bool with_kind(std::uint8_t number, Visitor visit) {
  return visit_kind(link_kinds{}, number, visit);
}

template <class Request, class... Kinds>
constexpr auto find_kind(kind_list<Kinds...>) {
  std::uint8_t number = 0;
  static_cast<void>(
      ((std::is_same_v<typename Kinds::request, Request> && (number = Kinds::number, true)) || ...));
  return number;
}

template <class Request, class... Kinds>
constexpr std::size_t find_bound(kind_list<Kinds...>) {
  return ((std::is_same_v<typename Kinds::request, Request> ? Kinds::most_bytes : 0) + ...);
}

/// The number of a request's kind.
template <class Request>
inline constexpr std::uint8_t kind_of = find_kind<Request>(link_kinds{});

} // namespace vicket::internal
