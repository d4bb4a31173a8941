#pragma once

#include "messages/connector.hpp"
#include "messages/errors.hpp"
#include "tests/sim/facts.hpp"
#include "tests/sim/rule_form.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace vicket::sim {

/// What a connector may be at this moment. More than one thing, while a change is not answered, or was never.
class connector_book {
public:
  connector_book(std::size_t connectors, std::vector<complaint>& complaints)
      : connectors_(connectors), complaints_{&complaints} {}

  /// A put or delete is on its way. One at a time for each connector.
  void change_sent(std::uint32_t which, const connector& wanted, bool exists, const moment& now);
  /// The change that is sent next may also end half-way: whatever it is now, it may be that, and disabled.
  void may_become_disabled(std::uint32_t which, const moment& now);
  void change_done(std::uint32_t which, const moment& now);
  void change_refused(std::uint32_t which, const moment& now);
  /// No answer came, and none will.
  void changes_are_lost();
  [[nodiscard]] bool change_under_way(std::uint32_t which) const { return connectors_[which].changing; }

  /// The node showed it, or that it is not there; asked at `asked`.
  void shown(std::uint32_t which, const connector* value, const moment& asked, const moment& now);
  /// Nothing moves: what was replaced before this is used by nobody any more.
  void quiet(const moment& now) { quiet_since_ = now.order; }

  /// Whether a refusal of an event that was sent at `sent` has a reason.
  void check_refusal(std::uint32_t which, errc code, const moment& sent, std::uint64_t serial) const;
  /// The connector may have refused so at any time since `sent`.
  [[nodiscard]] bool may_refuse(std::uint32_t which, errc code, const moment& sent,
                                const event_look& event) const;
  /// The event may have been accepted at some time from `from` to `to`: the filter of then lets it pass.
  [[nodiscard]] bool may_accept(std::uint32_t which, const event_look& event, std::uint64_t from,
                                std::uint64_t to) const;
  /// Whether a request may go to this host now.
  void check_request(std::uint32_t which, const std::string& host) const;

  /// And whatever the connector was in that time, it takes it.
  [[nodiscard]] bool certainly_accepts(std::uint32_t which, const event_look& event, std::uint64_t from,
                                       std::uint64_t to) const;
  /// It is there, enabled and without a rate, and nothing that is under way may change that.
  [[nodiscard]] bool certainly_delivers(std::uint32_t which) const;
  /// The most that it may have been allowed to have in flight at any time since then, or since nothing moved: a put is
  /// followed by then.
  [[nodiscard]] std::uint32_t most_in_flight(std::uint32_t which, std::uint64_t since) const;

  [[nodiscard]] bool may_exist(std::uint32_t which) const;
  [[nodiscard]] bool exists(std::uint32_t which) const;
  /// At some time since then.
  [[nodiscard]] bool may_have_existed(std::uint32_t which, std::uint64_t since) const;
  [[nodiscard]] bool may_have_been_absent(std::uint32_t which, std::uint64_t since) const;
  /// Whatever becomes of the change that is under way.
  [[nodiscard]] bool existed_before_change(std::uint32_t which) const;
  [[nodiscard]] std::size_t count() const noexcept { return connectors_.size(); }
  [[nodiscard]] bool all_are_certain() const;

private:
  struct version {
    bool exists = false;
    connector value;
    std::uint64_t from = 0;
    std::uint64_t until = never;
  };
  struct connector_fact {
    std::vector<version> versions{version{}};
    bool changing = false;
    std::uint64_t changed = 0; ///< the last time that anything was sent or answered
  };

  void complain(std::string rule, std::string detail) const {
    complaints_->push_back({std::move(rule), std::move(detail)});
  }
  template <class Predicate>
  [[nodiscard]] bool any_since(std::uint32_t which, std::uint64_t since, Predicate holds) const;

  std::vector<connector_fact> connectors_;
  std::vector<complaint>* complaints_;
  std::uint64_t quiet_since_ = 0;
};

/// `https://HOST/…`
[[nodiscard]] std::string host_of(const connector& value);
/// Whether the event passes its patterns and its filter.
[[nodiscard]] bool takes(const connector& value, const event_look& event);

} // namespace vicket::sim
