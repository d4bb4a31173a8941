#pragma once

#include "actors/interfaces.hpp"
#include "actors/node_rules.hpp"
#include "policy/schedule_clock.hpp"
#include "policy/trigger_plan.hpp"
#include "policy/uuid.hpp"
#include "storage/settings_copy.hpp"

#include <caf/actor_clock.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace vicket {

/// Rules, and what they make of triggers: behind the gateway, beside the partitions. Holds nothing durable.
///
/// A trigger is all or nothing, as its sender sees it. What its rules make of it is planned once; the events of one partition go
/// there in one message, so in one round; a part that a partition can't take at the moment is sent again, with the same
/// ids, until `patience` is over: then the answer is `unavailable` with the trigger's id, and who sends it again under that
/// id completes it, since what is there already is not stored again. What is refused for good (an unknown connector, a
/// filter) is the result of that action, and holds up no other.
class rule_desk {
public:
  using handle = rule_desk_actor;

  static constexpr auto name = "rule_desk";

  static constexpr std::chrono::milliseconds again{200};
  static constexpr std::chrono::milliseconds look_again{50}; ///< for rules that may be decided by
  static constexpr std::chrono::milliseconds patience{10'000};
  /// What is judged of a trigger by rules before others have their turn, and before a page of `try_rules` ends: see
  /// `trigger_plan`. Some milliseconds; 0.1 s for conditions that are hard to decide.
  static constexpr std::size_t work_at_once = 4u << 20;
  static constexpr std::chrono::milliseconds turn_of_others{1};
  /// Rules that a refused delete of a connector names.
  static constexpr std::size_t named_rules = 10;

  struct setup {
    router_actor router;
    settings_actor settings;
    std::shared_ptr<const settings_copy> copy;
    std::uint32_t partitions = 0;
    const schedule_clock* clock = nullptr; ///< outlives the actor
    random_source* random = nullptr;       ///< outlives the actor; safe from any thread
    std::size_t max_envelope_bytes = 256 * 1024;
    /// Of triggers that are not answered, and their events; beyond it they are refused with `overloaded`. One is always
    /// allowed.
    std::size_t max_bytes = 64u << 20;
    std::function<void(const std::string&)> log_warning;
  };

  rule_desk(handle::pointer self, setup with);

  handle::behavior_type make_behavior();

private:
  using time_point = caf::actor_clock::time_point;

  struct open_trigger {
    event_id id;
    bool made_here = false; ///< the id: nothing is a duplicate of what was there before
    bool is_answered = false;
    std::size_t bytes = 0;
    std::optional<checked_trigger> what; ///< until it is answered
    std::size_t first_rule = 0;          ///< of those of the message
    std::size_t missing = 0;             ///< events that are not decided
    std::optional<trigger_plan> plan;    ///< while not all of its rules are judged
  };

  /// One or several triggers that came together, until all of them are answered. What has to be sent again is made again out
  /// of the trigger and its rules: copies of events cost more than all the rest.
  struct open_message {
    std::variant<caf::typed_response_promise<trigger_result>,
                 caf::typed_response_promise<trigger_batch_result>>
        promise;
    time_point until;
    std::vector<open_trigger> triggers;
    std::vector<std::shared_ptr<const compiled_rule>> rules; ///< of each event, trigger by trigger
    trigger_batch_result answer; ///< of each of the triggers, as far as it is known
    std::size_t missing = 0;     ///< triggers that are not answered
    std::string why;             ///< a part could not be taken last
    std::list<std::shared_ptr<open_message>>::iterator undecided; ///< its place there, once it is planned
    bool is_undecided = false;
  };
  using message_ptr = std::shared_ptr<open_message>;

  /// An event of a trigger of a message.
  struct place {
    message_ptr of;
    std::uint32_t trigger = 0;
    std::uint32_t event = 0; ///< of the trigger's result
  };
  /// Events of one partition that go there in one message.
  struct part {
    std::uint32_t partition = 0;
    std::vector<composed_event> events; ///< none, once they are sent
    std::vector<place> places;          ///< of each of them
    std::size_t bytes = 0;
    time_point again_at{};
    std::string why; ///< it could not be taken
  };
  /// Waits for rules that may be decided by.
  struct waiting_message {
    std::vector<trigger> items; ///< those that are not answered, in order
    message_ptr open;
  };

  caf::result<trigger_result> send_one(trigger& value);
  caf::result<trigger_batch_result> send_many(trigger_batch& batch);
  void take(std::vector<trigger> items, message_ptr open);
  /// Through `parts`, for those of the message together: a request for each partition, not for each event.
  void plan(std::vector<trigger> items, const message_ptr& open, const rule_set& rules,
            std::vector<part>& parts);
  void plan(trigger value, const message_ptr& open, std::uint32_t index, const rule_set& rules,
            std::vector<part>& parts);
  /// The rules that are not judged, for a while.
  void judge(const message_ptr& open, std::uint32_t index, std::vector<part>& parts);
  void planned(const message_ptr& open, std::uint32_t index, std::vector<part>& parts);
  void judge_on();
  void schedule_judging();
  /// Each event has the index of its result.
  void deal(std::vector<std::pair<composed_event, std::uint32_t>>& events, const message_ptr& open,
            std::uint32_t index, std::vector<part>& parts) const;
  [[nodiscard]] static composed_event composed(const open_trigger& open, const connector_id& connector,
                                               const event_id& id, std::string envelope, bool is_repetition);
  void compose_again(part& one) const;
  void ask(part one);
  void take_answer(part& asked, batch_result& answered);
  void retry(part one, const std::string& why);
  void decided(const place& which, send_result result);
  void give_up(const message_ptr& open, std::uint32_t index, const std::string& why);
  void refuse(const message_ptr& open, std::uint32_t index, refusal why);
  void answered(const message_ptr& open, std::uint32_t index);
  void look();
  void schedule_look(std::chrono::milliseconds in);

  caf::result<rule> put(const put_rule& request);
  void store(const rule& value, caf::typed_response_promise<rule> promise);
  caf::result<rule> get(const get_rule& request);
  caf::result<void> remove(const delete_rule& request);
  caf::result<rule_page> list(const list_rules& request);
  caf::result<trial_page> try_out(const try_rules& request);
  caf::result<void> remove(delete_connector& request);
  [[nodiscard]] time_point now() const { return self_->clock().now(); }

  // Invariants, between two messages:
  // - held_bytes_ is the sum of `bytes` of all triggers that are not answered;
  // - undecided_ has all messages that are planned and not answered, in the order of their `until`;
  // - while anything is in waiting_, again_ or undecided_, a tick is under way.
  handle::pointer self_;
  setup with_;
  node_rules rules_;
  uuid7_source ids_;
  std::list<waiting_message> waiting_;
  std::list<part> again_;
  std::list<std::pair<message_ptr, std::uint32_t>> unjudged_; ///< those that take long, each in its turn
  std::list<message_ptr> undecided_;
  std::size_t held_bytes_ = 0;
  std::vector<std::pair<composed_event, std::uint32_t>> composed_; ///< of one trigger
  bool judging_ = false;                                           ///< a message to go on is under way
  bool tick_under_way_ = false;
};

} // namespace vicket
