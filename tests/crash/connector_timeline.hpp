#pragma once

#include "tests/crash/event_trace.hpp"
#include "tests/crash/plan.hpp"
#include "tests/crash/records.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vicket::crash {

/// How a connector is, or may be.
struct connector_state {
  std::optional<std::uint64_t> version; ///< absent: there is no such connector
  std::optional<std::uint32_t> secret;  ///< absent: one that nobody but the node knows, or no connector

  friend auto operator<=>(const connector_state&, const connector_state&) = default;
};

/// What may have been true of one connector at which time: a change that was answered is certain, one that was not
/// answered, since its node was killed, may have been made or not, until a list shows which.
class connector_timeline {
public:
  /// A change from the question to the answer, or to the end of the node that had it.
  struct span {
    timestamp_ms from;
    timestamp_ms to;
    bool remove = false;
    bool answered = false;
    std::optional<errc> refused;
  };

  /// `of` has to outlive this. `changes` and `answers` in order; records of other connectors are passed over.
  connector_timeline(const plan& promises, const planned_connector& of,
                     const std::vector<change_record>& changes,
                     const std::vector<change_answer_record>& answers, const std::vector<look_record>& looks,
                     const std::vector<node_life>& lives);

  [[nodiscard]] const planned_connector& of() const noexcept { return *of_; }
  /// Each state that may have been at some moment between the two, sorted.
  [[nodiscard]] std::vector<connector_state> possible(timestamp_ms from, timestamp_ms to) const;
  [[nodiscard]] connector_version settings(const connector_state& state) const;
  [[nodiscard]] const std::vector<span>& changes() const noexcept { return spans_; }
  /// What the lists and the answers contradict.
  [[nodiscard]] const std::vector<violation>& found() const noexcept { return found_; }

private:
  using states = std::vector<connector_state>;

  void change(const change_record& change, const change_answer_record* answer,
              const std::vector<node_life>& lives);
  void look(const look_record& one);
  /// From a moment on, these are possible.
  void set(timestamp_ms from, states all);
  [[nodiscard]] states after(const change_record& change) const;
  void complain(std::string rule, std::string detail);

  const plan* promises_;
  const planned_connector* of_;
  std::vector<std::pair<timestamp_ms, states>> steps_; ///< in order; each holds until the next
  std::vector<span> spans_;
  std::vector<violation> found_;
};

/// What a node's list shows, for a look.
[[nodiscard]] std::vector<look_record::shown> shown_in(const plan& promises,
                                                       const std::vector<connector_view>& list);

} // namespace vicket::crash
