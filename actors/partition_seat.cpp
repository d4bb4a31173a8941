#include "actors/partition_seat.hpp"

#include "actors/connector_pages.hpp"
#include "actors/urgency.hpp"

#include <caf/actor_cast.hpp>
#include <caf/typed_response_promise.hpp>

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace vicket {

namespace {

constexpr std::size_t around_bytes = 256; // what a request takes in memory beside its texts

std::size_t weight_of(const composed_event& event) {
  return event.envelope.size() + event.event.size() + event.workflow.size() + event.run.size() + around_bytes;
}

std::size_t weight_of(const put_connector& request) {
  return page_bytes_of(request.value);
}

std::size_t weight_of(const put_setting& request) {
  return request.value.key.id.size() + request.value.bytes.size() + around_bytes;
}

std::size_t weight_of(const find_partition_run& request) {
  return request.run.size() + around_bytes;
}

std::size_t weight_of(const read_partition_histories& request) {
  return request.wanted.size() * sizeof(wanted_history) + around_bytes;
}

template <class Request>
std::size_t weight_of(const Request&) {
  return around_bytes;
}

constexpr auto nobody = "no node is known to have it";

/// Whether it was not done, or not for sure, and may be asked again. (`forbidden`: the other node does not take this one
/// for a peer; that is not the business of who asked.)
bool is_none(errc code) {
  return code == errc::not_owner || code == errc::unavailable || code == errc::forbidden;
}

template <class Request>
inline constexpr bool is_for_reader =
    std::is_same_v<Request, find_partition_events> || std::is_same_v<Request, find_partition_run> ||
    std::is_same_v<Request, read_partition_histories> || std::is_same_v<Request, read_partition_outcomes>;

/// A second one would not give the same answer as a first one that was done.
template <class Request>
bool is_once_only(const Request& request) {
  if constexpr (std::is_same_v<Request, put_connector>)
    return request.value.secret.empty();
  else
    return false;
}

template <class Request>
bool takes_any_time(const Request& request) {
  if constexpr (std::is_same_v<Request, delete_connector>)
    return request.force;
  else
    return false;
}

} // namespace

// -- what is asked in the seat's own name ---------------------------------------------------------------------------------

class partition_seat::open_request {
public:
  open_request(std::size_t weight, time_point patient_until) : bytes{weight}, until{patient_until} {}
  virtual ~open_request() = default;

  /// Asks the owner; the answer closes it.
  virtual void ask(partition_seat& seat) = 0;
  virtual void refuse(const partition_seat& seat, const refusal& why) = 0;
  /// Whether this is no refusal after all, since it may have been done before; then it is answered.
  [[nodiscard]] virtual bool is_done(const refusal&) { return false; }

  number mine = 0;
  const std::size_t bytes;
  const time_point until;
  time_point again_at{};
  bool under_way = false;
  std::uint64_t turn = 0;   ///< of the last asking
  bool may_be_done = false; ///< an asking had no answer
  bool once_only = false;   ///< not to be asked again when it may be done
  bool any_time = false;    ///< its answer may come at any time
  bool of_feed = false;     ///< the first failure is the answer
  std::string why = nobody; ///< there is no answer yet
};

template <class Request, class Answer>
class partition_seat::request_for final : public open_request {
public:
  request_for(Request request, caf::typed_response_promise<Answer> promise, time_point patient_until)
      : open_request{weight_of(request), patient_until}, body_{std::move(request)}, promise_{
                                                                                        std::move(promise)} {
    once_only = is_once_only(body_);
    any_time = takes_any_time(body_);
    of_feed = std::is_same_v<Request, read_partition_outcomes>;
  }

  void ask(partition_seat& seat) override {
    if constexpr (std::is_void_v<Answer>)
      seat.send_to_owner<void>(*this, body_, [](open_request& one) {
        static_cast<request_for&>(one).promise_.deliver();
        return true;
      });
    else
      seat.send_to_owner<Answer>(*this, body_, [owner = seat.node_](open_request& one, Answer& value) {
        if constexpr (std::is_same_v<Answer, partition_overview>)
          value.partition.owner = owner;
        static_cast<request_for&>(one).promise_.deliver(std::move(value));
        return true;
      });
  }

  /// An overview is answered also when the owner can't be asked.
  void refuse(const partition_seat& seat, const refusal& reason) override {
    if constexpr (std::is_same_v<Answer, partition_overview>) {
      partition_overview shown;
      shown.partition.number = seat.partition_;
      shown.partition.accepting = false;
      shown.partition.owner = seat.node_;
      shown.partition.halted = seat.halted_;
      shown.partition.why = reason.detail;
      promise_.deliver(std::move(shown));
    } else {
      promise_.deliver(make_refusal(reason));
    }
  }

  [[nodiscard]] bool is_done(const refusal& reason) override {
    if constexpr (std::is_same_v<Request, delete_connector> || std::is_same_v<Request, delete_setting>) {
      if (may_be_done && reason.code == errc::not_found) {
        promise_.deliver();
        return true;
      }
    }
    return false;
  }

private:
  Request body_;
  caf::typed_response_promise<Answer> promise_;
};

/// The parts of an `accept_events`, each of one message.
struct partition_seat::whole_batch {
  caf::typed_response_promise<batch_result> promise;
  batch_result value;
  std::size_t parts_missing = 0;

  void one_less() {
    if (--parts_missing == 0)
      promise.deliver(std::move(value));
  }
};

class partition_seat::events_part final : public open_request {
public:
  /// `first`: the place of the first of them in the whole.
  events_part(std::shared_ptr<whole_batch> whole, std::uint32_t partition, std::vector<composed_event> events,
              std::size_t first, std::size_t weight, time_point patient_until)
      : open_request{weight, patient_until}, whole_{std::move(whole)}, body_{partition, std::move(events)} {
    for (auto& event : body_.events) {
      places_.push_back({first++, !event.id_of_sender});
      event.id_of_sender = true;
    }
  }

  void ask(partition_seat& seat) override {
    seat.send_to_owner<batch_result>(*this, body_, [](open_request& one, batch_result& value) {
      return static_cast<events_part&>(one).take(value);
    });
  }

  void refuse(const partition_seat&, const refusal& reason) override {
    for (const auto& place : places_)
      whole_->value.results[place.in_whole] = reason;
    whole_->one_less();
  }

private:
  struct event_place {
    std::size_t in_whole;
    bool made_here; ///< the event's id
  };

  /// Those that were not decided are asked again.
  bool take(batch_result& value) {
    if (value.results.size() != body_.events.size()) {
      why = "its answer does not fit the question";
      return false;
    }
    std::size_t kept = 0;
    for (std::size_t i = 0; i < places_.size(); ++i) {
      auto& result = value.results[i];
      if (const auto* no = std::get_if<refusal>(&result); no != nullptr && is_none(no->code)) {
        why = no->detail;
        if (kept != i) {
          places_[kept] = places_[i];
          body_.events[kept] = std::move(body_.events[i]);
        }
        ++kept;
        continue;
      }
      if (auto* yes = std::get_if<accepted>(&result); yes != nullptr && places_[i].made_here)
        yes->duplicate = false;
      whole_->value.results[places_[i].in_whole] = std::move(result);
    }
    places_.resize(kept);
    body_.events.resize(kept);
    if (kept > 0)
      return false;
    whole_->one_less();
    return true;
  }

  std::shared_ptr<whole_batch> whole_;
  accept_events body_;
  std::vector<event_place> places_; ///< of each event of the body
};

// -- the actor ------------------------------------------------------------------------------------------------------------

partition_seat::partition_seat(handle::pointer self, std::uint32_t partition, std::string called)
    : self_{self}, partition_{partition}, called_{called.empty() ? "partition " + std::to_string(partition)
                                                                 : std::move(called)} {
  self_->set_down_handler([this](const caf::down_msg& gone) { forget(gone); });
}

partition_seat::~partition_seat() = default;

partition_seat::handle::behavior_type partition_seat::make_behavior() {
  return {
      [this](accept_events& request) { return accept(request); },
      [this](put_connector& request) { return ask<connector_view>(request, patience); },
      [this](get_connector& request) { return ask<connector_view>(request, patience); },
      [this](delete_connector& request) { return ask<void>(request, patience); },
      [this](list_connectors& request) { return ask<connector_page>(request, glance); },
      [this](get_partition_overview& request) {
        return ask_in_own_name<partition_overview>(request, glance);
      },
      [this](put_setting& request) { return ask<void>(request, patience); },
      [this](delete_setting& request) { return ask<void>(request, patience); },
      [this](get_setting& request) { return ask<setting>(request, patience); },
      [this](list_settings& request) { return ask<settings_page>(request, glance); },
      [this](find_partition_events& request) { return ask<found_events>(request, patience); },
      [this](find_partition_run& request) { return ask<found_events>(request, patience); },
      [this](read_partition_histories& request) { return ask<partition_histories>(request, patience); },
      [this](read_partition_outcomes& request) { return read_feed(request); },
      [this](const watch_feed& request) { watch(request); },
      [this](owner_changed& news) { take(news); },
      [this](const feed_grew&) { tell_watcher(); },
      [this](const tick&) {
        tick_under_way_ = false;
        look();
      },
  };
}

// -- the owner ------------------------------------------------------------------------------------------------------------

void partition_seat::take(owner_changed& news) {
  const bool is_other = news.here != here_ || news.reader_here != reader_here_ || news.there != there_;
  node_ = std::move(news.node);
  halted_ = std::move(news.halted);
  if (is_other) {
    if (here_)
      self_->demonitor(here_);
    here_ = std::move(news.here);
    reader_here_ = std::move(news.reader_here);
    there_ = std::move(news.there);
    if (here_)
      self_->monitor(here_);
    feed_trouble_.clear();
    feed_refused_until_ = {};
    await_under_way_ = false;
    ++await_turn_;
  }
  const auto time = now();
  std::vector<number> of_feed;
  for (auto& [which, one] : open_) {
    // What goes on at the one before, and can't be asked twice or has no time left for it, is waited for.
    const bool stays = one->under_way && (!is_other || one->once_only || time >= one->until);
    if (stays)
      continue;
    one->may_be_done = one->may_be_done || one->under_way;
    ask_owner(*one);
    if (one->of_feed && !one->under_way)
      of_feed.push_back(which);
  }
  for (const auto which : of_feed)
    give_up(which);
  give_up_if_halted();
  // A new owner's persistence does not know of what came before it.
  if (is_other && watched_ && is_owned())
    tell_watcher();
}

/// The partition's head has ended, and nobody has said yet who is next.
void partition_seat::forget(const caf::down_msg& gone) {
  if (!here_ || gone.source != here_.address())
    return;
  here_ = nullptr;
  reader_here_ = nullptr;
  for (auto& [which, one] : open_)
    one->why = "this node has just lost it";
}

std::string partition_seat::owner_and(const std::string& why) const {
  if (!halted_.empty())
    return called_ + " is halted: " + halted_;
  return called_ + " can't be reached" + (node_.empty() ? "" : ", of node " + node_) + ": " + why;
}

partition_seat::time_point partition_seat::now() const {
  return self_->clock().now();
}

// -- requests -------------------------------------------------------------------------------------------------------------

template <class Answer, class Request>
caf::result<Answer> partition_seat::ask(Request& request, std::chrono::milliseconds patient) {
  if constexpr (is_for_reader<Request>) {
    if (reader_here_)
      return self_->delegate(reader_here_, std::move(request));
  } else if (here_) {
    return self_->delegate(here_, std::move(request));
  }
  return ask_in_own_name<Answer>(request, patient);
}

template <class Answer, class Request>
caf::result<Answer> partition_seat::ask_in_own_name(Request& request, std::chrono::milliseconds patient) {
  if (!has_room_for(weight_of(request)))
    return make_refusal(too_much());
  auto promise = self_->template make_response_promise<Answer>();
  open(std::make_unique<request_for<Request, Answer>>(std::move(request), promise, now() + patient));
  return promise;
}

caf::result<batch_result> partition_seat::accept(accept_events& request) {
  if (here_)
    return self_->delegate(here_, std::move(request));
  batch_result refused;
  std::size_t all_bytes = 0;
  for (const auto& event : request.events)
    all_bytes += weight_of(event);
  if (!has_room_for(all_bytes)) {
    refused.results.assign(request.events.size(), too_much());
    return refused;
  }
  if (request.events.empty())
    return refused;
  auto whole = std::make_shared<whole_batch>();
  whole->value.results.resize(request.events.size());
  whole->promise = self_->make_response_promise<batch_result>();
  auto promise = whole->promise;
  const auto until = now() + patience;
  std::vector<std::unique_ptr<open_request>> parts;
  for (std::size_t at = 0; at < request.events.size();) {
    const auto first = at;
    std::size_t bytes = 0;
    std::vector<composed_event> events;
    for (; at < request.events.size(); ++at) {
      const auto weight = weight_of(request.events[at]);
      if (!events.empty() && (bytes + weight > message_bytes || events.size() == send_batch::max_items))
        break;
      bytes += weight;
      events.push_back(std::move(request.events[at]));
    }
    parts.push_back(std::make_unique<events_part>(whole, partition_, std::move(events), first, bytes, until));
  }
  whole->parts_missing = parts.size();
  for (auto& part : parts)
    open(std::move(part));
  return promise;
}

caf::result<partition_outcomes> partition_seat::read_feed(read_partition_outcomes& request) {
  if (!is_owned())
    return make_refusal(errc::unavailable, owner_and(nobody));
  if (now() < feed_refused_until_)
    return make_refusal(errc::unavailable, feed_trouble_);
  return ask<partition_outcomes>(request, glance);
}

bool partition_seat::has_room_for(std::size_t bytes) const {
  return open_.empty() || (open_.size() < max_requests && open_bytes_ + bytes <= max_bytes);
}

refusal partition_seat::too_much() const {
  return {errc::overloaded, "too much waits for " + called_ + (node_.empty() ? "" : " of node " + node_) +
                                ": send again a little later"};
}

void partition_seat::open(std::unique_ptr<open_request> one) {
  one->mine = ++last_number_;
  open_bytes_ += one->bytes;
  auto& kept = *open_.emplace(one->mine, std::move(one)).first->second;
  ask_owner(kept);
  give_up_if_halted();
  schedule_look();
}

void partition_seat::ask_owner(open_request& one) {
  one.turn = ++last_turn_; // an answer to an earlier asking is none any more
  one.under_way = is_owned();
  if (one.under_way)
    one.ask(*this);
  else
    one.why = nobody;
}

/// `done(open_request&, Answer&)` says whether the request is answered.
template <class Answer, class Request, class Done>
void partition_seat::send_to_owner(const open_request& one, const Request& body, Done done) {
  auto no = [this, which = one.mine, turn = one.turn](const caf::error& why) {
    failed(which, turn, refusal_of(why));
  };
  auto close_if = [this, which = one.mine, turn = one.turn](bool is_answered) {
    if (is_answered) {
      feed_refused_until_ = {};
      close(which);
    } else {
      failed(which, turn, {errc::unavailable, {}});
    }
  };
  auto ask_it = [&](const auto& whom, auto request) {
    auto pending =
        self_->template request<priority_of<decltype(request)>>(whom, caf::infinite, std::move(request));
    if constexpr (std::is_void_v<Answer>)
      pending.then(
          [this, which = one.mine, turn = one.turn, done, close_if] {
            if (auto* mine = find(which, turn))
              close_if(done(*mine));
          },
          no);
    else
      pending.then(
          [this, which = one.mine, turn = one.turn, done, close_if](Answer& value) {
            if (auto* mine = find(which, turn))
              close_if(done(*mine, value));
          },
          no);
  };
  if (there_) {
    ask_it(there_, of_partition<Request>{partition_, body});
  } else if constexpr (is_for_reader<Request>) {
    ask_it(reader_here_, body);
  } else {
    ask_it(here_, body);
  }
}

partition_seat::open_request* partition_seat::find(number which, std::uint64_t turn) {
  const auto found = open_.find(which);
  return found != open_.end() && found->second->turn == turn ? found->second.get() : nullptr;
}

void partition_seat::failed(number which, std::uint64_t turn, const refusal& why) {
  auto* one = find(which, turn);
  if (one == nullptr)
    return;
  if (!is_none(why.code)) {
    if (!one->is_done(why))
      one->refuse(*this, why);
    close(which);
    return;
  }
  one->under_way = false;
  one->may_be_done = one->may_be_done || why.code == errc::unavailable;
  if (!why.detail.empty())
    one->why = why.detail;
  one->again_at = now() + again;
  if (one->of_feed || (one->once_only && one->may_be_done) || now() >= one->until || !halted_.empty())
    give_up(which);
  else
    schedule_look();
}

void partition_seat::give_up_if_halted() {
  if (halted_.empty())
    return;
  std::vector<number> all;
  for (const auto& [which, one] : open_)
    if (!one->under_way)
      all.push_back(which);
  for (const auto which : all)
    give_up(which);
}

void partition_seat::close(number which) {
  const auto found = open_.find(which);
  open_bytes_ -= found->second->bytes;
  open_.erase(found);
}

void partition_seat::give_up(number which) {
  auto& one = *open_.at(which);
  if (one.under_way)
    one.why = "it did not answer in time";
  const auto sentence = owner_and(one.why);
  if (one.of_feed) {
    feed_trouble_ = sentence;
    feed_refused_until_ = now() + look_again;
  }
  one.refuse(*this, {errc::unavailable, sentence});
  close(which);
}

bool partition_seat::is_over(const open_request& one, time_point time) const {
  return time >= one.until && !(one.any_time && one.under_way);
}

// -- the feed -------------------------------------------------------------------------------------------------------------

void partition_seat::watch(const watch_feed& request) {
  watcher_ = caf::actor_cast<feed_watcher_actor>(self_->current_sender());
  if (!watcher_)
    return;
  const auto before = std::exchange(watched_, watched_ ? std::min(*watched_, request.after) : request.after);
  if (reader_here_)
    self_->send(reader_here_, request);
  else if (!await_under_way_)
    await_growth();
  else if (before && request.after < *before) // what is awaited is beyond what this one has seen
    tell_watcher();
}

/// After trouble with the feed it is only asked whether the owner answers: then it is worth a look, whatever there is.
void partition_seat::await_growth() {
  if (!there_ || now() < await_again_at_) {
    schedule_look();
    return;
  }
  await_under_way_ = true;
  const auto mine = ++await_turn_;
  const std::uint32_t wait_ms = feed_trouble_.empty() ? await_feed::max_wait_ms : 0;
  self_->request(there_, caf::infinite, await_feed{partition_, *watched_, wait_ms})
      .then(
          [this, mine](const feed_awaited&) {
            if (mine != await_turn_)
              return;
            await_under_way_ = false;
            feed_trouble_.clear();
            feed_refused_until_ = {};
            tell_watcher(); // if nothing came: whoever still waits watches anew
          },
          [this, mine](const caf::error& why) {
            if (mine != await_turn_)
              return;
            await_under_way_ = false;
            feed_trouble_ = owner_and(refusal_of(why).detail);
            await_again_at_ = now() + again;
            schedule_look();
          });
}

void partition_seat::tell_watcher() {
  if (watched_ && watcher_)
    self_->send(watcher_, feed_grew{partition_});
  watched_.reset();
}

// -- time -----------------------------------------------------------------------------------------------------------------

void partition_seat::look() {
  const auto time = now();
  std::vector<number> over;
  for (auto& [which, one] : open_) {
    if (is_over(*one, time))
      over.push_back(which);
    else if (!one->under_way && time >= one->again_at && is_owned())
      ask_owner(*one);
  }
  for (const auto which : over)
    give_up(which);
  if (watched_ && !await_under_way_ && there_)
    await_growth();
  if (!open_.empty())
    schedule_look();
}

void partition_seat::schedule_look() {
  const bool waits = !open_.empty() || (watched_ && !await_under_way_ && there_);
  if (waits && !std::exchange(tick_under_way_, true))
    self_->delayed_send(self_, again, tick{});
}

} // namespace vicket
