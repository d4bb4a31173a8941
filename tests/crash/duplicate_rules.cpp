// Duplicates only of deliveries that were in flight at a kill.
//
// Requests and recorded attempts are put together one to one. Each request belongs to exactly one life of the
// node, since its connection was accepted before the TLS handshake in which the node took part. What is left
// over of the requests was sent without its outcome being recorded, and that is allowed to a node that was
// killed meanwhile.
#include "tests/crash/event_trace.hpp"

#include <algorithm>
#include <functional>
#include <optional>

namespace vicket::crash {

namespace {

/// A receiver that was stopped reads a request after the node gave up waiting for it.
constexpr std::int64_t late_read_ms = 3'000;
/// From the end of a delivery to the kill, as long as its outcome may be uncommitted.
constexpr std::int64_t commit_allowance_ms = 2'000;
/// An outcome may wait for so many syncs: a put or delete under way has two.
constexpr std::int64_t commits_waited_for = 8;
/// An attempt's start is noted before its delivery gets its turn, and the duration counts from that turn.
constexpr std::int64_t turn_allowance_ms = 1'000;

/// Node and receiver read the time each in its own way, and cut it to milliseconds. Between two times of the
/// node itself nothing is allowed for.
constexpr std::int64_t between_clocks_ms = 2;

bool is_2xx(const request_record& one) {
  return one.answer.status >= 200 && one.answer.status < 300;
}

bool was_answered(const attempt& one) {
  return one.result == outcome::delivered || one.result == outcome::http_status;
}

/// The client replaces a pooled connection that ends before a whole answer is there, and sends the request again in the
/// same attempt.
bool may_be_replaced(const request_record& one) {
  return one.request_on_connection > 1 &&
         (one.answer.kind == reply::close_before_answer || one.answer.kind == reply::close_in_head ||
          one.answer.kind == reply::cut_server_error);
}

class pairing {
public:
  pairing(const event_trace& trace, const run_facts& facts)
      : trace_{trace}, facts_{facts}, request_of_(trace.history ? trace.history->attempts.size() : 0),
        attempt_of_(trace.requests.size()) {}

  void run() {
    for (std::size_t i = 0; i < request_of_.size(); ++i)
      // Rather the request that came after a replaced one than that, which may have the same status.
      if (was_answered(attempt_at(i)) && !grow_from_attempt(i, false) && !grow_from_attempt(i, true))
        facts_.complain(trace_, "an answered attempt was seen by its receiver",
                        "no request fits attempt " + std::to_string(attempt_at(i).number));
    // Growing keeps what has a partner, so requests that must have one come first.
    for (const bool replaceable : {false, true})
      for (std::size_t i = 0; i < attempt_of_.size(); ++i)
        if (!attempt_of_[i] && may_be_replaced(trace_.requests[i]) == replaceable)
          grow_from_request(i);
  }

  [[nodiscard]] std::optional<std::size_t> attempt_of(std::size_t request) const {
    return attempt_of_[request];
  }

private:
  [[nodiscard]] const attempt& attempt_at(std::size_t i) const { return trace_.history->attempts[i]; }

  /// Until when the request of an attempt may have arrived: attempts of an event follow each other, so it was
  /// before the next one's start, unless the node no longer waited for it.
  [[nodiscard]] timestamp_ms latest_arrival(std::size_t i) const {
    const auto& one = attempt_at(i);
    const auto end = one.started_at + one.duration_us / 1'000 + turn_allowance_ms;
    if (one.result == outcome::timeout)
      return end + late_read_ms;
    return i + 1 < request_of_.size() ? std::min(end, attempt_at(i + 1).started_at + between_clocks_ms) : end;
  }

  [[nodiscard]] bool fit(std::size_t i, const request_record& seen) const {
    const auto& one = attempt_at(i);
    const auto life = facts_.life_at(seen.connection_accepted_at);
    if (!life || life != facts_.life_at(one.started_at))
      return false;
    if (seen.arrived_at + between_clocks_ms < one.started_at || seen.arrived_at > latest_arrival(i))
      return false;
    switch (one.result) {
    case outcome::delivered:
      return is_2xx(seen) && one.status == seen.answer.status;
    case outcome::http_status:
      return one.status == seen.answer.status;
    case outcome::blocked:
    case outcome::dns:
    case outcome::connect:
      return false;
    default:
      return true;
    }
  }

  /// Kuhn's augmenting paths, from either side; an event has few attempts.
  bool grow_from_attempt(std::size_t start, bool also_replaceable) {
    std::vector<bool> tried(attempt_of_.size());
    const std::function<bool(std::size_t)> grow = [&](std::size_t from) {
      for (std::size_t to = 0; to < attempt_of_.size(); ++to) {
        if (tried[to] || !fit(from, trace_.requests[to]) ||
            (!also_replaceable && may_be_replaced(trace_.requests[to])))
          continue;
        tried[to] = true;
        if (!attempt_of_[to] || grow(*attempt_of_[to])) {
          attempt_of_[to] = from;
          request_of_[from] = to;
          return true;
        }
      }
      return false;
    };
    return grow(start);
  }

  bool grow_from_request(std::size_t start) {
    std::vector<bool> tried(request_of_.size());
    const std::function<bool(std::size_t)> grow = [&](std::size_t from) {
      for (std::size_t to = 0; to < request_of_.size(); ++to) {
        if (tried[to] || !fit(to, trace_.requests[from]))
          continue;
        tried[to] = true;
        if (!request_of_[to] || grow(*request_of_[to])) {
          request_of_[to] = from;
          attempt_of_[from] = to;
          return true;
        }
      }
      return false;
    };
    return grow(start);
  }

