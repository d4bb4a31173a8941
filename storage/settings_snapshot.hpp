#pragma once

#include "messages/settings.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vicket {

/// All settings as of one round. Never changes: a round that changes some makes another one, which shares with this one what
/// stayed: a change copies a chunk and the list of chunks, pointers all of them. Any thread.
///
/// In the order of their keys, in chunks of at most `max_chunk`.
class settings_snapshot {
public:
  using entry_ptr = std::shared_ptr<const setting>;

  /// What a round does to a setting: its new bytes, or, null, it goes.
  struct change {
    setting_key key;
    entry_ptr value;
  };

  static constexpr std::size_t max_chunk = 128;

  [[nodiscard]] static std::shared_ptr<const settings_snapshot> none();
  /// With these changes, one after the other.
  [[nodiscard]] std::shared_ptr<const settings_snapshot> with(const std::vector<change>& changes) const;

  /// Null: there is none of that name.
  [[nodiscard]] entry_ptr find(const setting_key& key) const;
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t count(setting_kind kind) const;
  /// Of names and records.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] static std::size_t bytes_of(const setting& value) noexcept {
    return value.key.id.size() + value.bytes.size();
  }

  /// In order, from behind this key on, until `visit` says false.
  void visit_after(const setting_key& after, const std::function<bool(const entry_ptr&)>& visit) const;
  /// What is another than in `before`, in order, and, as null, what is not there any more. Costs what has changed.
  void visit_changes(const settings_snapshot& before, const std::function<void(const change&)>& visit) const;

private:
  using chunk = std::vector<entry_ptr>; ///< never empty
  using chunk_ptr = std::shared_ptr<const chunk>;
  class cursor;

  void apply(const change& one);
  [[nodiscard]] std::size_t chunk_of(const setting_key& key) const;

  std::vector<chunk_ptr> chunks_;
  std::map<setting_kind, std::size_t> counts_;
  std::size_t size_ = 0;
  std::size_t bytes_ = 0;
};

} // namespace vicket
