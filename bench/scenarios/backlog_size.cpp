#include "bench/scenarios/backlog_size.hpp"

#include "bench/harness/backlog_builder.hpp"
#include "bench/harness/process_usage.hpp"
#include "bench/harness/real_time.hpp"

#include <algorithm>
#include <stdexcept>
#include <system_error>

namespace vicket::bench {

namespace {

constexpr std::uint32_t backlog_connectors = 20;
constexpr std::uint32_t first_backlog_connector = 1'000;
constexpr std::uint32_t due_at_start = 64;
constexpr std::size_t window = 4'096; // four times what the connectors may have in flight
constexpr std::int64_t warm_up_ms = 300;

constexpr std::int64_t hour_ms = 3'600'000;
constexpr std::int64_t backlog_age_ms = 2 * hour_ms;
constexpr std::int64_t due_in_ms = 2 * hour_ms; // a run is over long before
constexpr std::int64_t due_spread_ms = 4 * hour_ms;

constexpr int statuses = 3;
constexpr std::int64_t delivery_limit_ms = 60'000;
constexpr std::int64_t last_requests_ms = 200; ///< what a killed node had sent is at the sink by then
constexpr std::int64_t calm_limit_ms = 30'000;

} // namespace

std::vector<connector> backlog_bench::connectors(std::uint32_t first, std::uint32_t count) const {
  std::vector<connector> wanted;
  for (std::uint32_t i = 0; i < count; ++i)
    wanted.push_back(with.connector_to(target, "ok", first + i));
  return wanted;
}

backlog_size::backlog_size(backlog_bench& in, std::uint32_t events, std::uint16_t tag)
    : in_{in}, with_{in.with}, name_{"backlog-" + std::to_string(events)}, tag_{tag},
      pending_{event_source{tag, connector_names(first_backlog_connector, backlog_connectors),
                            id_kind::time_ordered, backlog_age_ms}} {
  found_.events = events;
}

backlog_size::~backlog_size() {
  session_.reset();
  node_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(with_.where().file(name_), ignored); // the next one is larger
}

backlog_findings backlog_size::run(int kills) {
  say("building");
  build();
  say("starting on it");
  start();
  wait_for_due_ones();
  settle_down();
  say("at rest");
  measure_at_rest();
  measure_throughput();
  for (int i = 0; i < kills; ++i)
    kill_and_start(static_cast<std::uint16_t>(tag_ + 2 + i));
  count_pending();
  node_->stop();
  add_sentences(in_.violations, name_ + ", accepted stands for due", pending_.ledger().violations());
  return found_;
}

void backlog_size::say(const std::string& what) const {
  with_.say(std::to_string(found_.events) + " pending: " + what);
}

void backlog_size::build() {
  with_.start_node(name_)->stop(); // it makes the folder, with as many partitions as it likes to have
  const auto from_ns = now_ns();
  const auto now = wall_now();
  {
    backlog_builder building{with_.where().file(name_)};
    building.put(in_.connectors(first_backlog_connector, backlog_connectors));
    building.add(pending_.source(), 0, due_at_start, {now - backlog_age_ms, now - 1'000, 1});
    building.add(pending_.source(), due_at_start, found_.events - due_at_start,
                 {now - backlog_age_ms, now + due_in_ms, due_spread_ms});
  }
  found_.built_per_s = found_.events / seconds(now_ns() - from_ns);
  for (std::uint32_t i = 0; i < due_at_start; ++i)
    pending_.ledger().promised(i);
}

void backlog_size::start() {
  node_ = with_.start_node(name_);
  session_ = std::make_unique<node_session>(node_->place());
  found_.ready_s = seconds(node_->ready_after_ns());
  in_.arrivals.watch_from(node_->started_at_ns());
}

void backlog_size::wait_for_due_ones() {
  if (!in_.arrivals.wait_for(pending_, due_at_start, delivery_limit_ms, {&pending_}))
    throw std::runtime_error("of " + std::to_string(due_at_start) + " events that were due at the start " +
                             std::to_string(pending_.ledger().delivered_count()) +
                             " were delivered, and then none for " +
                             std::to_string(delivery_limit_ms / 1'000) + " s");
  found_.first_delivery_s = seconds(in_.arrivals.first_watched_ns() - node_->started_at_ns());
}

/// A backlog that grew over hours is compacted; what was built in seconds is compacted after the start.
void backlog_size::settle_down() {
  if (!becomes_calm(node_->id(), calm_limit_ms))
    in_.notes.push_back("With " + std::to_string(found_.events) + " pending the node was still busy " +
                        std::to_string(calm_limit_ms / 1'000) +
                        " s after its start; it was measured all the same.");
}

void backlog_size::measure_at_rest() {
  found_.disk_bytes_each = static_cast<double>(folder_bytes(node_->data_dir())) / found_.events;
  found_.memory_bytes = static_cast<double>(memory_of(node_->id()).resident_bytes);
  found_.idle_cpu_percent = 100 * cpu_of_a_core(node_->id(), with_.pick(3'000, 1'000));
}

void backlog_size::measure_throughput() {
  session_->put(in_.connectors(0, backlog_load_connectors));
  traffic load{
      name_ + ", others", *session_,
      event_source{static_cast<std::uint16_t>(tag_ + 1), connector_names(0, backlog_load_connectors)}};
  const auto duration_ms = with_.pick(1'000, 500);
  (void)saturated(load, *node_, duration_ms); // neither is to be new: the first second is spent on connecting
  if (in_.load_without.feed.sent() == 0)
    (void)saturated(in_.load_without, in_.node_without, duration_ms);
  for (int i = 0; i < with_.pick(5, 1); ++i) {
    const bool with_first = i % 2 == 0; // the machine's drift favours neither side
    for (const bool with_turn : {with_first, !with_first})
      if (with_turn)
        found_.with.push_back(saturated(load, *node_, duration_ms));
      else
        found_.without.push_back(saturated(in_.load_without, in_.node_without, duration_ms));
    say(std::to_string(static_cast<int>(found_.with.back().per_s)) + " deliveries/s for others, " +
        std::to_string(static_cast<int>(found_.without.back().per_s)) + " with none pending");
  }
  found_.memory_after_bytes = static_cast<double>(memory_of(node_->id()).resident_bytes);
  add_sentences(in_.violations, load.name, load.events.ledger().violations());
}

saturated_round backlog_size::saturated(traffic& load, const node_process& of, std::int64_t duration_ms) {
  const auto others = in_.target.arrived() - load.feed.sent();
  load.feed.saturate(in_.target, others, window, warm_up_ms);
  const auto from_ns = now_ns();
  const auto cpu_before_ns = cpu_time_ns(of.id());
  load.feed.saturate(in_.target, others, window, duration_ms);
  const auto until_ns = now_ns();
  const auto cpu_ns = cpu_time_ns(of.id()) - cpu_before_ns;
  load.finish(in_.arrivals, {&load.events, &pending_}, in_.violations);
  const auto delivered = static_cast<double>(load.events.delivered_between(from_ns, until_ns));
  return {delivered / seconds(until_ns - from_ns),
          static_cast<double>(cpu_ns) / 1e3 / std::max(delivered, 1.0)};
}

/// SIGKILL while it delivers as fast as it can. What it had accepted comes after the start, some of it for the
/// second time.
void backlog_size::kill_and_start(std::uint16_t tag) {
  say("killed under load");
  expected_events events{event_source{tag, connector_names(0, backlog_load_connectors)}};
  feeder broken_off{*session_, events.source()};
  broken_off.saturate(in_.target, in_.target.arrived(), window, with_.pick(1'500, 600));
  node_->kill();
  broken_off.wait_for_answers();
  (void)broken_off.settle(events.ledger()); // refused stands for not answered
  sleep_ms(last_requests_ms);
  in_.arrivals.sort({&events, &pending_});

  node_->start();
  in_.arrivals.watch_from(node_->started_at_ns());
  session_ = std::make_unique<node_session>(node_->place());
  const auto limit_ns = now_ns() + delivery_limit_ms * 1'000'000;
  for (; in_.arrivals.first_watched_ns() == 0; in_.arrivals.sort({&events, &pending_})) {
    if (now_ns() > limit_ns)
      throw std::runtime_error(name_ + ": no delivery within " + std::to_string(delivery_limit_ms / 1'000) +
                               " s of the start after a SIGKILL");
    sleep_ms(1);
  }
  found_.restart_s.push_back(seconds(in_.arrivals.first_watched_ns() - node_->started_at_ns()));
  send_again(events, broken_off);
  add_sentences(in_.violations, name_ + ", killed", events.ledger().violations(true));
}

/// What a workflow engine does with events that were not answered: sends them again, with the same ids.
void backlog_size::send_again(expected_events& events, const feeder& broken_off) {
  std::uint32_t first = 0;
  while (first < broken_off.sent() && broken_off.times()[first].accepted_ns != 0)
    ++first;
  const auto count = broken_off.sent() - first;
  feeder again{*session_, events.source(), first};
  again.flood(count);
  again.wait_for_answers();
  if (again.accepted() != count)
    in_.violations.push_back(name_ + ", killed: " + std::to_string(count - again.accepted()) + " of " +
                             std::to_string(count) + " events that were sent again were refused");
  (void)again.settle(events.ledger()); // duplicates are what it is sent again for
  if (!in_.arrivals.wait_for(events, events.ledger().promised_count(), delivery_limit_ms,
                             {&events, &pending_}))
    say("not everything came after the start"); // the ledger says what
  sleep_ms(last_requests_ms);
  in_.arrivals.sort({&events, &pending_});
}

void backlog_size::count_pending() {
  const auto counted = session_->pending(); // when the start has counted what it found
  for (int i = 0; i < statuses; ++i) {
    const auto from_ns = now_ns();
    (void)session_->status();
    found_.status_s.push_back(seconds(now_ns() - from_ns));
  }
  if (const auto expected = found_.events - due_at_start; counted != expected)
    in_.violations.push_back(name_ + ": " + std::to_string(counted) +
                             " events are pending on the node, there should be " + std::to_string(expected));
}

} // namespace vicket::bench
