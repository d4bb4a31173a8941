#pragma once

#include "policy/rule_set.hpp"
#include "storage/settings_copy.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace vicket {

/// A node's rules, compiled: as its copy of the settings has them, made anew where that has changed. By one actor.
class node_rules {
public:
  /// `log_warning`: told of a rule that can't be used.
  node_rules(std::shared_ptr<const settings_copy> copy, std::function<void(const std::string&)> log_warning)
      : copy_{std::move(copy)}, log_warning_{std::move(log_warning)} {}

  /// Null: the copy may not be the newest, so nothing is to be decided by it now.
  [[nodiscard]] const rule_set* current();
  /// As they were when somebody last looked.
  [[nodiscard]] const rule_set& last_seen() const noexcept { return rules_; }

private:
  void take(const settings_snapshot::change& one);

  std::shared_ptr<const settings_copy> copy_;
  std::function<void(const std::string&)> log_warning_;
  std::shared_ptr<const settings_snapshot> seen_ = settings_snapshot::none();
  rule_set rules_; ///< of `seen_`
};

/// A rule as a setting, and back. Absent: it can't be read.
[[nodiscard]] setting_key key_of(const rule_id& id);
[[nodiscard]] setting to_setting(const rule& value);
[[nodiscard]] std::optional<rule> rule_of(const setting& stored);

} // namespace vicket