  const event_trace& trace_;
  const run_facts& facts_;
  std::vector<std::optional<std::size_t>> request_of_;
  std::vector<std::optional<std::size_t>> attempt_of_;
};

const std::vector<attempt>& attempts_of(const event_trace& trace) {
  static const std::vector<attempt> none;
  return trace.history ? trace.history->attempts : none;
}

/// Why a request without a recorded attempt was not in flight at a kill; empty: it was.
std::string in_flight_complaint(const event_trace& trace, const request_record& extra, const node_life& life,
                                const run_facts& facts) {
  const auto* promise = facts.promises->find(trace.sent.connector.value);
  const auto timeout_ms = promise == nullptr ? std::int64_t{10'000} : promise->value.timeout_ms;
  const auto allowance_ms = commit_allowance_ms + commits_waited_for * facts.slow_sync_ms;
  if (!life.killed)
    return "no attempt is recorded for it, and the node that sent it was not killed";
  if (life.ended_at - extra.arrived_at > timeout_ms + allowance_ms)
    return "no attempt is recorded for it, and the kill came " +
           std::to_string(life.ended_at - extra.arrived_at) + " ms later";
  if (extra.written && life.ended_at - extra.finished_at > allowance_ms)
    return "no attempt is recorded for it, and it was answered " +
           std::to_string(life.ended_at - extra.finished_at) + " ms before the kill";
  for (const auto& one : attempts_of(trace))
    if (one.started_at > extra.arrived_at && one.started_at <= life.ended_at)
      return "no attempt is recorded for it, and the same node made attempt " + std::to_string(one.number) +
             " after it";
  return {};
}

/// What was recorded before an unrecorded request binds it like any other.
std::string order_complaint(const event_trace& trace, const request_record& extra) {
  const attempt* before = nullptr;
  for (const auto& one : attempts_of(trace))
    if (one.started_at + one.duration_us / 1'000 < extra.arrived_at)
      before = &one;
  if (before == nullptr)
    return {};
  if (!before->next_attempt_at)
    return "it was sent after attempt " + std::to_string(before->number) + ", which was recorded as the last";
  if (extra.arrived_at + between_clocks_ms < *before->next_attempt_at)
    return "it was sent " + std::to_string(*before->next_attempt_at - extra.arrived_at) +
           " ms before the due time of attempt " + std::to_string(before->number);
  return {};
}

void check_partner(const event_trace& trace, const attempt& one, const request_record& seen,
                   const run_facts& facts) {
  if (one.result != outcome::delivered && one.result != outcome::timeout && seen.written && is_2xx(seen))
    facts.complain(trace, "2xx is success",
                   "attempt " + std::to_string(one.number) + " was answered with " +
                       std::to_string(seen.answer.status) + " and recorded as " +
                       std::string{to_string(one.result)});
  const auto* promise = facts.promises->find(trace.sent.connector.value);
  if (promise == nullptr || seen.answer.retry_after_s == 0 || one.result != outcome::http_status ||
      !one.next_attempt_at)
    return;
  const auto floor_ms =
      std::min<std::int64_t>(seen.answer.retry_after_s * 1'000, promise->value.retry.cap_ms);
  if (*one.next_attempt_at - one.started_at < floor_ms)
    facts.complain(trace, "Retry-After is a floor",
                   "attempt " + std::to_string(one.number) + " is to be followed after " +
                       std::to_string(*one.next_attempt_at - one.started_at) + " ms");
}

} // namespace

void check_duplicates(const event_trace& trace, const run_facts& facts) {
  constexpr const char* rule = "duplicates only of deliveries that were in flight at a kill";
  pairing pairs{trace, facts};
  pairs.run();
  std::vector<std::size_t> lives_with_extra;
  for (std::size_t i = 0; i < trace.requests.size(); ++i) {
    const auto& seen = trace.requests[i];
    if (const auto partner = pairs.attempt_of(i)) {
      check_partner(trace, attempts_of(trace)[*partner], seen, facts);
      continue;
    }
    const auto life = facts.life_at(seen.connection_accepted_at);
    if (!life) {
      facts.complain(trace, "a request is sent by a living node", "its connection was made while none ran");
      continue;
    }
    const bool followed = std::any_of(
        trace.requests.begin() + static_cast<std::ptrdiff_t>(i) + 1, trace.requests.end(),
        [&](const request_record& later) { return facts.life_at(later.connection_accepted_at) == life; });
    if (may_be_replaced(seen) && followed) {
      ++facts.counted->replaced_requests;
      continue;
    }
    ++facts.counted->in_flight_duplicates;
    if (seen.written && (*facts.lives)[*life].killed)
      facts.counted->longest_unrecorded_ms =
          std::max(facts.counted->longest_unrecorded_ms, (*facts.lives)[*life].ended_at - seen.finished_at);
    const auto number = "request " + std::to_string(i + 1) + ": ";
    if (const auto complaint = in_flight_complaint(trace, seen, (*facts.lives)[*life], facts);
        !complaint.empty())
      facts.complain(trace, rule, number + complaint);
    else if (std::find(lives_with_extra.begin(), lives_with_extra.end(), *life) != lives_with_extra.end())
      facts.complain(trace, rule, number + "it is the second one without an attempt before the same kill");
    if (const auto complaint = order_complaint(trace, seen); !complaint.empty())
      facts.complain(trace, "no retry comes earlier than its stored due time", number + complaint);
    lives_with_extra.push_back(*life);
  }
}

} // namespace vicket::crash
