#include "tests/crash/change_desk.hpp"

#include "tests/crash/real_time.hpp"

#include <algorithm>

namespace vicket::crash {

namespace {

/// A put costs the node two syncs, and events wait behind it.
constexpr std::size_t max_under_way = 3;

bool changes(const planned_connector& one) {
  return one.change_weight > 0;
}

} // namespace

change_desk::change_desk(const plan& promises, journal& notes,
                         std::array<std::uint16_t, plan::receivers + 1> ports)
    : promises_{promises}, notes_{notes}, ports_{ports}, last_count_{static_cast<std::size_t>(std::count_if(
                                                             promises.connectors().begin(),
                                                             promises.connectors().end(), changes))} {}

change_desk::task change_desk::begin(const planned_connector& of, std::uint64_t version, bool remove) {
  task made{&of, version, {}};
  if (!remove) {
    made.put = promises_.version(of, version).value;
    const auto at = of.receiver ? static_cast<std::size_t>(*of.receiver) : std::size_t{plan::receivers};
    made.put->url = "https://127.0.0.1:" + std::to_string(ports_[at]) + made.put->url;
  }
  under_way_.insert(of.value.id.value);
  notes_.note(change_record{of.value.id.value, version, remove, wall_now()});
  return made;
}

std::optional<change_desk::task> change_desk::next(std::int64_t now_ms, bool in_burst) {
  const auto change = promises_.change(next_number_);
  if (now_ms - last_change_ms_ < change.after_ms || under_way_.size() >= max_under_way)
    return std::nullopt;
  ++next_number_;
  last_change_ms_ = now_ms;
  const auto* of = promises_.find(change.connector.value);
  if (of == nullptr || !free(change.connector.value) ||
      (in_burst && change.connector.value == plan::held_connector))
    return std::nullopt; // its turn is over
  return begin(*of, change.number, change.remove);
}

bool change_desk::free(std::string_view connector) const {
  return !under_way_.contains(connector);
}

std::optional<change_desk::task> change_desk::put_now(std::string_view connector, bool enabled) {
  const auto* of = promises_.find(connector);
  if (of == nullptr || !free(connector))
    return std::nullopt;
  if (connector == plan::held_connector && promises_.version(*of, next_number_).value.enabled != enabled)
    ++next_number_; // one of two is
  return begin(*of, next_number_++, false);
}

std::optional<change_desk::task> change_desk::next_last() {
  for (const auto& one : promises_.connectors())
    if (changes(one) && free(one.value.id.value) && !last_done_.contains(one.value.id.value))
      return begin(one, plan::last_version, false);
  return std::nullopt;
}

void change_desk::answered(const task& done, std::optional<errc> refused, bool lost) {
  const auto& id = done.of->value.id.value;
  notes_.note(change_answer_record{id, done.version, refused, wall_now()});
  if (lost)
    return;
  under_way_.erase(id);
  if (done.version == plan::last_version && !refused)
    last_done_.insert(id);
}

} // namespace vicket::crash
