#include "tests/sim/setting_book.hpp"

#include "tests/sim/rule_form.hpp"

#include <algorithm>
#include <iterator>

namespace vicket::sim {

bool setting_book::begin(std::size_t which, std::uint64_t number, bool is_delete, std::uint64_t now) {
  auto& it = settings_[which];
  if (std::exchange(it.under_way, true))
    return false;
  it.maybe.push_back({number, is_delete, now});
  return true;
}

void setting_book::settle(fact& it, std::size_t place, std::uint64_t now) {
  const auto chosen = it.maybe.begin() + static_cast<std::ptrdiff_t>(place);
  it.past.push_back(it.certain);
  it.past.back().until = now;
  for (auto before = it.maybe.begin(); before != chosen; ++before) {
    it.past.push_back(*before);
    it.past.back().until = now;
  }
  it.certain = *chosen;
  it.maybe.erase(it.maybe.begin(), std::next(chosen));
}

void setting_book::done(std::size_t which, std::uint64_t now) {
  auto& it = settings_[which];
  it.under_way = false;
  settle(it, it.maybe.size() - 1, now);
}

void setting_book::found_nothing(std::size_t which, std::uint64_t now) {
  auto& it = settings_[which];
  const auto before =
      std::any_of(it.maybe.begin(), it.maybe.end() - 1, [](const change& one) { return one.is_delete; });
  if (!before && !it.certain.is_delete)
    complaints_->push_back({"a setting that was put is there",
                            "a delete of " + rule_name(which) + " found nothing, and change " +
                                std::to_string(it.certain.number) + " was answered"});
  done(which, now);
}

void setting_book::refused(std::size_t which) {
  auto& it = settings_[which];
  it.under_way = false;
  it.maybe.pop_back();
}

void setting_book::all_are_lost() {
  for (auto& each : settings_)
    each.under_way = false;
}

void setting_book::seen(std::size_t which, std::optional<std::uint64_t> number,
                        const std::string& who) const {
  const auto& it = settings_[which];
  if (fits(it.certain, number) ||
      std::any_of(it.maybe.begin(), it.maybe.end(), [&](const change& one) { return fits(one, number); }))
    return;
  complaints_->push_back({"a setting is what the last change made of it",
                          who + " has " + (number ? "change " + std::to_string(*number) : "nothing") +
                              " of " + rule_name(which) + ", of which change " +
                              std::to_string(it.certain.number) +
                              (it.certain.is_delete ? ", a delete," : "") + " was answered"});
}

void setting_book::shown(std::size_t which, std::optional<std::uint64_t> number, const std::string& who,
                         std::uint64_t now) {
  seen(which, number, who);
  auto& it = settings_[which];
  // The last one that fits: what came before it is over, whatever became of it.
  const auto last =
      std::find_if(it.maybe.rbegin(), it.maybe.rend(), [&](const change& one) { return fits(one, number); });
  if (last == it.maybe.rend() || (it.under_way && last == it.maybe.rbegin()))
    return; // of what is under way its answer says it
  settle(it, static_cast<std::size_t>(std::distance(last, it.maybe.rend())) - 1, now);
}

std::vector<std::optional<std::uint64_t>> setting_book::possible(std::size_t which, std::uint64_t from,
                                                                 std::uint64_t to) const {
  const auto& it = settings_[which];
  std::vector<std::optional<std::uint64_t>> found;
  const auto add = [&](const change& one) {
    if (one.until >= from && one.begun <= to)
      found.push_back(one.is_delete ? std::nullopt : std::optional{one.number});
  };
  for (const auto& one : it.past)
    add(one);
  add(it.certain);
  for (const auto& one : it.maybe)
    add(one);
  return found;
}

} // namespace vicket::sim
