#include "policy/rule_set.hpp"

#include "policy/event_filter.hpp"

#include <algorithm>

namespace vicket {

namespace {

/// Between what stands before the first star and behind the last one. No event's name has it.
constexpr char star_in_key = '\0';

struct pattern_key {
  std::string key;
  bool has_star = false;
  std::size_t before = 0;
  std::size_t behind = 0;
  bool is_all = true; ///< what has the key's form matches
};

pattern_key key_of(std::string_view pattern) {
  const auto first = pattern.find('*');
  const bool is_all = pattern.find(star_in_key) == std::string_view::npos;
  if (first == std::string_view::npos)
    return {std::string{pattern}, false, 0, 0, is_all};
  const auto last = pattern.rfind('*');
  const auto tail = pattern.substr(last + 1);
  return {std::string{pattern.substr(0, first)} + star_in_key + std::string{tail}, true, first, tail.size(),
          is_all && first == last};
}

/// Of each pattern of a rule; one without patterns takes all names.
template <class Visit>
void each_pattern(const rule& of, Visit visit) {
  static const std::string everything{"*"};
  if (of.events.empty())
    visit(everything);
  for (const auto& pattern : of.events)
    visit(pattern);
}

std::size_t patterns_of(const compiled_rule& one) {
  return one.filter() != nullptr ? one.filter()->patterns() : 0;
}

} // namespace

std::optional<std::string> rule_set::complaint(const compiled_rule& added) const {
  const auto* before = find(added.source().id);
  if (before == nullptr && rules_.size() >= max_rules)
    return "there are " + std::to_string(max_rules) + " rules already, which is the most: delete one first";
  const auto patterns = patterns_ + patterns_of(added) - (before != nullptr ? patterns_of(*before) : 0);
  if (patterns > max_patterns)
    return "the filters of all rules would have " + std::to_string(patterns) +
           " regular expressions; at most " + std::to_string(max_patterns) + " are allowed";
  return std::nullopt;
}

void rule_set::put(std::shared_ptr<const compiled_rule> added) {
  static_cast<void>(remove(added->source().id));
  index(*added);
  patterns_ += patterns_of(*added);
  rules_.emplace(added->source().id, std::move(added));
}

bool rule_set::remove(const rule_id& id) {
  const auto known = rules_.find(id);
  if (known == rules_.end())
    return false;
  unindex(*known->second);
  patterns_ -= patterns_of(*known->second);
  rules_.erase(known);
  return true;
}

const compiled_rule* rule_set::find(const rule_id& id) const {
  const auto known = rules_.find(id);
  return known != rules_.end() ? known->second.get() : nullptr;
}

void rule_set::index(const compiled_rule& one) {
  if (!one.source().enabled)
    return;
  each_pattern(one.source(), [&](const std::string& pattern) {
    auto key = key_of(pattern);
    if (key.has_star)
      ++shapes_[{key.before, key.behind}];
    by_key_[std::move(key.key)].push_back({&one, key.is_all ? std::string{} : pattern});
  });
}

void rule_set::unindex(const compiled_rule& one) {
  if (!one.source().enabled)
    return;
  each_pattern(one.source(), [&](const std::string& pattern) {
    const auto key = key_of(pattern);
    if (key.has_star)
      if (const auto counted = shapes_.find({key.before, key.behind}); --counted->second == 0)
        shapes_.erase(counted);
    const auto known = by_key_.find(key.key);
    auto& entries = known->second;
    *std::ranges::find_if(entries, [&](const entry& each) {
      return each.by == &one && each.pattern == (key.is_all ? std::string{} : pattern);
    }) = std::move(entries.back());
    entries.pop_back();
    if (entries.empty())
      by_key_.erase(known);
  });
}

void rule_set::collect(std::string_view key, std::string_view event,
                       std::vector<const compiled_rule*>& into) const {
  const auto known = by_key_.find(key);
  if (known == by_key_.end())
    return;
  for (const auto& each : known->second)
    if (each.pattern.empty() || pattern_matches(each.pattern, event))
      into.push_back(each.by);
}

std::vector<const compiled_rule*> rule_set::with_name(std::string_view event) const {
  std::vector<const compiled_rule*> found;
  collect(event, event, found);
  std::string key;
  for (const auto& [of, count] : shapes_) {
    const auto& [before, behind] = of;
    if (before > event.size())
      break; // they are in order
    if (before + behind > event.size())
      continue;
    key.assign(event.substr(0, before));
    key += star_in_key;
    key += event.substr(event.size() - behind);
    collect(key, event, found);
  }
  std::ranges::sort(found, {}, [](const compiled_rule* one) -> const rule_id& { return one->source().id; });
  const auto twice = std::ranges::unique(found);
  found.erase(twice.begin(), twice.end());
  return found;
}

std::vector<rule_id> rule_set::naming(const connector_id& connector, std::size_t most) const {
  std::vector<rule_id> found;
  for (const auto& [id, one] : rules_) {
    if (found.size() == most)
      break;
    if (std::ranges::find(one->source().actions, connector, &rule_action::connector) !=
        one->source().actions.end())
      found.push_back(id);
  }
  return found;
}

} // namespace vicket
