#include "transport/dial_lane.hpp"

#include "transport/connection_pool.hpp"
#include "transport/exchange.hpp"

namespace vicket {

destination_line::destination_line(dial_lane& owner) : lane{owner} {}

destination_line::~destination_line() {
  lane.be_patient(*this, std::nullopt);
}

namespace {

/// Who waits because there are many connections waits for this part of its deadline at most: it must not fail for that.
constexpr int patience_share = 10;

/// Of a line whose first one has not finished.
std::optional<dial_lane::time_point> dial_at(const destination_line& line) {
  return line.waiting.empty() ? std::nullopt : line.waiting.dial_at(line.waiting.front()->to().connections);
}

} // namespace

dial_lane::dial_lane(wishes of_lane) : ask_{std::move(of_lane)} {}

dial_lane::~dial_lane() = default;

destination_line& dial_lane::line_of(destination& to) {
  if (!to.line)
    to.line = std::make_shared<destination_line>(*this);
  return *to.line;
}

bool dial_lane::has_line(const destination& to) {
  return to.line && !to.line->waiting.empty();
}

void dial_lane::queue(const destination_line* of, turn next) {
  turns_.push(of, std::move(next));
  if (!std::exchange(turn_asked_, true))
    ask_.take_turn();
}

void dial_lane::join(destination& to, boost::intrusive_ptr<exchange> next, time_point now) {
  auto& line = line_of(to);
  const auto* endpoint = next->endpoint();
  const auto most = next->timeout() / patience_share;
  line.waiting.join(endpoint, std::move(next), now, most);
  consider(line, now);
}

void dial_lane::connection_came_back(const std::shared_ptr<destination_line>& line, time_point now) {
  line->waiting.connection_came_back(now);
  if (line->waiting.empty() || std::exchange(line->connections_came_back, true))
    return;
  came_back_.push_back(line);
  if (came_back_.size() == 1)
    ask_.hand_on();
}

void dial_lane::hand_on(time_point now) {
  for (const auto& line : std::exchange(came_back_, {})) {
    line->connections_came_back = false;
    auto& waiting = line->waiting;
    const auto finished = [](const auto& one) { return one->finished(); };
    for (waiting.drop_front_while(finished); !waiting.empty(); waiting.drop_front_while(finished)) {
      if (!waiting.front()->take_idle_connection(now))
        break;
      waiting.pop()->send_on_idle_connection();
    }
    consider(*line, now);
  }
}

void dial_lane::dial_took(destination& to, std::chrono::steady_clock::duration span) {
  line_of(to).waiting.dial_took(span);
}

void dial_lane::add_step(destination& to, boost::intrusive_ptr<exchange> next) {
  auto& line = line_of(to);
  queue(&line, {std::move(next), to.line});
}

/// Queues a dial, or looks again when it is time for one. While one is queued nothing has to be done: it looks again.
void dial_lane::consider(destination_line& line, time_point now) {
  if (line.dial_queued)
    return;
  line.waiting.drop_front_while([](const auto& one) { return one->finished(); });
  const auto at = dial_at(line);
  if (at && *at > now && line.patient_until && *line.patient_until <= *at)
    return; // it looks again before that
  if (!at || *at > now)
    return be_patient(line, at);
  be_patient(line, std::nullopt);
  line.dial_queued = true;
  const auto user = line.waiting.front(); // keeps its destination
  queue(&line, {nullptr, user->to().line});
}

void dial_lane::be_patient(destination_line& line, std::optional<time_point> until) {
  if (line.patient_until == until)
    return;
  if (line.patient_until)
    patient_.erase({*line.patient_until, &line});
  line.patient_until = until;
  if (!until)
    return;
  patient_.emplace(*until, &line);
  if (patient_.begin()->second == &line)
    ask_.look_at_lines(*until);
}

void dial_lane::look_at_lines(time_point now) {
  while (!patient_.empty() && patient_.begin()->first <= now) {
    auto& line = *patient_.begin()->second;
    be_patient(line, std::nullopt);
    consider(line, now);
  }
  if (!patient_.empty())
    ask_.look_at_lines(patient_.begin()->first);
}

void dial_lane::take_turn(time_point now) {
  if (!turns_.empty()) {
    const auto next = turns_.pop(); // keeps the line
    if (next.whose) {
      next.whose->take_step();
    } else {
      next.line->dial_queued = false;
      auto& waiting = next.line->waiting;
      waiting.drop_front_while([](const auto& one) { return one->finished(); });
      const auto at = dial_at(*next.line); // others may have got connections that came back
      if (at && *at <= now)
        waiting.pop()->dial();
      consider(*next.line, now);
    }
  }
  turn_asked_ = !turns_.empty();
  if (turn_asked_)
    ask_.take_turn();
}

void dial_lane::clear() {
  turns_.clear();
  came_back_.clear();
}

} // namespace vicket
