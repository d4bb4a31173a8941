#include "actors/node_rules.hpp"

#include "policy/json_text.hpp"

#include <utility>
#include <variant>

namespace vicket {

const rule_set* node_rules::current() {
  const auto now = copy_->current();
  if (!now)
    return nullptr;
  if (now != seen_) {
    now->visit_changes(*seen_, [this](const settings_snapshot::change& one) { take(one); });
    seen_ = now;
  }
  return &rules_;
}

void node_rules::take(const settings_snapshot::change& one) {
  if (one.key.kind != setting_kind::rule)
    return;
  const auto value = one.value ? rule_of(*one.value) : std::nullopt;
  if (value) {
    auto compiled = compiled_rule::compile(*value);
    if (auto* good = std::get_if<std::shared_ptr<const compiled_rule>>(&compiled)) {
      rules_.put(std::move(*good));
      return;
    }
    log_warning_("rule '" + one.key.id + "' is set aside: " + std::get<json_fault>(compiled).sentence());
  } else if (one.value) {
    log_warning_("rule '" + one.key.id + "' is set aside: it can't be read");
  }
  static_cast<void>(rules_.remove({one.key.id}));
}

setting_key key_of(const rule_id& id) {
  return {setting_kind::rule, id.value};
}

setting to_setting(const rule& value) {
  return {key_of(value.id), rule_to_json(value)};
}

std::optional<rule> rule_of(const setting& stored) {
  auto read = rule_from_json(stored.bytes);
  auto* value = std::get_if<rule>(&read);
  return value != nullptr && value->id.value == stored.key.id ? std::optional{std::move(*value)}
                                                              : std::nullopt;
}

} // namespace vicket
