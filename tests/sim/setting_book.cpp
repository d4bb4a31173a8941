#include "tests/sim/setting_book.hpp"

#include <algorithm>

namespace vicket::sim {

std::optional<std::uint64_t> setting_book::begin(std::size_t which, bool is_delete) {
  auto& it = settings_[which];
  if (std::exchange(it.under_way, true))
    return std::nullopt;
  it.maybe.push_back({++it.last, is_delete});
  return it.last;
}

void setting_book::done(std::size_t which) {
  auto& it = settings_[which];
  it.under_way = false;
  it.certain = it.maybe.back();
  it.maybe.clear();
}

void setting_book::found_nothing(std::size_t which) {
  auto& it = settings_[which];
  const auto before = std::any_of(it.maybe.begin(), it.maybe.end() - 1,
                                  [](const change& one) { return one.is_delete; });
  if (!before && !it.certain.is_delete)
    complaints_->push_back({"a setting that was put is there", "a delete of " + name_of(which) +
                                                                   " found nothing, and change " +
                                                                   std::to_string(it.certain.number) +
                                                                   " was answered"});
  done(which);
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
                          who + " has " + (number ? "change " + std::to_string(*number) : "nothing") + " of " +
                              name_of(which) + ", of which change " + std::to_string(it.certain.number) +
                              (it.certain.is_delete ? ", a delete," : "") + " was answered"});
}

void setting_book::shown(std::size_t which, std::optional<std::uint64_t> number, const std::string& who) {
  seen(which, number, who);
  auto& it = settings_[which];
  // The last one that fits: what came before it is over, whatever became of it.
  const auto last = std::find_if(it.maybe.rbegin(), it.maybe.rend(),
                                 [&](const change& one) { return fits(one, number); });
  if (last == it.maybe.rend() || (it.under_way && last == it.maybe.rbegin()))
    return; // of what is under way its answer says it
  it.certain = *last;
  it.maybe.erase(it.maybe.begin(), last.base());
}

void setting_book::restored(const setting_book& older) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto last = settings_[i].last;
    settings_[i] = older.settings_[i];
    settings_[i].last = last;
    settings_[i].under_way = false;
  }
}

} // namespace vicket::sim
