#pragma once

#include "policy/compiled_rule.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace vicket {

/// All rules of a node, found by the names of events: exact names and patterns with one star without a look at any other
/// rule, of patterns with more stars those that begin and end as the event does. A copy shares the rules.
class rule_set {
public:
  static constexpr std::size_t max_rules = 10'000;
  /// `matches` in the filters of all of them, each of which may take `filter_bounds::pattern_memory_bytes`.
  static constexpr std::size_t max_patterns = 4'096;

  /// Why there is no room for it: a sentence.
  [[nodiscard]] std::optional<std::string> complaint(const compiled_rule& added) const;

  /// Adds it, or puts it in the place of the one with its id.
  void put(std::shared_ptr<const compiled_rule> added);
  /// False: there is none.
  bool remove(const rule_id& id);

  [[nodiscard]] std::size_t size() const noexcept { return rules_.size(); }
  /// Null: there is none.
  [[nodiscard]] const compiled_rule* find(const rule_id& id) const;

  /// Those that are enabled and have a pattern for the name, by id. Until the set changes.
  [[nodiscard]] std::vector<const compiled_rule*> with_name(std::string_view event) const;

  /// Visits all by id, from after this one on, while `visit(rule)` answers true.
  template <class Visit>
  void visit_after(const rule_id& id, Visit visit) const {
    for (auto at = rules_.upper_bound(id); at != rules_.end(); ++at)
      if (!visit(*at->second))
        return;
  }

  /// The first rules that have an action for this connector, by id.
  [[nodiscard]] std::vector<rule_id> naming(const connector_id& connector, std::size_t most) const;

private:
  /// How many bytes a pattern has before its first star, and behind its last one.
  using shape = std::pair<std::size_t, std::size_t>;
  struct entry {
    const compiled_rule* by = nullptr;
    std::string pattern; ///< what has to be compared beside the key: of patterns with several stars
  };
  struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  void index(const compiled_rule& one);
  void unindex(const compiled_rule& one);
  void collect(std::string_view key, std::string_view event, std::vector<const compiled_rule*>& into) const;

  std::map<rule_id, std::shared_ptr<const compiled_rule>> rules_;
  std::unordered_map<std::string, std::vector<entry>, text_hash, std::equal_to<>> by_key_;
  std::map<shape, std::size_t> shapes_; ///< of the patterns with stars: how many have it
  std::size_t patterns_ = 0;            ///< `matches` in all filters
};

} // namespace vicket
